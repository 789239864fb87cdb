"""Changes of a packet's numbers: marks, TTL, the TOS byte. A statement of nft where it has one, else cases that have all.

Used by `statements`. nft computes with constants only, and of header fields writes constants only: what depends on the field
as it was is written as one rule for each value, in a chain that all rules share.
"""

from __future__ import annotations

from collections.abc import Callable

from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Shift
from policyc.writers.nft.conditions import NoForm
from policyc.writers.nft.declared import Declared

_FULL = 0xFFFFFFFF
_MARKS = {fields.MARK: "meta mark", fields.CT_MARK: "ct mark"}


def assigned(change: Assign, declared: Declared) -> list[str]:
    """Return the rules that carry an assignment out. Raises NoForm."""
    if change.field is fields.TOS:
        return _traffic_class(change, declared)
    if change.field is fields.CT_LABEL:
        return [f"ct label set {change.value.bit_length() - 1}"]
    if change.field not in _MARKS:
        raise NoForm(
            "the change of TCP flags" if change.field is fields.TCP_FLAGS else f"the change of {change.field.name}"
        )
    name = _MARKS[change.field]
    if change.source is None:
        return [f"{name} set {_masked(name, change.mask, change.value)}"]
    source = _MARKS.get(change.source)
    if source is None:
        raise NoForm("the mark of a socket (`--restore-skmark`)")
    if change.mask == _FULL:
        return [f"{name} set {_copied(source, change.source_mask, change.shift)}"]
    return _bit_by_bit(name, source, change)


def _masked(name: str, mask: int, value: int) -> str:
    if mask == _FULL:
        return f"{value:#x}"
    kept = name if not mask else f"{name} & {_FULL ^ mask:#x}"
    if not value:
        return kept
    return f"{kept} ^ {value:#x}" if not mask else f"({kept}) ^ {value:#x}"


def _copied(source: str, mask: int, shift: int) -> str:
    kept = source if mask == _FULL else f"{source} & {mask:#x}"
    if not shift:
        return kept
    way = f"<< {shift}" if shift > 0 else f">> {-shift}"
    return f"{kept} {way}" if kept is source else f"({kept}) {way}"


def _bit_by_bit(name: str, source: str, change: Assign) -> list[str]:
    """Clear, then turn each bit for which the source has one; a source that does not exist changes nothing."""
    there = "ct mark 0x0-0xffffffff " if source == "ct mark" else ""
    lines = [f"{there}{name} set {_masked(name, change.mask, 0)}"]
    for place in range(32):
        bit = 1 << place
        into = place + change.shift
        if change.source_mask & bit and 0 <= into < 32:
            lines.append(f"{source} & {bit:#x} == {bit:#x} {name} set {name} ^ {1 << into:#x}")
    return lines


def shifted(change: Shift, declared: Declared) -> list[str]:
    """Return the rules that change the TTL or hop limit (net/netfilter/xt_HL.c: it stays between 0 and 255)."""
    left = "ip ttl" if declared.family == 4 else "ip6 hoplimit"
    if change.how == "set":
        return [f"{left} set {change.amount}"]
    lines = []
    if change.how == "dec":
        lines.append(f"{left} 0-{change.amount} {left} set 0 return")
        lines += [f"{left} {old} {left} set {old - change.amount} return" for old in range(change.amount + 1, 256)]
    else:
        top = 255 - change.amount
        lines.append(f"{left} {top}-255 {left} set 255 return")
        lines += [f"{left} {old} {left} set {old + change.amount} return" for old in range(top)]
    return [f"jump {declared.subroutine(f'ttl/{change.how}_{change.amount}', lines)}"]


def _traffic_class(change: Assign, declared: Declared) -> list[str]:
    dscp = _field(f"{declared.ip} dscp", change.mask >> 2, change.value >> 2, 6, declared)
    return dscp + _field(f"{declared.ip} ecn", change.mask & 3, change.value & 3, 2, declared)


def _field(left: str, mask: int, value: int, bits: int, declared: Declared) -> list[str]:
    every = (1 << bits) - 1
    if not mask and not value:
        return []
    if mask == every:
        return [f"{left} set {value:#x}"]
    return [f"jump {_cases(left, bits, lambda old: (old & ~mask) ^ value, declared, f'{mask:x}_{value:x}')}"]


def _cases(left: str, bits: int, new: Callable[[int], int], declared: Declared, name: str) -> str:
    lines = [f"{left} {old:#x} {left} set {new(old):#x} return" for old in range(1 << bits) if new(old) != old]
    return declared.subroutine(f"{left.split()[1]}/{name}", lines)
