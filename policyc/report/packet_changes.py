"""The answer of `policyc diff` for people: each change with a packet and the rules that decide, then what is not compared."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.analysis.difference import Difference, PacketChange, RuleSeen
from policyc.report.style import PLAIN, Style
from policyc.report.summary import plural

_ROLES = {"ACCEPT": "added", "DROP": "removed", "REJECT": "removed"}


def changes_full(found: Difference, style: Style = PLAIN) -> str:
    """Return every change in a paragraph, what may differ beside, and the answer in a line."""
    lines = [line for one in found.changes for line in (*_change(one, style), "")]
    lines += [*_beside(found, style), summary(found, style)]
    return "\n".join(lines) + "\n"


def changes_concise(found: Difference, style: Style = PLAIN) -> str:
    """Return a line for each change, what may differ beside, and the answer in a line."""
    lines = [
        style.own(f"{_where(one)}: {_verdicts(one, style)}: ") + style.foreign(_packet(one)) + style.own("  ")
        + style.own(f"[{style.foreign(_short(one.a))} → {style.foreign(_short(one.b))}]")
        for one in found.changes
    ]  # fmt: skip
    return "\n".join([*lines, *_beside(found, style), summary(found, style)]) + "\n"


def summary(found: Difference, style: Style = PLAIN) -> str:
    """Return the answer in a line."""
    scope = " of the policy's own chains" if found.ours else ""
    if found.equal:
        return style.paint("good", "equal") + f": no packet in any state meets another fate in the rules{scope}"
    said = []
    if found.changes:
        total = len(found.changes) + found.more
        shown = f" ({found.more} more are not shown)" if found.more else ""
        said.append(f"{plural(total, 'difference')} for packets{shown}")
    if found.conditions:
        said.append(f"equal but for {plural(len(found.conditions), 'condition')} that nobody can decide" if not said
                    else f"{plural(len(found.conditions), 'condition')} that nobody can decide")  # fmt: skip
    if found.beside:
        said.append(f"{plural(len(found.beside), 'rule')} with effects that are not compared")
    if found.doubts:
        said.append("not all is known" if said else "not known whether packets meet another fate")
    word = style.paint("removed", "different") if found.differs else style.paint("warning", "undecided")
    return f"{word}: {', '.join(said)}"


def _change(one: PacketChange, style: Style) -> Iterator[str]:
    yield style.paint("bold", _where(one)) + style.own(f": {_verdicts(one, style)}")
    yield f"  {style.own(style.foreign(_packet(one)))}"
    for name, (was, now) in one.becomes.items():
        yield style.own(f"  {name.replace('_', ' ')}: {style.foreign(was or 'none')} → {style.foreign(now or 'none')}")
    for side, seen in (("a", one.a), ("b", one.b)):
        yield f"  {side}: {style.foreign(_seen(seen))}"
    yield from (style.foreign(f"  if {text}") for text in one.witness.assumes)


def _where(one: PacketChange) -> str:
    return f"{one.table} {one.hook}{' (IPv6)' if one.a.place.family == 6 else ''}"


def _verdicts(one: PacketChange, style: Style) -> str:
    return " → ".join(style.paint(_ROLES.get(word, "info"), word) for word in dict.fromkeys((one.before, one.now)))


def _packet(one: PacketChange) -> str:
    return one.witness.text


def _short(seen: RuleSeen) -> str:
    return f"{seen.place.chain} {seen.place.number or 'policy'}"


def _seen(seen: RuleSeen) -> str:
    if seen.rule is None:
        return _short(seen)
    place = "" if seen.rule.span is None else f"{seen.rule.span}  "
    return f"{place}{_short(seen)}  {seen.rule.text}"


def _beside(found: Difference, style: Style) -> Iterator[str]:
    for text in found.conditions:
        yield style.foreign(f"condition that differs: {text}")
    for one in found.beside:
        yield style.foreign(f"not compared, {one.side} only or elsewhere: {one.seen.place.table} {_seen(one.seen)}")
    for text in found.doubts:
        yield style.paint("warning", style.foreign(f"not known: {text}"))
