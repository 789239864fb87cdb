"""The two sides of a pair as kernel tests, by hook: what `filter wan -> self` asks of a packet before its block.

What can be asked differs: the outgoing interface is not known in PREROUTING, the incoming one not in POSTROUTING.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.lowering.distinct import distinct_addresses, distinct_interfaces
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.tests import Tests
from policyc.net.addresses import parse_network
from policyc.netfilter.hooks import Hook
from policyc.policy.defined import SELF, Side, Zone
from policyc.policy.model import Pair
from policyc.policy.values import AddressItem

NEAR_SOURCES: dict[int, tuple[AddressItem, ...]] = {
    4: tuple(parse_network(text, 4) for text in ("0.0.0.0/32", "169.254.0.0/16")),
    6: tuple(parse_network(text, 6) for text in ("::/128", "fe80::/10")),
}
"""Unspecified and link-local: what a host of the zone sends from while it has no other address (DHCP, ND).

Multicast and broadcast are no source: the kernel drops such a packet before INPUT."""
NEAR_TARGETS: dict[int, tuple[AddressItem, ...]] = {
    4: tuple(parse_network(text, 4) for text in ("169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32")),
    6: tuple(parse_network(text, 6) for text in ("fe80::/10", "ff00::/8")),
}
"""Link-local, multicast and broadcast: what this host sends to on the link. Nothing is sent to the unspecified address."""

TO_SELF, NOT_TO_SELF = "-m addrtype --dst-type LOCAL", "-m addrtype ! --dst-type LOCAL"
FROM_SELF, NOT_FROM_SELF = "-m addrtype --src-type LOCAL", "-m addrtype ! --src-type LOCAL"


def side_tests(pieces: Pieces, pair: Pair) -> Tests:
    """Return what a packet of that pair must be, in the pair's hook."""
    tests = Tests()
    source, target, hook = pair.source, pair.target, pair.hook
    if hook is Hook.POSTROUTING:
        if isinstance(source, Zone):
            tests.one_of(zone_tests(pieces, source, "-s"))
        else:
            tests.common.extend(pieces.read(FROM_SELF if source is SELF else NOT_FROM_SELF))
    elif isinstance(source, Zone):
        tests.one_of(zone_tests(pieces, source, "-s", "-i", NEAR_SOURCES if target is SELF else None))
    if hook is Hook.PREROUTING:
        if isinstance(target, Zone):
            tests.one_of(zone_tests(pieces, target, "-d"))
        tests.common.extend(pieces.read(TO_SELF if target is SELF else NOT_TO_SELF))
    elif isinstance(target, Zone):
        tests.one_of(zone_tests(pieces, target, "-d", "-o", NEAR_TARGETS if source is SELF else None))
    return tests


def source_tests(pieces: Pieces, side: Side) -> list[Parts]:
    """Return the tests of a forwarded packet that comes in from a side."""
    return zone_tests(pieces, side, "-s", "-i") if isinstance(side, Zone) else [()]


def target_tests(pieces: Pieces, side: Side) -> list[Parts]:
    """Return the tests of a packet that goes out to a side."""
    return zone_tests(pieces, side, "-d", "-o") if isinstance(side, Zone) else [()]


def has_family(side: Side, family: int) -> bool:
    """Whether a side has packets of a family; a zone of networks has those of its networks only."""
    return not isinstance(side, Zone) or side.families is None or family in side.families


def zone_tests(
    pieces: Pieces,
    zone: Zone,
    address: str,
    interface: str = "",
    near: dict[int, tuple[AddressItem, ...]] | None = None,
) -> list[Parts]:
    """Return the alternatives that make a packet one of a zone: its networks behind `address` (`-s`, `-d`), its interfaces.

    Without `interface` only the networks are asked. `near` are addresses that count as inside behind an interface.
    """
    family = pieces.family
    networks: Sequence[AddressItem] = [item for item in zone.networks if item.family == family]
    patterns = distinct_interfaces(zone.interfaces) if interface else ()
    if near and networks and patterns:
        networks = (*networks, *near[family])
    addresses = [pieces.address(address, item) for item in distinct_addresses(networks)] or [()]
    names = [pieces.interface(interface, pattern) for pattern in patterns] or [()]
    return [(*where, *which) for which in names for where in addresses]
