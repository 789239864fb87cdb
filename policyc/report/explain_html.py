"""The answer of `explain` as one self-contained page: hook map, steps to walk through, the source lines that took part.

Everything is in the file, nothing is loaded; without scripts it is an ordered list. Only this file imports jinja2.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from policyc import FORMAT_VERSION
from policyc.explanation.answer import Alternative, Explanation
from policyc.report.contributing import Share, contributing
from policyc.report.explain_notes import note_pairs
from policyc.report.explain_page import last_word, page_steps, verdict_kind
from policyc.report.explain_words import WORDS, decision, fate, question_text
from policyc.report.hook_map import hook_map
from policyc.report.printable import printable

if TYPE_CHECKING:
    from jinja2 import Template
    from markupsafe import Markup

PAGE = Path(__file__).parent / "page"
"""The folder of template, style sheet and script."""


def explain_html(explanation: Explanation) -> str:
    """Return the page."""
    from markupsafe import Markup

    steps = page_steps(explanation)
    word = WORDS[explanation.verdict]
    asked = question_text(explanation)
    place = explanation.deciding
    title = f"{word}: {asked}"
    devices = (explanation.sent.iif, explanation.final.oif)
    drawing = hook_map(
        [step.stop for step in steps], word, devices, f"The way of the packet through the hooks. {title}"
    )
    return _template().render(
        title=printable(title),
        word=last_word(explanation),
        kind=verdict_kind(explanation),
        asked=printable(asked),
        decided=decision(explanation.way, place),
        line="" if place is None else printable(place.line),
        fate=fate(explanation.way),
        others=[_other(explanation, one) for one in explanation.alternatives],
        map=Markup(drawing),  # noqa: S704 - made of escaped text by hook_map
        steps=steps,
        insights=explanation.insights,
        notes=list(note_pairs(explanation, verbose=True)),
        sources=[(printable(source.name), lines) for source, lines in contributing(explanation).items()],
        shares=tuple(reversed(Share)),
        trace=Markup(_island(explanation)),  # noqa: S704 - escaped for a script element
        css=Markup((PAGE / "explain.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        js=Markup((PAGE / "explain.js").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )


def _other(explanation: Explanation, other: Alternative) -> tuple[str, str, str, str, str]:
    """Return another outcome: its verdict, what decides, the source line of that, where the packet arrives, and if what."""
    way, place = other.way, explanation.decided(other.way)
    line = "" if place is None else printable(place.line)
    return WORDS[way.trace.verdict], decision(way, place), line, fate(way), " and ".join(other.assumes)


def _island(explanation: Explanation) -> str:
    """Return the trace as JSON that ends no script element: ASCII, without `<`, `>` and `&`."""
    text = json.dumps({"format_version": FORMAT_VERSION, **explanation.to_dict()}, separators=(",", ":"))
    return text.translate({ord(character): f"\\u{ord(character):04x}" for character in "<>&"})


@cache
def _template() -> Template:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(PAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    environment.filters["prose"] = _prose
    return environment.get_template("explain.html")


def _prose(text: str) -> Markup:
    """Return a sentence in which what stands in backticks is code."""
    from markupsafe import Markup, escape

    parts = printable(text).split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 and number + 1 < len(parts) else escape(part)
        for number, part in enumerate(parts)
    )
