"""What routing reads of a packet that came in. A value of `policyc.host`."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.host.fib import Flow


@frozen
class Arriving:
    """Its header fields as PREROUTING left them. `frame` is its packet type; `dont_fragment` is IPv4's DF."""

    family: int
    iif: str
    source: int
    destination: int
    protocol: int = 0
    mark: int = 0
    tos: int = 0
    sport: int = 0
    dport: int = 0
    ttl: int = 64
    frame: str = "unicast"
    length: int = 0
    dont_fragment: bool = False

    @property
    def flow(self) -> Flow:
        """What the packet's own route is looked up for."""
        return Flow(
            self.family,
            self.destination,
            self.source,
            self.iif,
            "",
            self.mark,
            self.tos,
            self.protocol,
            self.sport,
            self.dport,
        )
