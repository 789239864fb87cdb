"""`explain --verify`: one packet through the simulator and through the real kernel, side by side.

Top of `policyc.kernel.replica`. What a replica is not: it has the host's interfaces as veth pairs, its neighbours always
answer, no program listens, and its connection table is empty.
"""

from __future__ import annotations

from policyc.explanation.answer import Explanation
from policyc.explanation.verification import Verification, agreed_steps, compare
from policyc.kernel.loading import Backend
from policyc.kernel.replica.machine import NotCarriedOut
from policyc.kernel.replica.observe import observe
from policyc.simulation.packet import Packet
from policyc.writers.set_members import members_text


def verify(explanation: Explanation, *, backend: Backend | str = Backend.NFT) -> Verification:
    """Send an explained packet for real through the same rules on a replica of its host, after those that passed before it.

    Raises NotPrivileged without root and MissingProgram; what a replica cannot show is the verification's `reason`.
    """
    way = explanation.way
    situation, packet = way.situation, way.sent
    outcomes = [one for one in (way, *(other.way for other in explanation.alternatives)) if one.sent is packet]
    ours = [one.trace.to_dict(0, one.packet, one.sent) for one in outcomes]
    if reason := _not_shown(packet):
        return Verification(ours[0], reason=reason)
    try:
        sets = members_text(situation.host.sets.values())
        kernel = observe(situation.ruleset, situation.host, sets, [*situation.before, packet], backend=backend)[-1]
    except NotCarriedOut as refused:
        return Verification(ours[0], reason=f"the kernel refuses it: {refused}")
    except ValueError as missing:
        return Verification(ours[0], reason=str(missing))
    found = [compare(each, kernel, drawn=bool(one.noted)) for each, one in zip(ours, outcomes, strict=True)]
    at = next((place for place, differences in enumerate(found) if not differences), 0)
    return Verification(ours[at], at - 1 if at else None, kernel, agreed_steps(ours[at], kernel), found[at])


def _not_shown(packet: Packet) -> str:
    """Return what of the packet no replica has, "" where it has all."""
    if packet.ct is not None or (packet.claimed is not None and packet.claimed[0] in {"ESTABLISHED", "RELATED"}):
        return "it belongs to a connection, and a replica begins without any"
    if not packet.outgoing and packet.iif == "lo":
        return "nothing comes in by `lo` but what this host sends; give the packet that it sends"
    return ""
