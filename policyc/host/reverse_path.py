"""Whether a source address belongs where its packet came in: the kernel's own check and `-m rpfilter`. Part of `policyc.host`.

Sources: net/ipv4/fib_frontend.c (fib_validate_source), net/ipv4/netfilter/ipt_rpfilter.c, net/ipv6/netfilter/ip6t_rpfilter.c.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from policyc.host.arriving import Arriving
from policyc.host.fib import Failure, Fib, Flow
from policyc.host.host import RouteKind
from policyc.host.ipv4_kinds import LIMITED_BROADCAST, is_link_group
from policyc.host.ipv4_kinds import is_multicast as is_multicast_v4
from policyc.host.ipv6_kinds import is_link_local, is_multicast


class Suspicion(Enum):
    """What is wrong with a source address."""

    INVALID = "no host can have it"
    OWN = "it is an address of this host"
    REVERSE_PATH = "an answer would leave by another interface"


def suspicion(fib: Fib, packet: Arriving, towards: int, oif: str) -> Suspicion | None:
    """Return what the kernel holds against an IPv4 packet's source, None where it accepts it.

    `towards` is the destination, 0 for broadcasts and multicasts; `oif` is "" for what is delivered here.
    """
    iif = packet.iif
    settings = fib.settings(iif)
    hairpin = iif == oif and settings.redirects
    if not settings.rp_filter and not fib.has_realms and not hairpin:
        if settings.accept_local:
            return None
        if not (fib.has_local_routes or fib.has_rules):
            return Suspicion.OWN if fib.owner(packet.source, 4) else None
    found = fib.lookup(way_back(fib, packet, towards, oif))
    if isinstance(found, Failure):
        return Suspicion.REVERSE_PATH if settings.rp_filter else None
    if found.kind is not RouteKind.UNICAST:
        if found.kind is not RouteKind.LOCAL:
            return Suspicion.INVALID
        if not settings.accept_local:
            return Suspicion.OWN
    if found.device == iif or (found.kind is RouteKind.LOCAL and iif == "lo"):
        return None
    interface = fib.host.interface(iif)
    has_address = interface is not None and any(one.family == 4 for one in interface.addresses)
    strict = settings.rp_filter == 1 or (settings.rp_filter and not has_address)
    return Suspicion.REVERSE_PATH if strict else None


def way_back(fib: Fib, packet: Arriving, towards: int, oif: str) -> Flow:
    """Return what the kernel looks up the route to an IPv4 packet's source with; parameters as for `suspicion`."""
    mark = packet.mark if fib.settings(packet.iif).valid_mark else 0
    return Flow(
        4, packet.source, towards, oif or "lo", "", mark, packet.tos, packet.protocol, packet.dport, packet.sport
    )


def passes_rpfilter(fib: Fib, packet: Arriving, words: Collection[str] = ()) -> bool:
    """Whether `-m rpfilter` without `--invert` matches; `words` are those of loose, validmark, accept-local that were given."""
    if packet.iif == "lo":
        return True
    mark = packet.mark if "validmark" in words else 0
    if packet.family == 6:
        return _passes_ipv6(fib, packet, mark, words)
    source, destination = packet.source, packet.destination
    if source == 0 and (destination == LIMITED_BROADCAST or is_link_group(destination)):
        return True
    is_group = is_multicast_v4(destination) or destination == LIMITED_BROADCAST
    found = fib.lookup(Flow(4, source, 0 if is_group else destination, "lo", "", mark, packet.tos))
    if isinstance(found, Failure):
        return False
    if found.kind is not RouteKind.UNICAST and not (found.kind is RouteKind.LOCAL and "accept-local" in words):
        return False
    return found.device == packet.iif or "loose" in words


def _passes_ipv6(fib: Fib, packet: Arriving, mark: int, words: Collection[str]) -> bool:
    source = packet.source
    if source == 0:
        return True
    oif = packet.iif if is_link_local(source) or "loose" not in words else ""
    towards = 0 if is_multicast(packet.destination) else packet.destination
    found = fib.lookup_by_device(Flow(6, source, towards, "lo", oif, mark))
    if isinstance(found, Failure) or found.kind is RouteKind.ANYCAST:
        return False
    if found.kind is RouteKind.LOCAL:
        return "accept-local" in words
    return found.device == packet.iif or "loose" in words
