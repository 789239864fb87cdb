"""Tests of the fields that are in the packet itself: addresses, ports, types, flags, lengths.

Used by `predicates`. A positive test of nft fails where the header that it reads is not there; what a negative one says then
is settled here: `!=` fails too, so that it stands only where the header is known to be there.
"""

from __future__ import annotations

from collections.abc import Callable

from policyc.net.addresses import ALL_ONES, format_address
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import AH, DCCP, ESP, ICMP, ICMPV6, MOBILITY, SCTP, TCP, UDP, UDPLITE, WITH_PORTS
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.writers.nft.conditions import NEVER, Either, Known, Neither, NoForm, Tests, Word
from policyc.writers.nft.declared import Declared
from policyc.writers.nft.spelling import addresses, numbers, protocol

_IPV6_HEADER = 40
_FLAG_NAMES = ((1, "fin"), (2, "syn"), (4, "rst"), (8, "psh"), (16, "ack"), (32, "urg"), (64, "ecn"), (128, "cwr"))
_WITH_PORTS = {TCP: "tcp", UDP: "udp", UDPLITE: "udplite", SCTP: "sctp", DCCP: "dccp"}
_EXTENSIONS = {"hop": "hbh", "dst": "dst", "route": "rt", "frag": "frag"}
_EXTENSION_NAMES = {"auth": "an authentication header", "esp": "an ESP header", "none": "no next header"}


def spans(
    left: str,
    values: IntervalSet,
    declared: Declared,
    kind: str = "",
    *,
    negated: bool = False,
    form: str = "d",
    **more: int | bool | None,
) -> Tests:
    """Return the test of a number: one span inline, several in a named set where `kind` names its type."""
    texts = list(numbers(values, form))
    return _among(left, texts, declared, ("numbers" if kind != "inet_service" else "ports", kind), negated, more)


def of_addresses(left: str, values: IntervalSet, declared: Declared, *, negated: bool = False) -> Tests:
    """Return the test of an address."""
    texts = list(addresses(values, declared.family))
    return _among(left, texts, declared, ("addresses", declared.address), negated, {})


def _among(
    left: str,
    texts: list[str],
    declared: Declared,
    kind: tuple[str, str],
    negated: bool,
    more: dict[str, int | bool | None],
) -> Tests:
    mark = "!= " if negated else ""
    if not texts:
        return () if negated else NEVER
    if len(texts) == 1:
        return (Word(f"{left} {mark}{texts[0]}", **more),)  # type: ignore[arg-type]
    if kind[1] and declared.wants_set(kind[1], texts):
        return (Word(f"{left} {mark}{declared.constants(*kind, texts)}", **more),)  # type: ignore[arg-type]
    words = [(Word(f"{left} {mark}{text}", **more),) for text in texts]  # type: ignore[arg-type]
    return tuple(word for (word,) in words) if negated else (Either(tuple(words)),)


Test = Callable[[Field, IntervalSet, Known, Declared, bool], Tests | None]


def in_packet(field: Field, values: IntervalSet | NameSet, known: Known, declared: Declared, *, negated: bool) -> Tests:
    """Return the test of `In` or its negation. Raises KeyError for a field that is not in the packet, NoForm."""
    if isinstance(values, NameSet):
        return _named(field, values, known, negated=negated)
    made = _INTERVALS[field](field, values, known, declared, negated)
    if made is None:  # whether the field is there is not known
        positive = _INTERVALS[field](field, values, known.copy(), declared, False)
        assert positive is not None
        return (Neither((positive,)),)
    return made


def _address(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests:  # noqa: ARG001
    return of_addresses(f"{declared.ip} {field.name[0]}addr", values, declared, negated=negated)


def _protocol(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests:  # noqa: ARG001
    if values.size == 1:
        ((number, _),) = values.spans
        if known.protocols is not None:
            if not negated and known.protocols <= {number}:
                return ()
            if number not in known.protocols:
                return () if negated else NEVER
        if not negated:
            known.protocols = frozenset((number,))
            return (Word(f"meta l4proto {protocol(number)}", says=number),)
        return (Word(f"meta l4proto != {protocol(number)}"),)
    if not negated:
        found = frozenset(number for low, high in values for number in range(low, high + 1))
        if known.protocols is not None and known.protocols <= found:
            return ()
        known.protocols = found if known.protocols is None else known.protocols & found
    return spans("meta l4proto", values, declared, "inet_proto", negated=negated)


def _port(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:
    only = known.protocol
    if only in _WITH_PORTS:
        if negated and not known.whole:
            return None
        return _ports(f"{_WITH_PORTS[only]} {field.name}", values, known, declared, negated=negated, reads=only)
    if negated and not known.has(WITH_PORTS):
        return None
    before: Tests = ()
    if known.protocols is None or not known.protocols <= WITH_PORTS:
        with_ports = IntervalSet.of(*sorted(WITH_PORTS))
        before = _protocol(fields.PROTO, with_ports, known, declared, False)
    return before + _ports(f"th {field.name}", values, known, declared, negated=negated, reads=None)


def _ports(
    left: str, values: IntervalSet, known: Known, declared: Declared, *, negated: bool, reads: int | None
) -> Tests:
    """Return the test of a port.

    nft 1.0.6 makes one comparison of both ports, negated ones too: `sport != 80 dport != 80` would fail only where both are
    80. A set keeps the second one apart.
    """
    if negated and values.size == 1:
        if known.negated_port:
            name = declared.constants("ports", "inet_service", numbers(values))
            return (Word(f"{left} != {name}", reads=reads, of_transport=True),)
        known.negated_port = True
    return spans(left, values, declared, "inet_service", negated=negated, reads=reads, of_transport=True)


def _icmp(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:  # noqa: ARG001
    number, word = (ICMP, "icmp") if known.family == 4 else (ICMPV6, "icmpv6")
    if negated and not known.has((number,)):
        return None
    before: Tests = (
        () if known.protocol == number else _protocol(fields.PROTO, IntervalSet.of(number), known, declared, False)
    )

    def a_word(text: str) -> Word:
        return Word(f"{word} {text}", reads=number, of_transport=True)

    def not_of(low: int, high: int) -> Tests:
        kind, codes = low >> 8, _codes(low, high)
        if not codes:
            return (a_word(f"type != {kind}"),)
        return (Either(((a_word(f"type != {kind}"),), (a_word(f"type {kind}"), a_word(f"code != {codes}")))),)

    def of(low: int, high: int) -> Tests:
        codes = _codes(low, high)
        return (a_word(f"type {low >> 8}"), *([a_word(f"code {codes}")] if codes else []))

    found = [span for low, high in values for span in _by_type(low, high)]
    if negated:
        return before + tuple(test for span in found for test in not_of(*span))
    ways = tuple(of(*span) for span in found)
    return before + (ways[0] if len(ways) == 1 else (Either(ways),))


def _by_type(low: int, high: int) -> list[tuple[int, int]]:
    """Cut a span of types and codes so that each part has one type."""
    return [(max(low, kind << 8), min(high, kind << 8 | 255)) for kind in range(low >> 8, (high >> 8) + 1)]


def _codes(low: int, high: int) -> str:
    first, last = low & 255, high & 255
    if (first, last) == (0, 255):
        return ""
    return str(first) if first == last else f"{first}-{last}"


def _length(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests:  # noqa: ARG001
    if known.family == 6:  # nft reads what stands in the header: the bytes behind it
        values = IntervalSet.union_of((max(low - _IPV6_HEADER, 0), high - _IPV6_HEADER) for low, high in values)
    return spans(f"{declared.ip} length", values, declared, negated=negated)


def _ttl(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests:  # noqa: ARG001
    return spans("ip ttl" if known.family == 4 else "ip6 hoplimit", values, declared, negated=negated)


def _option(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:  # noqa: ARG001
    if negated and not known.has((TCP,)):
        return None
    state = "missing" if negated else "exists"
    words = tuple(
        Word(f"tcp option {number} {state}", reads=TCP)
        for low, high in values
        for number in range(low, high + 1)
    )  # fmt: skip
    if negated or len(words) == 1:
        return words
    return (Either(tuple((word,) for word in words)),)


def _segment_size(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:  # noqa: ARG001
    left = "tcp option maxseg size"
    if not negated:
        return spans(left, values, declared, reads=TCP)
    if not known.has((TCP,)):
        return None
    missing = Word("tcp option maxseg missing", reads=TCP)
    return (Either(((missing,), spans(left, values, declared, negated=True, reads=TCP))),)


def _spi(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:  # noqa: ARG001
    only = known.protocol
    if only not in {AH, ESP} or not known.whole:
        raise NoForm("an SPI behind IPv6 extension headers")
    word = "ah" if only == AH else "esp"
    return spans(f"{word} spi", values, declared, negated=negated, reads=only, of_transport=True)


def _dccp_type(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:  # noqa: ARG001
    if negated and not known.has((DCCP,)):
        return None
    return spans("dccp type", values, declared, negated=negated, reads=DCCP, of_transport=True)


def _mobility(field: Field, values: IntervalSet, known: Known, declared: Declared, negated: bool) -> Tests | None:  # noqa: ARG001
    if negated and not known.has((MOBILITY,)):
        return None
    return spans("mh type", values, declared, negated=negated)


_INTERVALS: dict[Field, Test] = {
    fields.SRC: _address, fields.DST: _address, fields.PROTO: _protocol, fields.SPORT: _port, fields.DPORT: _port,
    fields.ICMP: _icmp, fields.LENGTH: _length, fields.TTL: _ttl, fields.TCP_OPTION: _option,
    fields.TCP_MSS: _segment_size, fields.SPI: _spi, fields.DCCP_TYPE: _dccp_type, fields.MH_TYPE: _mobility,
}  # fmt: skip


def _named(field: Field, values: NameSet, known: Known, *, negated: bool) -> Tests:
    if field is fields.FRAG:
        return _fragment(values if not negated else ~values, known)
    if field is not fields.V6_HEADERS:
        raise KeyError(field)
    names = sorted(values.members)
    words = []
    for name in names:
        if name not in _EXTENSIONS:
            raise NoForm(
                f"the test for {_EXTENSION_NAMES.get(name, 'another header')}; nft asks for hbh, dst, rt and frag"
            )
        words.append(Word(f"exthdr {_EXTENSIONS[name]} {'missing' if negated else 'exists'}"))
    if negated or len(words) == 1:
        return tuple(words)
    return (Either(tuple((word,) for word in words)),)


def _fragment(values: NameSet, known: Known) -> Tests:
    there = frozenset(kind for kind in ("whole", "first", "later") if kind in values)
    if there >= {"whole", "first", "later"}:
        return ()
    if there == {"whole", "first"}:
        if known.whole:
            return ()
        known.whole = True
        return (_header(known),)
    if known.family == 6:
        raise NoForm("the test for IPv6 fragments")
    tests = {
        frozenset(("later",)): "& 0x1fff != 0", frozenset(("first",)): "& 0x3fff == 0x2000",
        frozenset(("whole",)): "& 0x3fff == 0", frozenset(("whole", "later")): "& 0x3fff != 0x2000",
        frozenset(("first", "later")): "& 0x3fff != 0",
    }  # fmt: skip
    return (Word(f"ip frag-off {tests[there]}"),) if there else NEVER


def _header(known: Known) -> Word:
    """Return the test that the transport header is there: what reads it fails for later fragments."""
    only = known.protocol
    if only in _WITH_PORTS:
        return Word(f"{_WITH_PORTS[only]} sport 0-65535", reads=only, needs_header=True, of_transport=True)
    if only in {ICMP, ICMPV6}:
        word = "icmp" if only == ICMP else "icmpv6"
        return Word(f"{word} type 0-255", reads=only, needs_header=True, of_transport=True)
    text = "ip frag-off & 0x1fff == 0" if known.family == 4 else "th sport 0-65535"
    return Word(text, needs_header=True)


def bits_in_packet(field: Field, mask: int, value: int, known: Known, declared: Declared, *, negated: bool) -> Tests:
    """Return the test of `Bits` or its negation. Raises KeyError for a field that is not in the packet."""
    equal = "!=" if negated else "=="
    if field in {fields.SRC, fields.DST}:
        left = f"{declared.ip} {field.name[0]}addr"
        return (Word(f"{left} & {format_address(mask & ALL_ONES[known.family], known.family)} {equal} "
                     f"{format_address(value, known.family)}"),)  # fmt: skip
    if field is fields.TOS:
        return (_traffic_class(mask, value, declared, equal),)
    if field is not fields.TCP_FLAGS:
        raise KeyError(field)
    if negated and not known.has((TCP,)):
        return (Neither((bits_in_packet(field, mask, value, known.copy(), declared, negated=False),)),)
    return (Word(f"tcp flags & {_flags(mask)} {equal} {_flags(value)}", reads=TCP, of_transport=True),)


def _flags(number: int) -> str:
    names = [name for bit, name in _FLAG_NAMES if number & bit]
    return "0x0" if not names else names[0] if len(names) == 1 else f"({' | '.join(names)})"


def _traffic_class(mask: int, value: int, declared: Declared, equal: str) -> Word:
    if mask == 0xFC:
        return Word(f"{declared.ip} dscp {'' if equal == '==' else '!= '}{value >> 2:#04x}")
    if mask == 3:
        return Word(f"{declared.ip} ecn {'' if equal == '==' else '!= '}{value}")
    if declared.family == 4:
        return Word(f"@nh,8,8 & {mask:#x} {equal} {value:#x}")
    return Word(f"@nh,0,16 & {mask << 4:#x} {equal} {value << 4:#x}")
