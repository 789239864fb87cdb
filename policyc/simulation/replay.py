"""A recorded case is answered: its packets in order, with the connections that they make. What `api.replay` asks.

Top of `policyc.simulation`. A case says what `docs/api.md` names: topology, rules of both families, ipsets, packets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyc.netfilter.ruleset import Ruleset
from policyc.readers.joining import joined
from policyc.readers.save import read_save
from policyc.readers.topology import host_of_topology
from policyc.simulation.recorded import adopt, described
from policyc.simulation.state import State
from policyc.simulation.trace import UNSUPPORTED
from policyc.simulation.walk import Simulation
from policyc.source import Source


def replay(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one verdict for each packet of a case, in order; raises InputError for what cannot be read.

    Before a packet that is `fresh` connections and `recent` lists are emptied. Where a case gives `conntrack`, those are the
    connections before the packet, and `ctstate` is what its state must be; else both follow from the packets before. After
    a packet whose fate is unknown, so is that of the packets that build on it, and what rules have counted.
    """
    ruleset, host = ruleset_of(case), host_of_topology(case.get("topology", {}), case.get("ipsets"), case.get("family"))
    state = State.of(host)
    simulation = Simulation(ruleset, state)
    verdicts: list[dict[str, Any]] = []
    lost = ""
    for number, fresh, packet, connections in described(case.get("packets"), host):
        if fresh:
            state.forget_connections()
            lost = ""
        if connections is not None:
            adopt(state.connections, connections)
            lost = ""
        if lost:
            verdicts.append({"n": number, "verdict": UNSUPPORTED, "reason": lost, "trace": []})
            continue
        sent = packet.copy()
        trace = simulation.walk(packet)
        if trace.verdict == UNSUPPORTED:
            state.miscounted = True
            lost = f"what packet {number} left behind is unknown: {trace.reason}"
        verdicts.append(trace.to_dict(number, packet, sent))
    return verdicts


def ruleset_of(case: Mapping[str, Any]) -> Ruleset:
    """Return both families' tables."""
    found = [
        read_save(Source(f"rules_v{family}", text), family)
        for family in (4, 6)
        if (text := case.get(f"rules_v{family}"))
    ]  # fmt: skip
    return joined(found)
