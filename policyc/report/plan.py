"""A plan for people: rules that come, go and move, with whose they are, and what the policy requires besides."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from policyc.frozen import frozen
from policyc.netfilter.saved_changes import OURS, Kind, SavedChange
from policyc.report.style import PLAIN, Style

_SIGNS = {
    Kind.ADDED: ("+", "added"),
    Kind.REMOVED: ("-", "removed"),
    Kind.MOVED: ("~", "info"),
    Kind.POLICY: ("~", "info"),
}


@frozen
class Requirement:
    """Something beside rules that a policy needs: `kind` is sysctl, ipset or ip rule.

    `present` is what is there now in words, `action` what the change does about it, "" where nothing has to be done.
    """

    kind: str
    name: str
    present: str
    action: str = ""
    why: str = ""


@frozen
class PlanView:
    """What a plan shows. `dangers` are reasons not to apply it unasked, `notes` are to be known."""

    source: str
    where: str
    backend: str
    changes: tuple[SavedChange, ...]
    requirements: tuple[Requirement, ...] = ()
    notes: tuple[str, ...] = ()
    dangers: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "source": self.source,
            "where": self.where,
            "backend": self.backend,
            "changes": [
                {
                    "kind": one.kind.value, "family": one.family, "table": one.table, "chain": one.chain,
                    "number": one.number or None, "was": one.was or None, "text": one.text, "owner": one.owner or None,
                }
                for one in self.changes
            ],
            "requirements": [
                {"kind": one.kind, "name": one.name, "present": one.present, "action": one.action, "why": one.why}
                for one in self.requirements
            ],
            "notes": list(self.notes),
            "dangers": list(self.dangers),
        }  # fmt: skip


def plan_text(view: PlanView, style: Style = PLAIN, most: int | None = None) -> str:
    """Return the plan as text, line by line, at most `most` of the rules."""
    lines = [f"{style.foreign(view.source)} on {style.foreign(view.where)}, with {view.backend}"]
    for (family, table), group in groupby(view.changes[:most], key=lambda one: (one.family, one.table)):
        lines.append(style.paint("bold", f"{table} of IPv{family}"))
        lines += [_line(one, style) for one in group]
    if most is not None and len(view.changes) > most:
        lines.append(style.own(f"  … and {len(view.changes) - most} lines more; `policyc plan` shows all"))
    lines += [_requirement(one, style) for one in view.requirements]
    lines += [f"note: {style.foreign(text)}" for text in view.notes]
    lines += [style.paint("warning", f"warning: {style.foreign(text)}") for text in view.dangers]
    lines.append(_sum(view.changes, view.requirements))
    return "".join(f"{line}\n" for line in lines)


def _line(one: SavedChange, style: Style) -> str:
    sign, role = _SIGNS[one.kind]
    where = f"{one.chain} {one.was} -> {one.number}" if one.was else f"{one.chain} {one.number}"
    what = f"{where}: {one.text or '(counts only)'}"
    if not one.number:
        what = f"policy of {one.chain}: {one.text}" if one.kind is Kind.POLICY else f"chain {one.chain}"
    whose = "" if one.owner == OURS else f"  ({one.owner or 'not ours'})"
    return style.paint(role, f"  {sign} {style.foreign(what)}{style.foreign(whose)}")


def _requirement(one: Requirement, style: Style) -> str:
    why = f", for {one.why}" if one.why else ""
    done = f"; {one.action}" if one.action else ""
    return style.foreign(f"{one.kind} {one.name}: {one.present}{done}{why}")


def _sum(changes: Sequence[SavedChange], requirements: Sequence[Requirement]) -> str:
    rules = [one for one in changes if one.number]
    counts = [(sum(one.kind is kind for one in rules), kind.value) for kind in (Kind.ADDED, Kind.REMOVED, Kind.MOVED)]
    if not changes and not any(one.action for one in requirements):
        return "nothing changes: the kernel holds all of it already"
    return f"rules: {', '.join(f'{number} {word}' for number, word in counts)}"
