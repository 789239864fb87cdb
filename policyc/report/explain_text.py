"""The answer of `explain` for a terminal: the verdict first, then the packet's way, then why and what would change it."""

from __future__ import annotations

from policyc.explanation.answer import Alternative, Explanation
from policyc.report.columns import WIDE, laid_out, wrapped
from policyc.report.explain_excerpts import excerpts
from policyc.report.explain_notes import notes, reasons
from policyc.report.explain_steps import step_rows
from policyc.report.explain_words import WORDS, decision, fate, question_text
from policyc.report.style import PLAIN, Style

_ROLES = {"ACCEPT": "good", "DROP": "error", "REJECT": "error", "UNKNOWN": "warning"}


def explain_text(explanation: Explanation, style: Style = PLAIN, *, verbose: bool = False) -> str:
    """Return the answer with its steps; `verbose` shows every rule that the packet came to."""
    parts = (
        _head(explanation, style),
        laid_out(step_rows(explanation, style, verbose=verbose), style),
        reasons(explanation, style),
        excerpts(explanation, style),
        notes(explanation, style, verbose=verbose),
    )
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def concise_line(explanation: Explanation) -> str:
    """Return verdict, packet, what decided, other outcomes and assumptions in one line without colour.

    An arrow is the only foreign letter in it.
    """
    place = explanation.deciding
    line = f" ({place.line})" if place is not None and place.line else ""
    conditions = [one for other in explanation.alternatives for one in other.assumes]
    assumed = [one for one in explanation.assumptions if not any(one in condition for condition in conditions)]
    parts = [
        f"{WORDS[explanation.verdict]}  {question_text(explanation)}: {decision(explanation.way, place)}{line}",
        fate(explanation.way),
        *(_other(explanation, other) for other in explanation.alternatives),
        f"assumed: {' · '.join(assumed)}" if assumed else "",
    ]
    return PLAIN.foreign("; ".join(filter(None, parts)))


def _head(explanation: Explanation, style: Style) -> list[str]:
    way, word = explanation.way, WORDS[explanation.verdict]
    place = explanation.deciding
    lead = " " * (len(word) + 2)
    asked = style.foreign(question_text(explanation))
    said = decision(way, place)
    if place is not None and place.line:
        said += f"  {place.line}"
    lines = [f"{style.paint(_ROLES[word], word)}  {style.paint('bold', asked)}"]
    lines += [f"{lead}{line}" for line in wrapped(style.foreign(said), WIDE - len(lead), 2)]
    if arrived := fate(way):
        lines += [f"{lead}{line}" for line in wrapped(style.foreign(arrived), WIDE - len(lead), 2)]
    for other in explanation.alternatives:
        lines += [f"{lead}{line}" for line in wrapped(style.foreign(_other(explanation, other)), WIDE - len(lead), 3)]
    return lines


def _other(explanation: Explanation, other: Alternative) -> str:
    place = explanation.decided(other.way)
    line = f" ({place.line})" if place is not None and place.line else ""
    parts = [decision(other.way, place) + line, fate(other.way)]
    condition = " and ".join(other.assumes)
    return f"or {WORDS[other.way.trace.verdict]} {', '.join(filter(None, parts))}" + (
        f", if {condition}" if condition else ""
    )
