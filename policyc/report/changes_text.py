"""What will change on a host, for a terminal: chain by chain, rules that come, go and move, with their numbers."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.netfilter.ruleset_changes import ChainChange, Change, Changes, RuleChange, SetChange
from policyc.report.style import PLAIN, Style
from policyc.report.summary import plural

_SIGNS = {Change.ADDED: ("+", "added"), Change.REMOVED: ("-", "removed"), Change.MOVED: (">", "info")}
_WORDS = {Change.ADDED: "new", Change.REMOVED: "gone", Change.CHANGED: ""}


def changes_text(found: Changes, style: Style = PLAIN) -> str:
    """Return the chains and sets that differ, then how much there is; one line where nothing changes."""
    if not found:
        return "nothing changes\n"
    lines: list[str] = []
    table = ""
    for chain in found.chains:
        heading = f"*{chain.table} (IPv{chain.family})"
        if heading != table:
            lines.append(style.paint("bold", heading))
            table = heading
        lines += _chain(chain, style)
    lines += [line for one in found.sets for line in _set(one, style)]
    return "\n".join([*lines, "", _summary(found)]) + "\n"


def _chain(chain: ChainChange, style: Style) -> Iterator[str]:
    said = ", ".join(filter(None, (_WORDS[chain.change], f"of {chain.owner}" if chain.owner else "")))
    yield f"  {style.foreign(chain.chain)}{style.paint('faint', f'  ({said})') if said else ''}"
    if chain.policy is not None:
        yield f"    {style.paint('info', style.own(f'policy {chain.policy[0]} → {chain.policy[1]}'))}"
    columns = max((len(_numbers(rule, style)) for rule in chain.rules), default=0)
    for rule in chain.rules:
        sign, role = _SIGNS[rule.change]
        yield f"    {style.paint(role, f'{sign} {_numbers(rule, style):>{columns}}  {style.foreign(rule.text)}')}"


def _numbers(rule: RuleChange, style: Style) -> str:
    if rule.change is Change.MOVED:
        return style.own(f"{rule.before}→{rule.after}")
    return str(rule.after or rule.before)


def _set(one: SetChange, style: Style) -> Iterator[str]:
    said = f"  ({_WORDS[one.change]})" if _WORDS[one.change] else ""
    yield style.paint("bold", style.foreign(f"set {one.name} ({one.kind})")) + style.paint("faint", said)
    yield from (style.paint("added", f"    + {style.foreign(member)}") for member in one.added)
    yield from (style.paint("removed", f"    - {style.foreign(member)}") for member in one.removed)


def _summary(found: Changes) -> str:
    parts = [
        f"{found.count(change)} {change.value}" for change in (Change.REMOVED, Change.MOVED) if found.count(change)
    ]
    policies = sum(chain.policy is not None for chain in found.chains)
    parts += [f"{policies} {'policy' if policies == 1 else 'policies'} changed"] if policies else []
    parts += [f"{plural(len(found.sets), 'set')} changed"] if found.sets else []
    return ", ".join([f"{plural(found.count(Change.ADDED), 'rule')} added", *parts])
