"""A first packet out of a set of packets: as the sentence that `explain` takes, and sent through the simulator.

Part of `explanation`. What a walk with sets says is told to nobody before the packet that shows it was seen to do so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from policyc.analysis.classes import NumberClasses
from policyc.analysis.diagrams import EMPTY
from policyc.analysis.opening import Arrival, Opening
from policyc.analysis.opening import Way as End
from policyc.analysis.points import Point, lowest, usual_packets
from policyc.analysis.space import Space
from policyc.diagnostics import InputError
from policyc.explanation.defaults import CLIENT_PORT, WEB_PORT
from policyc.explanation.explain import choice_text, that_matter
from policyc.explanation.outcomes import Situation, Way, differing, outcomes
from policyc.explanation.placing import Placement, Placing
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import ICMP, ICMPV6, TCP, WITH_PORTS
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import In, Predicate, any_of
from policyc.netfilter.question import Question
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.field_text import field_text
from policyc.simulation.packet import SYN
from policyc.simulation.view import PacketView

MOST_TRIES = 24
"""Packets that are sent for one answer before it is given up."""
# What is written where rules and questions leave the choice (RFC 5737, RFC 3849).
_OUTSIDE = {4: parse_address("203.0.113.9", 4), 6: parse_address("2001:db8:9::9", 6)}
_TARGET = {4: parse_address("198.51.100.1", 4), 6: parse_address("2001:db8:1::1", 6)}
_USUAL_LENGTH, _USUAL_TTL = 60, 64
_ROOT = 0


@frozen
class Witness:
    """A packet that was seen to do what an answer says. `sentence` is what `explain` takes; `beside` is what it cannot say.

    `conditions` are those that had to be chosen, in words; `assumptions` is what else was taken for granted.
    """

    sentence: str
    beside: tuple[str, ...]
    way: Way
    conditions: tuple[str, ...]
    assumptions: tuple[str, ...]


def told_apart(family: int) -> Predicate:
    """Return a predicate that mentions the values which a witness has where nothing else asks for one."""
    addresses = (In(fields.SRC, IntervalSet.of(one[family])) for one in (_OUTSIDE, _TARGET))
    ports = (In(fields.SPORT, IntervalSet.of(one)) for one in (CLIENT_PORT, WEB_PORT))
    return any_of(*addresses, *ports)


@dataclass(slots=True)
class Witnesses:
    """Looks for packets in the pieces of one walk; `fits` says of a way whether it is what the answer says."""

    ruleset: Ruleset
    host: Host | None
    walk: Opening
    fits: Callable[[Way], bool]

    def first(self, arrivals: Iterable[Arrival]) -> Witness | None:
        """Return a packet that was seen to do what the sets say, without conditions if there is one; None for none."""
        found: Witness | None = None
        tries = 0
        for arrival in sorted(arrivals, key=self._oddness):
            for headers in self._headers(arrival):
                witness = self._sent(headers)
                if witness is not None and not witness.conditions:
                    return witness
                found = found or witness
                tries += 1
                if tries >= MOST_TRIES:
                    return found
        return found

    def _oddness(self, arrival: Arrival) -> int:
        """Return how far packets of a piece are from what one would think of first."""
        space, region = self.walk.rules.space, arrival.piece.region
        both = space.diagrams.both
        is_new = both(region, space.name(fields.CT_STATE, "NEW")) != EMPTY
        outside = space.values(fields.SRC, IntervalSet.of(_OUTSIDE[space.family]))
        return 2 * (not is_new) + (both(region, outside) == EMPTY)

    # ------------------------------------------------------------------ sending
    def _sent(self, headers: Headers) -> Witness | None:
        try:
            placements = Placing(self.ruleset, self.host).place(Question(headers))
        except InputError:
            return None  # nothing says where it would come in or leave
        for placement in placements:
            found = outcomes(Situation(self.ruleset, placement.host), placement.packet)
            for way in (found.first, *found.others):
                if self.fits(way):
                    hangs = any(not self.fits(other) for other in (found.first, *found.others)) or not found.complete
                    return _witness(headers, placement, way, found.first if hangs else way, hangs=hangs)
        return None

    # ------------------------------------------------------------------ packets
    def _headers(self, arrival: Arrival) -> Iterator[Headers]:
        space = self.walk.rules.space
        wishes = (*self._wishes(arrival), *usual_packets(space))
        point = lowest(space, arrival.piece.region, wishes)
        if point is None:
            return
        headers = _headers_of(point, sent=arrival.sent)
        headers = replace(
            headers, src=_likely(space, fields.SRC, headers.src), dst=_likely(space, fields.DST, headers.dst)
        )
        device = point.get(fields.OIF) or ""
        if self.host is not None or not device:
            yield headers
        elif arrival.way is End.FORWARDED and not arrival.piece.now.touches(space.levels(fields.DST)):
            yield replace(headers, exit=device)
            yield headers
        elif arrival.sent:
            yield replace(headers, exit=device)
        else:
            yield headers

    def _wishes(self, arrival: Arrival) -> Iterator[int]:
        """Yield what a packet should be, the most important first."""
        space, where, family = self.walk.rules.space, self.walk.rules.where, self.walk.rules.family
        yield where(self.walk.around.back)
        yield space.name(fields.CT_STATE, "NEW")
        if fields.PKTTYPE in space.columns:
            yield space.name(fields.PKTTYPE, "unicast")
        for each in (fields.PHYSDEV_IN, fields.PHYSDEV_OUT):
            if each in space.columns:
                yield space.lacking(each)
        yield from _plain(space, sent=arrival.sent)
        yield space.values(fields.SRC, IntervalSet.of(_OUTSIDE[family]))
        yield space.values(fields.DST, IntervalSet.of(_TARGET[family]))
        yield space.values(fields.PROTO, IntervalSet.of(TCP))
        yield space.values(fields.SPORT, IntervalSet.of(CLIENT_PORT))
        yield space.values(fields.DPORT, IntervalSet.of(WEB_PORT))


def _plain(space: Space, *, sent: bool) -> Iterator[int]:
    """Yield that fields which a sentence cannot say are as they usually are."""
    if sent:
        for each in (fields.UID, fields.GID):
            if each in space.columns:
                yield space.values(each, IntervalSet.of(_ROOT))
    for each, usual in ((fields.LENGTH, _USUAL_LENGTH), (fields.TTL, _USUAL_TTL)):
        if each in space.columns:
            yield space.values(each, IntervalSet.of(usual))
    for each in (fields.TOS, fields.MARK):
        if each in space.columns:
            yield space.bits(each, (1 << each.bits) - 1, 0)


def _likely(space: Space, field: Field, address: int) -> int:
    """Return an address that no rule tells from another, and that is not the first of its network."""
    classes = space.columns[field].classes
    assert isinstance(classes, NumberClasses)
    low, high = classes.values(classes.of(address))
    if address != low or low & 0xFF:
        return address
    return next((low + step for step in (9, 1) if low + step <= high), low)


def _headers_of(point: Point, *, sent: bool) -> Headers:
    """Return the packet as somebody would describe it: what is as usual is not said."""
    get = point.get
    proto = get(fields.PROTO, TCP)
    state = get(fields.CT_STATE)
    ports = proto in WITH_PORTS
    flags = get(fields.TCP_FLAGS) if proto == TCP else None
    length, ttl = get(fields.LENGTH), get(fields.TTL)
    return Headers(
        point.family, get(fields.SRC), get(fields.DST), proto,
        get(fields.SPORT) if ports else None, get(fields.DPORT) if ports else None,
        flags=None if flags == SYN and state != "INVALID" else flags,
        mss=get(fields.TCP_MSS) if proto == TCP else None,
        icmp=get(fields.ICMP, 8 << 8 if proto == ICMP else 128 << 8) if proto in {ICMP, ICMPV6} else None,
        spi=get(fields.SPI),
        ttl=None if ttl == _USUAL_TTL else ttl,
        tos=get(fields.TOS) or None,
        length=None if length == _USUAL_LENGTH else length,
        mac_src=None if sent else get(fields.MAC_SRC),
        entry="" if sent else get(fields.IIF) or "",
        local=sent,
        state="INVALID" if state == "INVALID" else "",
        mark=(get(fields.MARK) or None) if sent else None,
        uid=get(fields.UID) if sent else None,
        gid=get(fields.GID) if sent else None,
    )  # fmt: skip


def _witness(headers: Headers, placement: Placement, way: Way, first: Way, *, hangs: bool) -> Witness:
    chosen = [choice_text(choice) for choice in differing(first, way)]
    if hangs and not chosen:
        chosen = [choice_text(choice) for choice in way.choices if not choice.counted]
    assumed = dict.fromkeys((*placement.assumptions, *that_matter(placement, way), *way.noted))
    return Witness(_sentence(headers, way), tuple(_beside(headers)), way, tuple(dict.fromkeys(chosen)), tuple(assumed))


def _sentence(headers: Headers, way: Way) -> str:
    """Return the packet as the command line takes it."""
    view = PacketView.of(way.sent)
    proto = view.proto
    words = [
        view.protocol if proto in WITH_PORTS | {ICMP, ICMPV6} else f"proto/{proto}",
        view.source,
        "->",
        view.destination,
    ]
    if headers.entry:
        words += ["in", headers.entry]
    if headers.local or headers.exit:
        words += ["out", *filter(None, (headers.exit,))]
    if headers.flags is not None:
        words += ["flags", field_text(fields.TCP_FLAGS, headers.flags, view.family, proto)]
    if headers.state:
        words += ["state", headers.state.lower()]
    if headers.mark:
        words += ["mark", hex(headers.mark)]
    if headers.ttl is not None:
        words += ["ttl", str(headers.ttl)]
    return " ".join(words)


def _beside(headers: Headers) -> Iterator[str]:
    """Yield what a sentence has no word for."""
    if headers.uid:
        yield f"user {headers.uid} sends it"
    if headers.gid:
        yield f"its sender is of group {headers.gid}"
    if headers.mac_src is not None:
        yield f"its MAC address is {field_text(fields.MAC_SRC, headers.mac_src, headers.family, headers.proto or 0)}"
    for value, text in ((headers.tos, "TOS"), (headers.length, "length"), (headers.mss, "MSS"), (headers.spi, "SPI")):
        if value is not None:
            yield f"its {text} is {value}"
