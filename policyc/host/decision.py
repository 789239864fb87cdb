"""What routing decides about a packet that came in, and why it drops one. A value of `policyc.host`."""

from __future__ import annotations

from enum import Enum

from policyc.frozen import frozen
from policyc.host.host import Route, RouteKind


class Drop(Enum):
    """Why routing drops a packet; the value is what a person reads."""

    MARTIAN_SOURCE = "its source address cannot come from outside (martian source)"
    MARTIAN_DESTINATION = "its destination address cannot come from outside (martian destination)"
    OWN_SOURCE = "its source is an address of this host"
    REVERSE_PATH = "an answer would leave by another interface (rp_filter)"
    NOT_JOINED = "no program of this host has joined the multicast group"
    NO_FORWARDING = "forwarding is off"
    NO_ROUTE = "there is no route to its destination"
    UNREACHABLE = "the route is `unreachable`"
    PROHIBIT = "the route is `prohibit`"
    BLACKHOLE = "the route is `blackhole`"
    GROUP_FRAME = "the frame was a broadcast or multicast, which is not forwarded"
    TIME_EXCEEDED = "its time to live ends here"
    TOO_BIG = "it is larger than the next link's MTU and must not be fragmented"
    SOURCE_SCOPE = "its source address is not valid beyond its link"


@frozen
class Decision:
    """Delivered here, forwarded, or dropped.

    `kind` is what the destination is: LOCAL, BROADCAST, MULTICAST, ANYCAST (delivered here), UNICAST (forwarded by `device`
    to `next_hop`). `drop` is set where the packet goes no further; `answer` is the ICMP (type, code) that its sender is sent
    for it then, None for silence.
    """

    kind: RouteKind
    route: Route | None = None
    device: str = ""
    next_hop: int = 0
    drop: Drop | None = None
    answer: tuple[int, int] | None = None

    @property
    def is_local(self) -> bool:
        """Whether the packet goes to INPUT."""
        return self.drop is None and self.kind is not RouteKind.UNICAST


def drop(why: Drop, answer: tuple[int, int] | None = None) -> Decision:
    """Return the decision that ends a packet's way."""
    return Decision(RouteKind.UNICAST, drop=why, answer=answer)
