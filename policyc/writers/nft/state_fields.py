"""Tests of what the kernel knows of a packet: interfaces, marks, its sender, kinds of addresses, its connection.

Used by `predicates`, beside `packet_fields`.
"""

from __future__ import annotations

from policyc.net.addresses import parse_network
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import DCCP, ICMP, ICMPV6, SCTP, TCP, UDP, UDPLITE
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.writers.nft.conditions import NEVER, Either, Known, Neither, NoForm, Tests, Word
from policyc.writers.nft.declared import Declared
from policyc.writers.nft.packet_fields import of_addresses, spans
from policyc.writers.nft.spelling import interface, macs, numbers, protocol, quoted

_ENTRY = frozenset(("NEW", "ESTABLISHED", "RELATED"))
_STATES = ("ESTABLISHED", "RELATED", "NEW", "INVALID", "UNTRACKED")
_FULL = 0xFFFFFFFF
_MASKED = {
    fields.MARK: "meta mark", fields.CT_MARK: "ct mark", fields.DEVGROUP_IN: "meta iifgroup",
    fields.DEVGROUP_OUT: "meta oifgroup", fields.REALM: "meta rtclassid", fields.CT_STATUS: "ct status",
}  # fmt: skip
_STATUS = {1: "expected", 2: "seen-reply", 4: "assured", 8: "confirmed", 16: "snat", 32: "dnat"}
_NUMBERS = {fields.UID: "meta skuid", fields.GID: "meta skgid", fields.CPU: "meta cpu"}
_CT_ADDRESSES = {
    fields.CT_ORIG_SRC: ("original", "saddr"), fields.CT_ORIG_DST: ("original", "daddr"),
    fields.CT_REPLY_SRC: ("reply", "saddr"), fields.CT_REPLY_DST: ("reply", "daddr"),
}  # fmt: skip
_CT_PORTS = {
    fields.CT_ORIG_SPORT: "original proto-src", fields.CT_ORIG_DPORT: "original proto-dst",
    fields.CT_REPLY_SPORT: "reply proto-src", fields.CT_REPLY_DPORT: "reply proto-dst",
}  # fmt: skip
_CT_NUMBERED = (TCP, UDP, SCTP, DCCP, UDPLITE, ICMP, ICMPV6)  # of an ICMP connection: its id, or type and code
_OF_ENTRY = {
    *_CT_ADDRESSES,
    *_CT_PORTS,
    fields.CT_PROTO,
    fields.CT_EXPIRE,
    fields.CT_DIR,
    fields.CT_MARK,
    fields.CT_STATUS,
}
_TYPES = {
    fields.SRC_TYPE: "saddr", fields.DST_TYPE: "daddr", fields.SRC_TYPE_IN: "saddr . iif", fields.DST_TYPE_IN: "daddr . iif",
    fields.SRC_TYPE_OUT: "saddr . oif", fields.DST_TYPE_OUT: "daddr . oif",
}  # fmt: skip
_FIB_TYPES = ("UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT")
# What the bits of an IPv6 address say of it (ipv6_addr_type): UNICAST is all that is none of these.
_NOT_UNICAST = IntervalSet.union_of(
    span for text in ("::/128", "::ffff:0:0/96", "ff00::/8") for span in parse_network(text, 6).values
)
_BY_BITS = {
    "UNSPEC": parse_network("::/128", 6).values, "MULTICAST": parse_network("ff00::/8", 6).values,
    "UNICAST": _NOT_UNICAST.complement((1 << 128) - 1),
}  # fmt: skip
_PACKET_TYPES = {"unicast": "host", "broadcast": "broadcast", "multicast": "multicast", "otherhost": "other"}


def in_state(field: Field, values: IntervalSet | NameSet, known: Known, declared: Declared, *, negated: bool) -> Tests:
    """Return the test of `In` or its negation. Raises KeyError for a field that is not of this kind, NoForm."""
    if negated and field in _OF_ENTRY and not known.entry:
        return (Neither((in_state(field, values, known.copy(), declared, negated=False),)),)
    if isinstance(values, NameSet):
        return _named(field, values, known, declared, negated=negated)
    if field in _NUMBERS:
        if negated and field is not fields.CPU:
            return (Neither((spans(_NUMBERS[field], values, declared),)),)
        return spans(_NUMBERS[field], values, declared, negated=negated)
    if field in _CT_ADDRESSES:
        way, side = _CT_ADDRESSES[field]
        return of_addresses(f"ct {way} {declared.ip} {side}", values, declared, negated=negated)
    if field in _CT_PORTS:
        return _connection_port(_CT_PORTS[field], values, known, declared, negated=negated)
    return _other(field, values, known, declared, negated=negated)


def _other(field: Field, values: IntervalSet, known: Known, declared: Declared, *, negated: bool) -> Tests:
    if field is fields.CT_PROTO:
        if values.size == 1:
            mark = "!= " if negated else ""
            number = values.spans[0][0]
            if known.protocol in {None, number} or negated:
                return (Word(f"ct protocol {mark}{protocol(number)}"),)
            # nft takes it for the packet's own and refuses two that differ; a set says nothing of the packet
            return (Word(f"ct protocol {declared.constants('protocols', 'inet_proto', numbers(values))}"),)
        return spans("ct protocol", values, declared, "inet_proto", negated=negated)
    if field is fields.CT_EXPIRE:  # nft counts milliseconds
        mark = "!= " if negated else ""
        words = [Word(f"ct expiration {mark}{low}s-{high}s999ms") for low, high in values]
        if negated or len(words) == 1:
            return tuple(words)
        return (Either(tuple((word,) for word in words)),)
    if field is fields.CT_LABEL:
        words = [
            Word(f"ct label & {1 << bit} {'!=' if negated else '=='} {1 << bit}")
            for low, high in values
            for bit in range(low, high + 1)
        ]
        return (Neither((tuple(words),)),) if negated else tuple(words)
    if field is fields.MAC_SRC:
        if negated:
            return (Neither((in_state(field, values, known.copy(), declared, negated=False),)),)
        others = values.complement((1 << 48) - 1)
        mark, shown = ("!= ", others) if len(others.spans) < len(values.spans) else ("", values)
        return tuple(Word(f"ether saddr {mark}{text}") for text in macs(shown))
    raise KeyError(field)


def _connection_port(left: str, values: IntervalSet, known: Known, declared: Declared, *, negated: bool) -> Tests:
    """Return the test of a port of the connection.

    nft 1.0.6 reads one only beside a protocol, the packet's or the connection's, which of an ICMP error are not the same.
    """

    def of(number: int) -> Tests:
        return (Word(f"ct protocol {protocol(number)}"), *spans(f"ct {left}", values, declared, negated=negated))

    if known.protocol is not None:
        return spans(f"meta l4proto {protocol(known.protocol)} ct {left}", values, declared, negated=negated)
    own = ICMP if known.family == 4 else ICMPV6
    ways = [of(number) for number in _CT_NUMBERED if number not in {ICMP, ICMPV6} or number == own]
    if (0 in values) is not negated:  # other protocols have none, which reads as 0
        numbered = IntervalSet.of(*_CT_NUMBERED)
        ways.append(spans("ct protocol", numbered, declared, "inet_proto", negated=True))
    return (Either(tuple(ways)),)


def _named(field: Field, values: NameSet, known: Known, declared: Declared, *, negated: bool) -> Tests:
    if field in {fields.IIF, fields.OIF}:
        return _interface(field, values, negated=negated)
    if field is fields.CT_STATE:
        return _connection_state(values if not negated else ~values, known)
    if field is fields.CT_DIR:
        return _either("ct direction", (name.lower() for name in sorted(values.members)), negated=negated)
    if field is fields.CT_HELPER:
        if values.complement:
            raise NoForm("the test for any helper; nft asks for one by its name")
        found = _either("ct helper", (quoted(name, "helper name") for name in sorted(values.members)), negated=False)
        return (Neither((found,)),) if negated else found
    if field is fields.PKTTYPE:
        return _either("meta pkttype", (_PACKET_TYPES[name] for name in sorted(values.members)), negated=negated)
    if field in {fields.IPSEC_IN, fields.IPSEC_OUT}:
        left = "meta ipsec" if field is fields.IPSEC_IN else "rt ipsec"
        return (Word(f"{left} {'missing' if ('none' in values) is not negated else 'exists'}"),)
    if field in _TYPES:
        return _address_type(field, values.members, declared, negated=negated)
    if field in {fields.PHYSDEV_IN, fields.PHYSDEV_OUT}:
        raise NoForm("`-m physdev`; tables of the family ip know no bridge ports")
    raise KeyError(field)


def _either(left: str, names: object, *, negated: bool) -> Tests:
    assert hasattr(names, "__iter__")
    words = tuple(Word(f"{left} {'!= ' if negated else ''}{name}") for name in names)
    if negated or len(words) == 1:
        return words
    return (Either(tuple((word,) for word in words)),)


def _interface(field: Field, values: NameSet, *, negated: bool) -> Tests:
    left = f"{field.name}name"
    if values.complement:
        there = Word(f"meta {field.name} != 0")
        inner = _interface(field, ~values, negated=True)
        return (there, *inner) if not negated else (Neither(((there, *inner),)),)
    if "" in values.prefixes:
        return NEVER if negated else ()
    patterns = [*(f"{name[:-1]}\\*" if name.endswith("*") else name for name in sorted(values.members)),
                *(f"{prefix}*" for prefix in sorted(values.prefixes))]  # fmt: skip
    if not patterns:
        return () if negated else NEVER
    return _either(left, (interface(pattern) for pattern in patterns), negated=negated)


def _connection_state(values: NameSet, known: Known) -> Tests:
    """Return the test of the state; a packet that conntrack has not seen reads as invalid, here as in iptables."""
    chosen = [name for name in _STATES if name in values]
    if not chosen:
        return NEVER
    if len(chosen) == len(_STATES):
        return ()
    if frozenset(chosen) <= _ENTRY:
        if known.entry and frozenset(chosen) == _ENTRY:
            return ()
        known.entry = True
    return (Word(f"ct state {','.join(name.lower() for name in chosen)}"),)


def _address_type(field: Field, types: frozenset[str], declared: Declared, *, negated: bool) -> Tests:
    asked = _TYPES[field]
    if declared.family == 6:
        bits = [name for name in _BY_BITS if name in types]
        if bits and types != {bits[0]}:
            raise NoForm("`-m addrtype` with these types of IPv6 together")
        if bits:
            return of_addresses(f"ip6 {asked[:5]}", _BY_BITS[bits[0]], declared, negated=negated)
        if " . " in asked and types != {"LOCAL"}:  # ip6tables asks for a route by that interface, nft for any
            option = f"--limit-iface-{'in' if asked.endswith('iif') else 'out'}"
            raise NoForm(f"`-m addrtype {option}` with other types of IPv6 than LOCAL")
        if "UNREACHABLE" in types:  # ip6tables calls each route unreachable that does not lead on
            types |= {"BLACKHOLE", "PROHIBIT"}
    unknown = sorted(types - set(_FIB_TYPES))
    if unknown:
        raise NoForm(f"the address type {unknown[0]} of `-m addrtype`")
    names = [name.lower() for name in _FIB_TYPES if name in types]
    shown = names[0] if len(names) == 1 else f"{{ {', '.join(names)} }}"
    return (Word(f"fib {asked} type {'!= ' if negated else ''}{shown}"),)


def bits_of_state(field: Field, mask: int, value: int, known: Known, *, negated: bool) -> Tests:
    """Return the test of `Bits` or its negation. Raises KeyError for a field that is not of this kind."""
    left = _MASKED[field]
    if negated and (
        (field in _OF_ENTRY and not known.entry) or field in {fields.DEVGROUP_IN, fields.DEVGROUP_OUT, fields.REALM}
    ):
        return (Neither((bits_of_state(field, mask, value, known, negated=False),)),)
    equal = "!=" if negated else "=="
    if field is fields.CT_STATUS:
        if mask == value and mask in _STATUS:
            return (Word(f"ct status & {_STATUS[mask]} {equal} {_STATUS[mask]}"),)
        return (Word(f"ct status & {mask:#x} {equal} {value:#x}"),)
    if mask == _FULL:
        return (Word(f"{left} {'!= ' if negated else ''}{value:#x}"),)
    return (Word(f"{left} & {mask:#x} {equal} {value:#x}"),)
