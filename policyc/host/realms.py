"""The realm of a packet's route, which `-m realm` and traffic control read. Part of `policyc.host`.

The lower 16 bits are the realm of the route that the packet takes, the upper 16 that of the route back to its source; what is
delivered here has the latter alone. IPv4 only. Sources: net/ipv4/route.c (rt_set_nexthop, set_class_tag, ip_route_input_slow),
net/ipv4/fib_frontend.c and include/net/ip_fib.h (fib_combine_itag).
"""

from __future__ import annotations

from policyc.host.arriving import Arriving
from policyc.host.decision import Decision
from policyc.host.departure import Departure
from policyc.host.fib import Failure, Fib
from policyc.host.host import RouteKind
from policyc.host.reverse_path import way_back

_LOWER, _UPPER = 0xFFFF, 0xFFFF0000


def realm_of_arrival(fib: Fib, packet: Arriving, decision: Decision) -> int:
    """Return the realm of a packet that came in, once it is routed; 0 where no route has one."""
    if not fib.has_realms or packet.family == 6 or packet.source == 0:
        return 0
    is_forwarded = decision.kind is RouteKind.UNICAST
    towards = packet.destination if is_forwarded or decision.kind is RouteKind.LOCAL else 0
    back = fib.lookup(way_back(fib, packet, towards, decision.device))
    tag = 0 if isinstance(back, Failure) else back.realm << 16 & _UPPER
    own = decision.route.realm if is_forwarded and decision.route is not None else 0
    return (own & _LOWER or tag & _LOWER) | (own & _UPPER or tag & _UPPER)


def realm_of_departure(way: Departure) -> int:
    """Return the realm of what this host sends; 0 where the route has none."""
    return way.route.realm if way.route is not None and way.kind is not RouteKind.BROADCAST else 0
