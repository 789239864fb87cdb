"""What is around the rules when all packets are asked about: which addresses are this host's, which way leads where.

Part of `policyc.analysis`: as predicates, so that the walk takes them like tests of rules. Without a host they say what holds
on every host.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.host.fib import Fib
from policyc.host.host import LOCAL, Host, Route, RouteKind
from policyc.net.addresses import ALL_ONES, Network
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import ALWAYS, In, Predicate, all_of, any_of, negate

_MULTICAST = {4: IntervalSet.of((0xE0 << 24, (0xF0 << 24) - 1)), 6: IntervalSet.of((0xFF << 120, (1 << 128) - 1))}
_LOOPBACK = {4: IntervalSet.of((127 << 24, (128 << 24) - 1)), 6: IntervalSet.of(1)}
_BROADCAST = IntervalSet.of(0, (1 << 32) - 1)  # to everybody on the link, whatever the networks


@frozen
class Surroundings:
    """What holds for packets, as far as it is known.

    `kinds` says of which kind their addresses are, `here` which are for this host, to it alone or to many. `onward` holds for
    one that leaves, `entries` for one that is forwarded, `arriving` for one that comes in: no host lets in its own addresses,
    unless it is told to. `back` holds where an answer would leave by where the packet came in. `own` are the addresses of
    this host.
    """

    kinds: Predicate
    here: Predicate
    onward: Predicate = ALWAYS
    entries: Predicate = ALWAYS
    arriving: Predicate = ALWAYS
    back: Predicate = ALWAYS
    own: IntervalSet = IntervalSet()

    @property
    def all_facts(self) -> Predicate:
        """A predicate that mentions every value which these tell apart."""
        own = In(fields.DST, self.own | IntervalSet.of(1, 127 << 24 | 1))
        return any_of(
            negate(self.kinds),
            negate(self.here),
            negate(self.onward),
            negate(self.entries),
            In(fields.DST, self.own),
            own,
        )


def anywhere(family: int, own: Iterable[Network] = (), foreign: Iterable[int] = ()) -> Surroundings:
    """Return what holds on every host that has the addresses `own` and, whatever else it has, none of `foreign`."""
    mine = IntervalSet.of(*(one.address for one in own if one.family == family))
    others = IntervalSet.of(*foreign) - mine - _LOOPBACK[family]
    facts = [
        fact
        for address, kind in ((fields.SRC, fields.SRC_TYPE), (fields.DST, fields.DST_TYPE))
        for fact in (
            *_groups(family, address, kind),
            _implies(In(address, _LOOPBACK[family] | mine), _is(kind, "LOCAL")),
            _implies(In(address, others), negate(_is(kind, "LOCAL"))),
        )
    ]
    here = In(fields.DST_TYPE, NameSet.of("LOCAL", "BROADCAST", "MULTICAST", "ANYCAST"))
    return Surroundings(all_of(*facts), here, arriving=negate(_is(fields.SRC_TYPE, "LOCAL")), own=mine)


def of_host(host: Host, family: int) -> Surroundings:
    """Return what holds on a host. Of several tables of routes that rules choose from, each may be the one."""
    local = _kinds_of_local(host, family)
    own = local.get("LOCAL", IntervalSet())
    facts: list[Predicate] = []
    for address, kind in ((fields.SRC, fields.SRC_TYPE), (fields.DST, fields.DST_TYPE)):
        facts += _groups(family, address, kind)
        names = ("LOCAL", "BROADCAST", "ANYCAST") if family == 4 else ("LOCAL",)
        for name in names:
            values = local.get(name, IntervalSet())
            if name == "BROADCAST":
                values |= _BROADCAST
            facts += [_implies(In(address, values), _is(kind, name)), _implies(_is(kind, name), In(address, values))]
    fib = Fib(host)
    names_of = [one.name for one in host.interfaces]
    forwarding = [
        name for name in names_of if (fib.settings(name).forwarding if family == 4 else host.sysctls.forwards(6, name))
    ]
    here = _MULTICAST[family] | (_BROADCAST if family == 4 else IntervalSet())
    for values in local.values():
        here |= values
    entries = In(fields.IIF, NameSet.of(*forwarding))
    onward, back = _ways(host, family), _ways(host, family, back=True)
    return Surroundings(all_of(*facts), In(fields.DST, here), onward, entries, back=back, own=own)


def _groups(family: int, address: Field, kind: Field) -> list[Predicate]:
    """Return which addresses are of groups: what every host agrees on."""
    many = In(address, _MULTICAST[family])
    found = [_implies(many, _is(kind, "MULTICAST")), _implies(_is(kind, "MULTICAST"), many)]
    if family == 4:
        found.append(_implies(In(address, _BROADCAST), _is(kind, "BROADCAST")))
        found.append(In(kind, NameSet.of("UNICAST", "LOCAL", "BROADCAST", "MULTICAST", "ANYCAST")))
    else:
        found.append(_implies(many, negate(_is(kind, "LOCAL"))))
    return found


def _is(kind: Field, name: str) -> Predicate:
    return In(kind, NameSet.of(name))


def _implies(one: Predicate, other: Predicate) -> Predicate:
    return any_of(negate(one), other)


def _span(network: Network) -> tuple[int, int]:
    return network.address, network.address | (network.mask ^ ALL_ONES[network.family])


def _usable(host: Host, family: int) -> list[Route]:
    down = {one.name for one in host.interfaces if not one.up}
    routes = [
        route for route in host.routes
        if route.family == family and (route.device not in down or (family == 4 and route.kind is RouteKind.LOCAL))
    ]  # fmt: skip
    return sorted(routes, key=lambda route: -route.prefix)


def _kinds_of_local(host: Host, family: int) -> dict[str, IntervalSet]:
    """Return the addresses of each kind in the local table, the longest prefix first."""
    found: defaultdict[str, IntervalSet] = defaultdict(IntervalSet)
    taken = IntervalSet()
    for route in _usable(host, family):
        if route.table == LOCAL:
            span = IntervalSet.of(_span(route.destination))
            found[route.kind.name] |= span - taken
            taken |= span
    return found


def _ways(host: Host, family: int, *, back: bool = False) -> Predicate:
    """Return which destinations leave by which interface in some table; `back`: the same of where a packet came from."""
    by_device: defaultdict[str, IntervalSet] = defaultdict(IntervalSet)
    usable = _usable(host, family)
    for table in sorted({route.table for route in usable} - {LOCAL}):
        taken = IntervalSet()
        level: list[tuple[int, IntervalSet]] = []
        for route in (one for one in usable if one.table == table):
            while level and level[0][0] > route.prefix:  # equal prefixes: each may be the one that is taken
                taken |= level.pop(0)[1]
            span = IntervalSet.of(_span(route.destination))
            if route.kind is RouteKind.UNICAST:
                by_device[route.device] |= span - taken
            if not route.tos and route.destination.address >> 118 != 0xFE80 >> 6:  # these are asked for by interface
                level.append((route.prefix, span))
    address, device = (fields.SRC, fields.IIF) if back else (fields.DST, fields.OIF)
    ways = (all_of(In(address, values), In(device, NameSet.of(name))) for name, values in by_device.items())
    return any_of(*ways)
