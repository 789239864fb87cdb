"""An ipset as a named set of nft: the type of its elements, and its members with exceptions and overlaps settled.

Used by `set_tests`. Of networks ipset takes the most specific one that fits; a set of nft has no such order and refuses
overlaps, so that what decides is worked out here. Source: ipset(8), nft(8).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from policyc.frozen import frozen
from policyc.host.set_kinds import Part
from policyc.host.set_values import Entry, Key, MemberSet
from policyc.net.addresses import ALL_ONES, WIDTH
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import SCTP, TCP, UDP, UDPLITE
from policyc.writers.nft.conditions import NoForm
from policyc.writers.nft.declared import Declared, set_lines
from policyc.writers.nft.spelling import addresses, interface, protocol

_WITH_PORTS = frozenset((TCP, UDP, SCTP, UDPLITE))  # of which ipset reads ports
_TYPES = {
    Part.PORT: "inet_proto . inet_service", Part.PORT_ALONE: "inet_service", Part.MAC: "ether_addr", Part.MARK: "mark",
    Part.IFACE: "ifname",
}  # fmt: skip


@frozen
class SetWriter:
    """One set; `filled`: rules change it, too."""

    one: MemberSet
    declared: Declared
    filled: bool

    def lines(self) -> list[str]:
        """Return what stands between the braces of the set. Raises NoForm for what nft cannot hold."""
        parts = self.one.shape.parts
        kind = " . ".join(_TYPES.get(part, self.declared.address) for part in parts)
        flags = ["interval"] if {Part.NET, Part.IFACE} & set(parts) else []
        if self.filled:
            flags.append("dynamic")
        if self.one.timeout is not None:
            flags.append("timeout")
        settings = [f"size {self.one.size}"] if self.filled else []
        return set_lines(kind, flags, settings, list(self.elements()))

    def elements(self) -> Iterator[str]:
        """Yield the elements in the order of their members."""
        networks = [place for place, part in enumerate(self.one.shape.parts) if part is Part.NET]
        if not networks:
            for key, entry in self.one.entries.items():
                full = (*key, entry.mac) if self.one.kind == "bitmap:ip,mac" else key
                yield self._element(full) + self._timeout(entry)
        elif self.one.timeout is not None or self.filled:
            yield from self._as_they_are()
        else:
            yield from self._settled(networks)

    def _as_they_are(self) -> Iterator[str]:
        """Networks with a life of their own are not joined."""
        if any(entry.nomatch for entry in self.one.entries.values()):
            raise NoForm(f"the exceptions (nomatch) of the set `{self.one.name}`, whose members have timeouts")
        for key, entry in self.one.entries.items():
            yield self._element(key) + self._timeout(entry)

    @staticmethod
    def _timeout(entry: Entry) -> str:
        return "" if entry.timeout is None else f" timeout {entry.timeout}s"

    def _element(self, key: Key) -> str:
        words = []
        for part, value in zip(self.one.shape.parts, key, strict=True):
            span = self._span(value) if part is Part.NET else None
            words.append(self._word(part, value if span is None else IntervalSet((span,))))
        return " . ".join(words)

    def _word(self, part: Part, value: object) -> str:
        family = self.declared.family
        match part, value:
            case Part.NET, IntervalSet():
                return next(iter(addresses(value, family)))
            case Part.IP, int():
                return next(iter(addresses(IntervalSet.of(value), family)))
            case Part.PORT, (int() as number, int() as port):
                if number not in _WITH_PORTS:
                    raise NoForm(f"members of the protocol {protocol(number)} in the set `{self.one.name}`")
                return f"{protocol(number)} . {port}"
            case Part.MAC, int():
                return value.to_bytes(6).hex(":")
            case Part.MARK, int():
                return f"{value:#x}"
            case Part.PORT_ALONE, int():
                return str(value)
            case Part.IFACE, str():
                if value.startswith("physdev:"):
                    raise NoForm(f"bridge ports in the set `{self.one.name}`")
                return interface(value)
        raise NoForm(f"a member of the set `{self.one.name}` without its address")

    def _span(self, value: object) -> tuple[int, int]:
        assert isinstance(value, tuple)
        address, length = value
        rest = ALL_ONES[self.declared.family] >> length if length < WIDTH[self.declared.family] else 0
        return address, address | rest

    # ------------------------------------------------------------------ networks
    def _settled(self, places: list[int]) -> Iterator[str]:
        """Yield elements that do not overlap and hold what the set matches."""
        if Part.IFACE in self.one.shape.parts:
            groups = self._by_interface()
        elif len(places) == 1:
            groups = self._by_the_rest(places[0])
        else:
            yield from self._pairs(*places)
            return
        for rest, networks in groups.items():
            for text in addresses(networks, self.declared.family):
                words = [self._word(part, value) for part, value in zip(self._others(places), rest, strict=True)]
                words.insert(places[0], text)
                yield " . ".join(words)

    def _others(self, places: list[int]) -> list[Part]:
        return [part for place, part in enumerate(self.one.shape.parts) if place not in places]

    def _by_the_rest(self, place: int) -> dict[Key, IntervalSet]:
        groups: dict[Key, list[tuple[int, tuple[int, int], bool]]] = {}
        for key, entry in self.one.entries.items():
            network = key[place]
            assert isinstance(network, tuple)
            found = groups.setdefault((*key[:place], *key[place + 1 :]), [])
            found.append((network[1], self._span(network), entry.nomatch))
        return {rest: _most_specific_first(found) for rest, found in groups.items()}

    def _by_interface(self) -> dict[Key, IntervalSet]:
        """Return the networks of each interface; the most specific one decides, even where it stands with others only."""
        if any(entry.nomatch for entry in self.one.entries.values()):
            raise NoForm(f"the exceptions (nomatch) of the set `{self.one.name}` of networks with interfaces")
        spans = {key[0]: self._span(key[0]) for key in self.one.entries}
        groups: dict[Key, IntervalSet] = {}
        for (network, name), entry in self.one.entries.items():
            assert isinstance(network, tuple)
            longer = (span for other, span in spans.items() if isinstance(other, tuple) and other[1] > network[1])
            own = IntervalSet((spans[network],)) - IntervalSet.union_of(longer)
            rest = (f"{name}*" if entry.wildcard else name,)
            groups[rest] = groups.get(rest, IntervalSet()) | own
        return groups

    def _pairs(self, first: int, second: int) -> Iterator[str]:
        """Cut the first networks where any of them begins or ends, and join the second ones of each cut."""
        if any(entry.nomatch for entry in self.one.entries.values()):
            raise NoForm(f"the exceptions (nomatch) of the set `{self.one.name}` of pairs of networks")
        groups: dict[Key, list[tuple[tuple[int, int], tuple[int, int]]]] = {}
        for key in self.one.entries:
            rest = tuple(value for place, value in enumerate(key) if place not in {first, second})
            groups.setdefault(rest, []).append((self._span(key[first]), self._span(key[second])))
        for rest, boxes in groups.items():
            cuts = sorted({low for (low, _), _ in boxes} | {high + 1 for (_, high), _ in boxes})
            for low, after in pairwise(cuts):
                fitting = IntervalSet.union_of(
                    other for (start, end), other in boxes if start <= low and end >= after - 1
                )
                words = [
                    self._word(part, value) for part, value in zip(self._others([first, second]), rest, strict=True)
                ]
                for text in addresses(fitting, self.declared.family):
                    (left,) = addresses(IntervalSet.of((low, after - 1)), self.declared.family)
                    yield " . ".join((left, *words, text))


def _most_specific_first(entries: list[tuple[int, tuple[int, int], bool]]) -> IntervalSet:
    """Return the addresses whose most specific network is no exception."""
    inside, decided = IntervalSet(), IntervalSet()
    for _, span, nomatch in sorted(entries, key=lambda one: -one[0]):
        new = IntervalSet((span,)) - decided
        decided |= new
        if not nomatch:
            inside |= new
    return inside
