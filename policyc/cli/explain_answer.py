"""What `policyc explain` prints: the answer in the form that was asked for, and the exit code that it means."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyc.cli.exit import Exit
from policyc.cli.options import NotAskedError
from policyc.cli.output import emit, style_for, tell
from policyc.config import Config
from policyc.explanation.answer import Explanation
from policyc.explanation.ask import Asked
from policyc.explanation.flow import ExplainedTurn, flow, reply
from policyc.explanation.replies import neighbours_on
from policyc.frozen import frozen
from policyc.report.style import PLAIN, Style

if TYPE_CHECKING:
    from policyc.explanation.symptom import Diagnosis, Symptom
    from policyc.explanation.verification import Verification

# What a form of the answer has no room for.
_NOT_IN = {
    "full": (),
    "json": (),
    "concise": ("filters", "symptom"),
    "html": ("filters", "symptom", "flow", "verify"),
}


@frozen
class Shown:
    """How the answer is wanted: `shape` is full, concise, json or html, `output` a file or None for standard output."""

    shape: str
    output: str | None
    style: Style
    verbose: bool
    expect: str | None
    reply: bool
    flow: bool
    filters: bool
    verify: bool
    symptom: Symptom | None
    opened: bool

    @classmethod
    def of(cls, options: dict[str, Any], config: Config) -> Shown:
        """Return what the command line asks for; a FILE that ends in .html is a page unless --format says otherwise."""
        output = options["output"]
        shape = options["shape"] or ("html" if output and output.endswith((".html", ".htm")) else "full")
        if options["opened"]:
            shape, output = "html", output or _page()
        if unfit := [name for name in _NOT_IN[shape] if options[name]]:
            names = " and ".join("--filter" if name == "filters" else f"--{name}" for name in unfit)
            raise click.UsageError(f"{names}: not shown by --format {shape}; full and json show it")
        style = style_for(sys.stdout, options["color"] or config.color) if output in {None, "-"} else PLAIN
        return cls(
            shape,
            output,
            style,
            options["verbose"],
            options["expect"],
            options["reply"],
            options["flow"],
            options["filters"],
            options["verify"],
            None if options["symptom"] is None else _symptom(options["symptom"]),
            options["opened"],
        )


def _page() -> str:
    """Return the name of a page that stays until the machine cleans up, so that the browser can be slow."""
    import tempfile

    handle, path = tempfile.mkstemp(prefix="policyc-", suffix=".html")
    os.close(handle)
    return path


def _symptom(text: str) -> Symptom:
    from policyc.explanation.symptom import parse_symptom

    try:
        return parse_symptom(text)
    except ValueError as error:
        raise click.UsageError(f"--symptom: {error}") from None


def show(answered: Asked, shown: Shown) -> int:
    """Print the answer; return 1 where `--expect` is not met or the kernel did something else, 2 where it was not asked."""
    explanations = answered.explanations
    unanswered = 0
    if shown.reply:
        backs = [reply(one) for one in explanations]
        unanswered = backs.count(None)
        explanations = tuple(_answers(explanations, backs))
    if shown.shape == "html" and len(explanations) > 1:
        raise click.UsageError(
            f"a page shows one packet; these are {len(explanations)}: ask about one address of each name"
        )
    turns = [turn for one in explanations for turn in flow(one)] if shown.flow else []
    judged = tuple(turn.explanation for turn in turns) or explanations
    checked = [_verified(one) for one in judged] if shown.verify else []
    emit(_text(answered, explanations, turns, checked, shown), shown.output)
    if shown.opened:
        _open(Path(str(shown.output)))
    code = Exit.FINE
    if any(one.kernel is None for one in checked):
        code = Exit.NOT_ASKED
    if any(one.differences for one in checked):
        code = Exit.BAD_NEWS
    if shown.expect is not None and not _met(judged, turns, shown.expect, unanswered=unanswered):
        code = Exit.BAD_NEWS
    return code


def _open(page: Path) -> None:
    from policyc.kernel.browser import open_page

    if not open_page(page):
        tell(f"note: no browser is found; the page is {page}")


def _verified(explanation: Explanation) -> Verification:
    from policyc.kernel.processes import MissingProgram, NotPrivileged
    from policyc.kernel.replica.verify import verify

    try:
        return verify(explanation)
    except NotPrivileged as error:
        tell(f"error: --verify: {error}")
        raise click.exceptions.Exit(Exit.NOT_PRIVILEGED) from None
    except MissingProgram as error:
        raise NotAskedError(f"--verify: {error}") from None


def _answers(explanations: Sequence[Explanation], backs: Sequence[Explanation | None]) -> Iterator[Explanation]:
    """Yield the answers' ways; where there is no answer the packet's own, which is said."""
    for one, back in zip(explanations, backs, strict=True):
        if back is None:
            why = "nobody answers it" if neighbours_on(one.way) is None else "its answer goes past this host"
            tell(f"note: {one.question}: {why}, so what follows is the packet itself")
        yield back or one


def _text(
    answered: Asked,
    explanations: Sequence[Explanation],
    turns: Sequence[ExplainedTurn],
    checked: Sequence[Verification],
    shown: Shown,
) -> str:
    if shown.shape == "json":
        from policyc.report.json import json_text

        return json_text(_json(answered, explanations, turns, checked, shown.symptom))
    if shown.shape == "html":
        from policyc.report.explain_html import explain_html

        return explain_html(explanations[0])
    from policyc.report.explain_question import filters_text, flow_text, logged_text, symptom_text, verification_text
    from policyc.report.explain_text import concise_line, explain_text

    if shown.shape == "concise":
        lines = [f"{concise_line(one)}\n" for one in ([turn.explanation for turn in turns] or explanations)]
        return "".join([*lines, *(verification_text(one, shown.style) for one in checked)])

    if shown.filters:
        return "\n".join(filters_text(one, shown.style) for one in explanations)
    parts = [logged_text(answered.line, shown.style)] if answered.line else []
    if turns:
        parts.append(flow_text(turns, shown.style))
        explanations = [turn.explanation for turn in turns if turn.answered_past or not turn.explanation.way.delivered]
    parts += [explain_text(one, shown.style, verbose=shown.verbose) for one in explanations]
    if shown.symptom is not None:
        parts += [symptom_text(diagnosis_of(one, shown.symptom), shown.style) for one in explanations]
    parts += [verification_text(one, shown.style) for one in checked]
    return "\n".join(parts)


def _json(
    answered: Asked,
    explanations: Sequence[Explanation],
    turns: Sequence[ExplainedTurn],
    checked: Sequence[Verification],
    symptom: Symptom | None,
) -> dict[str, Any]:
    """Return one trace, or a list of them where the question has several answers."""
    found: list[dict[str, Any]] = [one.to_dict() for one in (turns or explanations)]
    for one, verification in zip(found, checked, strict=bool(checked)):
        one["verification"] = verification.to_dict()
    if symptom is not None:
        judged = [turn.explanation for turn in turns] or explanations
        for one, explanation in zip(found, judged, strict=True):
            one["diagnosis"] = diagnosis_of(explanation, symptom).to_dict()
    if turns:
        return {"turns": found}
    if len(found) > 1:
        return {"traces": found}
    if answered.line is not None:
        by = answered.line.by
        found[0]["logged_by"] = None if by is None else by.to_dict()
    return found[0]


def diagnosis_of(explanation: Explanation, symptom: Symptom) -> Diagnosis:
    """Return whether a packet's fate explains a symptom."""
    from policyc.explanation.symptom import explain_symptom

    return explain_symptom(symptom, explanation.sender, explanation.sent)


def _met(
    explanations: Sequence[Explanation], turns: Sequence[ExplainedTurn], expected: str, *, unanswered: int
) -> bool:  # fmt: skip
    """Whether every packet has the expected verdict in every outcome; what has not is said."""
    missed = [one for one in explanations if not one.keeps(expected)]
    for one in missed:
        said = f"it is {one.word}" if one.word != expected else "another outcome is possible"
        tell(f"expected {expected}: {said}: {one.question}")
    if unanswered:
        tell(f"expected {expected}: there is no answer whose way could be judged")
    past = expected == "accept" and any(turn.answered_past for turn in turns)
    if past:
        tell("expected accept: the answer goes past this host, which does not see the whole conversation")
    return not (missed or unanswered or past)
