"""Whether a source address belongs where its packet came in: the kernel's own check and `-m rpfilter`. Part of `policyc.host`.

Sources: net/ipv4/fib_frontend.c (fib_validate_source), net/ipv4/netfilter/ipt_rpfilter.c, net/ipv6/netfilter/ip6t_rpfilter.c.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum

from policyc.host.fib import Failure, Fib, Flow
from policyc.host.host import RouteKind
from policyc.host.ipv6_kinds import is_link_local, is_multicast

ANY_PORTS = (0, 0, 0)


class Suspicion(Enum):
    """What is wrong with a source address."""

    INVALID = "no host can have it"
    OWN = "it is an address of this host"
    REVERSE_PATH = "an answer would leave by another interface"


def suspicion(
    fib: Fib,
    iif: str,
    source: int,
    destination: int,
    oif: str,
    tos: int,
    mark: int,
    header: tuple[int, int, int] = ANY_PORTS,
) -> Suspicion | None:
    """Return what the kernel holds against an IPv4 source, None where it accepts it.

    `destination` is 0 for broadcasts and multicasts, `oif` "" for what is delivered here. `header` is (protocol, source
    port, destination port), which only routing rules about ports read.
    """
    settings = fib.settings(iif)
    hairpin = iif == oif and settings.redirects
    if not settings.rp_filter and not fib.has_realms and not hairpin:
        if settings.accept_local:
            return None
        if not (fib.has_local_routes or fib.has_rules):
            return Suspicion.OWN if fib.host.owner(source, 4) else None
    protocol, sport, dport = header
    mark = mark if settings.valid_mark else 0
    flow = Flow(4, source, destination, oif or "lo", "", mark, tos, protocol, dport, sport)
    found = fib.lookup(flow)
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


def passes_rpfilter(
    fib: Fib, family: int, iif: str, source: int, destination: int, tos: int, mark: int, words: Collection[str] = ()
) -> bool:
    """Whether `-m rpfilter` without `--invert` matches; `words` are those of loose, validmark, accept-local that were given."""
    if iif == "lo":
        return True
    mark = mark if "validmark" in words else 0
    if family == 6:
        return _passes_ipv6(fib, iif, source, destination, mark, words)
    is_group = destination >> 28 == 0xE or destination == 0xFFFFFFFF
    if source == 0 and (destination == 0xFFFFFFFF or destination >> 8 == 0xE00000):
        return True
    found = fib.lookup(Flow(4, source, 0 if is_group else destination, "lo", "", mark, tos))
    if isinstance(found, Failure):
        return False
    if found.kind is not RouteKind.UNICAST and not (found.kind is RouteKind.LOCAL and "accept-local" in words):
        return False
    return found.device == iif or "loose" in words


def _passes_ipv6(fib: Fib, iif: str, source: int, destination: int, mark: int, words: Collection[str]) -> bool:
    if source == 0:
        return True
    strict = is_link_local(source)
    oif = iif if strict or "loose" not in words else ""
    towards = None if is_multicast(destination) or destination == 0 else destination
    found = fib.lookup(Flow(6, source, 0 if towards is None else towards, "lo", oif, mark))
    if isinstance(found, Failure) or found.kind is RouteKind.ANYCAST:
        return False
    if found.kind is RouteKind.LOCAL:
        return "accept-local" in words
    return found.device == iif or "loose" in words
