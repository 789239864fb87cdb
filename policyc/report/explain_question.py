"""What stands around an explanation for a terminal: who wrote a log line, the turns of a conversation, what the kernel did."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.explanation.answer import Explanation
from policyc.explanation.flow import ExplainedTurn
from policyc.explanation.logged import Logged
from policyc.explanation.symptom import Diagnosis
from policyc.explanation.verification import Verification
from policyc.report.explain_text import concise_line
from policyc.report.explain_words import WORDS, decision, fate, question_text
from policyc.report.style import Style


def logged_text(logged: Logged, style: Style) -> str:
    """Return which rule wrote a line of the log, and what of the line was not used."""
    about = "is about" if logged.line.trace is not None else "was written by"
    if logged.by is not None:
        place = f" ({logged.by.line})" if logged.by.line else ""
        lines = [f"The line {about} {logged.by.name}{place}: {logged.by.text}"]
    elif logged.line.trace is not None:
        lines = ["The packet's way in this ruleset does not pass what the line of TRACE names"]
    elif logged.candidates:
        names = ", ".join(one.name for one in logged.candidates)
        lines = [f"No rule on the packet's way writes this line; with its prefix log {names}"]
    else:
        lines = ["No rule of this ruleset writes lines with this prefix; here is the packet's way"]
    if logged.line.unread:
        lines.append(f"Not understood in the line, and left out: {' '.join(logged.line.unread)}")
    if logged.line.incomplete:
        lines.append("The kernel saw less than a whole header: what the line does not say is assumed")
    return "".join(f"{style.foreign(line)}\n" for line in lines)


def flow_text(turns: Sequence[ExplainedTurn], style: Style) -> str:
    """Return the turns of a conversation, one line each: who sends, what became of it, by which rule."""
    wide = max(len(turn.name) for turn in turns)
    lines = [style.foreign(f"{question_text(turns[0].explanation)}, and what follows")]
    for number, turn in enumerate(turns, 1):
        one, side = turn.explanation, "<-" if turn.reply else "->"
        place = one.deciding
        line = f" ({place.line})" if place is not None and place.line else ""
        parts = (f"{decision(one.way, place)}{line}", fate(one.way))
        said = "; ".join(filter(None, parts))
        lines.append(f"{number:>2}  {side} {turn.name:<{wide}}  {WORDS[one.verdict]}  {style.foreign(said)}")
    end = "every turn arrives" if turns[-1].explanation.way.delivered else f"ends with turn {len(turns)}"
    if shared := turns[-1].answered_past:
        end = f"the answer to turn {len(turns)} goes past this host: both ends are on {shared}"
    return "\n".join([*lines, f"    {end}"]) + "\n"


def filters_text(explanation: Explanation, style: Style) -> str:
    """Return the commands and filters that show a packet's flow, one group for each interface it is seen at."""
    lines = [style.foreign(concise_line(explanation))]
    for one in explanation.filters:
        side = "behind NAT" if one.translated else "as it is sent"
        lines += [f"{one.interface or 'any interface'}, {side}", f"  {one.command}", f"  Wireshark: {one.wireshark}"]
    if not explanation.filters:
        lines.append("it is seen at no interface")
    if explanation.assumptions:
        lines.append(f"assumed: {style.foreign('; '.join(explanation.assumptions))}")
    return "\n".join(lines) + "\n"


def symptom_text(diagnosis: Diagnosis, style: Style) -> str:
    """Return whether what somebody saw comes from the rules, and where else it may come from."""
    lines = [f"symptom {diagnosis.symptom.value}: {diagnosis.text}", *(f"  - {cause}" for cause in diagnosis.causes)]
    return "".join(f"{style.foreign(line)}\n" for line in lines)


def verification_text(verification: Verification, style: Style) -> str:
    """Return whether the kernel did the same, step by step where it did not."""
    if verification.kernel is None:
        return style.foreign(f"kernel: not asked: {verification.reason}") + "\n"
    steps = f"{verification.agreed} of {verification.visible} visible steps"
    if not verification.differences:
        which = "" if verification.alternative is None else f"; it took alternative {verification.alternative + 1}"
        return f"kernel: sent for real in network namespaces, {steps} and the packet's end agree{which}\n"
    lines = [f"kernel: sent for real in network namespaces, {steps} agree; these differ:"]
    for one in verification.differences:
        where = f"step {one.step}" if one.step else one.field
        lines.append(f"  {where}: we say {_shown(one.ours)}, the kernel did {_shown(one.kernel)}")
    return "".join(f"{style.foreign(line)}\n" for line in lines)


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return "/".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
