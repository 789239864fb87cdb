"""`explain --verify`: one packet through the simulator and through the real kernel, side by side.

Top of `policyc.kernel.replica`. What a replica is not: it has the host's interfaces as veth pairs, its neighbours always
answer, no program listens, and its connection table is empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policyc.host.host import Host
from policyc.kernel.loading import Backend
from policyc.kernel.replica.compare import Difference, agreed_steps, compare
from policyc.kernel.replica.machine import NotCarriedOut
from policyc.kernel.replica.observe import observe
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.packet import Packet
from policyc.simulation.state import State
from policyc.simulation.trace import UNSUPPORTED
from policyc.simulation.walk import Simulation
from policyc.writers.set_members import members_text


@dataclass(frozen=True, slots=True)
class Verification:
    """What the simulator said of a packet and what the kernel did, both in the form of `policyc.api.replay`.

    `agreed` of the kernel's `visible` steps (rules that matched, and policies) are ours too, in order. `kernel` is None where
    the packet could not be sent, and `reason` says why; `reason` is also there where the simulator could not decide.
    """

    ours: Mapping[str, Any]
    kernel: Mapping[str, Any] | None = None
    agreed: int = 0
    visible: int = 0
    differences: tuple[Difference, ...] = ()
    reason: str = ""

    @property
    def agrees(self) -> bool:
        """Whether the kernel was asked and did what we said."""
        return self.kernel is not None and not self.differences and not self.reason


def verify(ruleset: Ruleset, host: Host, packet: Packet, *, backend: Backend | str = Backend.NFT) -> Verification:
    """Walk a packet, then send it for real through the same rules on a replica of the host.

    Raises NotPrivileged without root and MissingProgram; what a replica cannot show is the verification's `reason`.
    """
    walked = packet.copy()
    ours = Simulation(ruleset, State.of(host)).walk(walked).to_dict(0, walked, packet)
    if reason := _not_shown(packet):
        return Verification(ours, reason=reason)
    try:
        (kernel,) = observe(ruleset, host, members_text(host.sets.values()), [packet], backend=backend)
    except NotCarriedOut as refused:
        return Verification(ours, reason=f"the kernel refuses it: {refused}")
    except ValueError as missing:
        return Verification(ours, reason=str(missing))
    agreed, visible = agreed_steps(ours, kernel), len(kernel["trace"])
    if ours["verdict"] == UNSUPPORTED:
        return Verification(ours, kernel, agreed, visible, reason=f"the simulator cannot decide: {ours['reason']}")
    return Verification(ours, kernel, agreed, visible, compare(ours, kernel))


def _not_shown(packet: Packet) -> str:
    """Return what of the packet no replica has, "" where it has all."""
    if packet.ct is not None or (packet.claimed is not None and packet.claimed[0] in {"ESTABLISHED", "RELATED"}):
        return "it belongs to a connection, and a replica begins without any"
    if not packet.outgoing and packet.iif == "lo":
        return "nothing comes in by `lo` but what this host sends; give the packet that it sends"
    return ""
