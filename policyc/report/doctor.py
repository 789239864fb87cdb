"""The answer of `policyc doctor`, for a terminal and as JSON."""

from __future__ import annotations

from policyc.observation.doctor.examine import Examination
from policyc.observation.doctor.finding import Level, Symptom
from policyc.report.columns import wrapped
from policyc.report.json import json_text
from policyc.report.style import Style
from policyc.report.summary import plural

_WIDE = 92
_INDENT = "  "


def doctor_text(found: Examination, style: Style, *, verbose: bool) -> str:
    """Return the symptoms; what only may have counted long ago is one line each, unless `verbose`."""
    old = [one for one in found.symptoms if one.level is Level.INFO and one.counter]
    shown = (one for one in found.symptoms if verbose or one not in old)
    blocks = ["".join(f"{line}\n" for line in _lines(one, style)) for one in shown]
    if old and not verbose:
        lines = [
            style.own(
                "counted since the machine was started (`-v` says what each means, `--during 10` what counts now):"
            )
        ]
        wide = max(len(str(one.value)) for one in old)
        lines += [
            f"{_INDENT}{one.value:>{wide}}  {one.check}  {style.paint('faint', style.foreign(one.counter))}"
            for one in old
        ]
        blocks.append("".join(f"{line}\n" for line in lines))
    blocks.append(f"{_summary(found)}\n")
    return "\n".join(blocks)


def _lines(symptom: Symptom, style: Style) -> list[str]:
    about = style.foreign(symptom.subject)
    if symptom.counter:
        grown = "" if symptom.grown is None else f"{symptom.counter} +{symptom.grown}, "
        count = (
            f"{grown}{symptom.value} since the start" if grown else f"{symptom.counter} {symptom.value} since the start"
        )
        about = f"{style.foreign(count)}{', ' if about else ''}{about}"
    head = f"{style.paint(symptom.level.value, symptom.level.value)}[{symptom.check}]: {style.paint('bold', symptom.title)}"
    lines = [head, *(f"{_INDENT}{line}" for line in wrapped(about, _WIDE, 0))]
    lines += [f"{_INDENT}{line}" for line in wrapped(style.own(symptom.means), _WIDE, 0)]
    advice = wrapped(style.own(f"→ {symptom.advice}"), _WIDE, 2)
    return lines + [f"{_INDENT}{line}" for line in advice]


def _summary(found: Examination) -> str:
    levels = {level: sum(one.level is level for one in found.symptoms) for level in Level}
    said = ", ".join(plural(number, level.value) for level, number in levels.items() if number)
    when = "" if found.seconds is None else f" in {found.seconds:g} s"
    return f"{plural(found.checks, 'check')}{when}: {said or 'nothing found'}"


def doctor_json(found: Examination) -> str:
    """Return the answer of `doctor --format json`."""
    return json_text(found.to_dict())
