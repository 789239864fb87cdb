"""The answer of `policyc counters`, for a terminal and as JSON: counters on lines, and what is on one side only."""

from __future__ import annotations

from typing import Any

from policyc.diagnostics.diagnostic import location
from policyc.observation.tally import CountedRule, Line, Tally
from policyc.report.counters_rows import CounterRow, counter_rows
from policyc.report.json import json_text
from policyc.report.printable import width
from policyc.report.style import Style
from policyc.report.summary import plural

MOST_LISTED = 20
"""Rules of the kernel that no line has, and missing ones, that are listed."""


def counters_text(tally: Tally, style: Style, before: Tally | None = None, seconds: float = 0) -> str:
    """Return the table and what is to be said about it; with `before` the rates since then too."""
    rows = list(counter_rows(tally, style, before, seconds))
    lines = _table(rows, style, rates=before is not None)
    lines += ["", *remarks(tally, style)]
    return "".join(f"{line}\n" for line in lines)


def _table(rows: list[CounterRow], style: Style, *, rates: bool) -> list[str]:
    numbers = (
        max((len(str(row.packets)) for row in rows), default=0),
        max((len(str(row.size)) for row in rows), default=0),
    )
    packets, size = max(numbers[0], 7), max(numbers[1], 5)
    place = max((width(row.place) for row in rows), default=0)
    head = f"{'packets':>{packets}}  {'bytes':>{size}}" + (f"  {'packets/s':>9}  {'bytes/s':>11}" if rates else "")
    lines = [style.paint("bold", head)]
    for row in rows:
        known = ("-", "-") if row.packets is None else (str(row.packets), str(row.size))
        counts = f"{known[0]:>{packets}}  {known[1]:>{size}}"
        if rates:
            counts += f"  {rate(row.packet_rate):>9}  {rate(row.byte_rate):>11}"
        said, role = _said(row)
        label = f"{row.place}{'':{place - width(row.place)}}  {row.text}"
        lines.append(f"{counts}  {label}" + (f"  {style.paint(role, said)}" if said else ""))
    return lines


def _said(row: CounterRow) -> tuple[str, str]:
    """Return what is said behind a row, and in which colour."""
    if row.packets is None:
        return "not in the kernel", "warning"
    if row.missing:
        return f"{plural(row.missing, 'rule')} of it not in the kernel", "warning"
    return ("never hit" if row.is_idle else ""), "faint"


def rate(value: float | None) -> str:
    """Return a rate as people read it: one decimal, "-" where none is known."""
    return "-" if value is None else f"{value:.1f}"


def remarks(tally: Tally, style: Style) -> list[str]:
    """Return what else is to be said: how many lines are idle, what is on one side only, what another kind of iptables has."""
    noun = "statement" if tally.is_policy else "line"
    there = [line for line in tally.lines if line.rules]
    idle = sum(line.is_idle for line in there)
    kind = f"rules of iptables-{tally.backend}" if tally.backend else "no rules of iptables in the kernel"
    found = [
        f"{plural(len(tally.lines), noun)}, {idle} never hit; {plural(tally.paired, 'rule')} in the kernel ({kind})"
    ]
    missing = [(line, place) for line in tally.lines for place in line.missing]
    if missing:
        found.append(style.paint("warning", f"in the source, not in the kernel: {plural(len(missing), 'rule')}"))
        found += [
            f"  {style.foreign(place.line or '-')}  IPv{place.family}  {style.foreign(f'{place.name}  {place.text}')}"
            for _, place in missing[:MOST_LISTED]
        ] + _more(len(missing))
    others = [rule for rule in tally.others if rule.place.family in tally.families]
    if tally.is_shared:
        foreign, others = others, [rule for rule in others if rule.place.chain in tally.own_chains]
        if number := len(foreign) - len(others):
            found.append(f"of others, with whom the policy shares the tables: {plural(number, 'rule')}")
    if others:
        found.append(style.paint("warning", f"in the kernel, not in the source: {plural(len(others), 'rule')}"))
        found += [_other(rule, style) for rule in others[:MOST_LISTED]] + _more(len(others))
    for family in (4, 6):
        number = sum(rule.place.family == family for rule in tally.others)
        if number and family not in tally.families:
            found.append(f"the source says nothing of IPv{family}, of which the kernel has {plural(number, 'rule')}")
    found += [style.paint("warning", style.foreign(remark)) for remark in tally.remarks]
    if tally.elsewhere:
        other = "legacy" if tally.backend == "nft" else "nft"
        found.append(style.paint("warning", f"iptables-{other} has {plural(tally.elsewhere, 'rule')} too, and a packet meets "
                                 f"both: `--rules-of {other}` shows those"))  # fmt: skip
    return found


def _other(rule: CountedRule, style: Style) -> str:
    place = rule.place
    return f"  {rule.packets} packets  IPv{place.family}  {style.foreign(f'{place.name}  {place.text}')}"


def _more(number: int) -> list[str]:
    return [f"  and {number - MOST_LISTED} more"] if number > MOST_LISTED else []


def counters_json(tally: Tally) -> str:
    """Return the answer of `counters --format json`."""
    return json_text({
        "backend": tally.backend or None,
        "lines": [_line(line) for line in tally.lines],
        "policies": [_rule(rule) for rule in tally.policies],
        "not_in_source": [_rule(rule) for rule in tally.others],
        "rules_of_other_backend": tally.elsewhere, "remarks": list(tally.remarks),
        "summary": {
            "lines": len(tally.lines), "never_hit": sum(line.is_idle for line in tally.lines), "rules": tally.paired,
            "not_in_kernel": sum(len(line.missing) for line in tally.lines), "not_in_source": len(tally.others),
        },
    })  # fmt: skip


def _line(line: Line) -> dict[str, Any]:
    return {
        "id": line.id or None, "name": line.name or None, "location": location(line.span), "text": line.text,
        "packets": line.packets, "bytes": line.size, "never_hit": line.is_idle,
        "rules": [_rule(rule) for rule in line.rules], "not_in_kernel": [place.to_dict() for place in line.missing],
    }  # fmt: skip


def _rule(rule: CountedRule) -> dict[str, Any]:
    return {**rule.place.to_dict(), "packets": rule.packets, "bytes": rule.size, "counts": rule.counts}
