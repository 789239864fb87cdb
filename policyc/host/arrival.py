"""What routing decides about a packet that came in: the door to both families. Part of `policyc.host`."""

from __future__ import annotations

from policyc.host.arrival_v4 import arrive_v4
from policyc.host.arrival_v6 import arrive_v6
from policyc.host.arriving import Arriving
from policyc.host.decision import Decision
from policyc.host.fib import Fib


def arrive(fib: Fib, packet: Arriving) -> Decision:
    """Return what becomes of a packet after PREROUTING: delivered here, forwarded by a device, or dropped with a reason."""
    return arrive_v6(fib, packet) if packet.family == 6 else arrive_v4(fib, packet)
