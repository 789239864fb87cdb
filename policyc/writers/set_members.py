"""Sets with their members to `ipset restore` text: what a host holds, written so that ipset makes the same.

Beside `ipset`, which writes the sets that a policy declares. Sources: ipset(8).
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.host.set_kinds import Part
from policyc.host.set_values import Entry, Key, MemberSet
from policyc.net.addresses import format_address
from policyc.net.protocols import ICMP, ICMPV6, format_protocol
from policyc.netfilter.quoting import quote_word
from policyc.writers.ipset import FAMILY


def members_text(sets: Iterable[MemberSet]) -> str:
    """Return the `create` and `add` lines of sets, lists after the sets they name; "" where there are none."""
    ordered = sorted(sets, key=lambda one: one.kind == "list:set")
    lines = [f"create {quote_word(one.name)} {one.kind}{_details(one)}" for one in ordered]
    lines += [
        f"add {quote_word(one.name)} {_member(one, key, entry)}"
        for one in ordered
        for key, entry in one.entries.items()
    ]
    return "".join(f"{line}\n" for line in lines)


def _details(one: MemberSet) -> str:
    words = ""
    if one.kind.startswith("hash:") and one.family:
        words += f" family {FAMILY[one.family]}"
    if one.kind == "bitmap:port":
        words += f" range {one.low}-{one.high}"
    elif one.kind.startswith("bitmap:"):
        words += f" range {format_address(one.low, 4)}-{format_address(one.high, 4)}"
    if one.mask is not None:
        words += _mask(one)
    if one.markmask != 0xFFFFFFFF:
        words += f" markmask {one.markmask:#x}"
    if one.kind.startswith("hash:"):
        words += f" maxelem {one.size}"
    elif one.kind == "list:set":
        words += f" size {one.size}"
    return words + ("" if one.timeout is None else f" timeout {one.timeout}")


def _mask(one: MemberSet) -> str:
    assert one.mask is not None
    width = 32 if one.family == 4 else 128
    length = one.mask.bit_count()
    if one.mask == ((1 << length) - 1) << (width - length):
        return f" netmask {length}"
    return f" bitmask {format_address(one.mask, one.family)}"


def _member(one: MemberSet, key: Key, entry: Entry) -> str:
    words = ",".join(_part(one, part, value) for part, value in zip(one.shape.parts, key, strict=False))
    if entry.mac is not None:
        words += f",{entry.mac.to_bytes(6).hex(':')}"
    if one.timeout is not None:
        words += f" timeout {entry.timeout or 0}"
    return words + (" nomatch" if entry.nomatch else "") + (" wildcard" if entry.wildcard else "")


def _part(one: MemberSet, part: Part, value: object) -> str:
    family = one.family or 4
    match part, value:
        case Part.IP, int():
            return format_address(value, family)
        case Part.NET, (int() as address, int() as length):
            return f"{format_address(address, family)}/{length}"
        case Part.PORT, (int() as protocol, int() as port):
            number = f"{port >> 8}/{port & 255}" if protocol in {ICMP, ICMPV6} else str(port)
            return f"{format_protocol(protocol)}:{number}"
        case Part.MAC, int():
            return value.to_bytes(6).hex(":")
        case Part.MARK, int():
            return f"{value:#x}"
    return str(value)
