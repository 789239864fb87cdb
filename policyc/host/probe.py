"""What of a packet an ipset looks at. A value of `policyc.host`."""

from __future__ import annotations

from policyc.frozen import frozen


@frozen
class Probe:
    """A packet as `-m set` and `-j SET` see it; None and "" where the packet has no such thing at that hook.

    `icmp` is type * 256 + code. `is_later_fragment`: the ports stand in an earlier packet.
    """

    family: int
    source: int
    destination: int
    protocol: int = 0
    sport: int | None = None
    dport: int | None = None
    icmp: int | None = None
    iif: str = ""
    oif: str = ""
    source_mac: int | None = None
    destination_mac: int | None = None
    mark: int = 0
    is_later_fragment: bool = False
