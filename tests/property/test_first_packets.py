"""First packets as sets against the simulator: where a walk with all packets says that they end, they end.

Random hosts with random rules, and what the kernel was seen to do where the recordings are there.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyc.analysis.diagrams import EMPTY
from policyc.analysis.opening import Arrival, Asked, Opening
from policyc.analysis.points import Point, lowest, packet_of
from policyc.analysis.rules import FamilyRules
from policyc.analysis.surroundings import of_host
from policyc.host.address_types import address_types
from policyc.host.host import Host
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.fields import IN_PACKET, Domain, Field
from policyc.netfilter.predicate import Bits, In, Predicate, all_of, any_of
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.tested import Side, Towards
from policyc.readers.topology import host_of_topology
from policyc.simulation.packet import Packet
from policyc.simulation.readings import reader_of
from policyc.simulation.recorded import described
from policyc.simulation.replay import ruleset_of
from policyc.simulation.state import State
from policyc.simulation.trace import DELIVERED, KERNEL_DROP, UNSUPPORTED, Trace
from policyc.simulation.walk import Simulation

sys.path.append(str(Path(__file__).parents[1] / "kernel"))
from random_cases import random_case  # the generators stand beside the tests that load them into a kernel

SHARED = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[3] / "shared"))
RECORDED = sorted((SHARED / "truth" / "kernel" / "cases").glob("*.json.gz"))
ANYWHERE = Side(here=True, away=True)


SET_VALUED = frozenset((fields.TCP_OPTION, fields.V6_HEADERS, fields.SCTP_CHUNKS, fields.DCCP_OPTION))
READ: tuple[Field, ...] = (
    *(each for each in IN_PACKET if each not in SET_VALUED),
    fields.IIF, fields.MAC_SRC, fields.PKTTYPE, fields.PHYSDEV_IN, fields.UID, fields.GID,
)  # fmt: skip


def only(packet: Packet, state: State) -> Predicate:
    """Return what holds for a packet before its first hook, and for no other that a rule tells from it.

    Lists of headers, options and chunks are left out: what tests them may go either way.
    """
    tests: list[Predicate] = []
    for each in (*READ, *((fields.MARK,) if packet.outgoing else ())):
        value = reader_of(each, state)(packet)
        if value is None:
            continue
        if each.domain is Domain.NAMES:
            tests.append(In(each, NameSet.of(value)))
        elif each.domain is Domain.BITS:
            tests.append(Bits(each, (1 << each.bits) - 1, value))
        else:
            tests.append(In(each, IntervalSet.of(value)))
    return all_of(*tests)


def first_packets(case: dict[str, Any], host: Host, ruleset: Ruleset) -> Iterator[tuple[int, Packet, Packet, Trace]]:
    """Yield number, packet as sent, packet at its end and its trace, of those that begin something and whose fate rules decide."""
    recorded = "expect" in case
    for number, fresh, packet, _ in described(case["packets"], host):
        if (recorded and not fresh) or (packet.claimed or ("",))[0] in {"ESTABLISHED", "RELATED"}:
            continue
        sent = packet.copy()
        trace = Simulation(ruleset, State.of(host)).walk(packet)
        if (
            packet.ct_state in {"ESTABLISHED", "RELATED"}
            or trace.verdict in {UNSUPPORTED, KERNEL_DROP}
            or trace.also_local
        ):
            continue
        yield number, sent, packet, trace


def ends(ruleset: Ruleset, host: Host, sent: Packet, state: str) -> set[str]:
    """Return where the walk with sets says that one packet may end."""
    around = of_host(host, sent.family)
    states = frozenset((state,)) & {"NEW", "INVALID"} or frozenset(("NEW", "INVALID"))
    source = Side(here=sent.outgoing, away=not sent.outgoing)
    asked = Asked(Towards(sent.family, source, ANYWHERE, entering=only(sent, State.of(host))), states, from_own=False)
    rules = FamilyRules(ruleset, sent.family, asked=any_of(asked.all_tests, around.all_facts))
    walk = Opening(rules, asked, around)
    walk.run()
    return {one.way.value for one in (*walk.arrived, *walk.lost)}


def wrong(case: dict[str, Any]) -> Iterator[str]:
    """Yield the packets of a case that end elsewhere than the sets say."""
    ruleset, host = ruleset_of(case), host_of_topology(case["topology"], case.get("ipsets"), case.get("family"))
    fib = State.of(host).fib
    for number, sent, packet, trace in first_packets(case, host, ruleset):
        seen = trace.verdict if trace.verdict in DELIVERED else "LOST"
        if seen == "LOST" and not address_types(fib, sent.family, sent.dst) & {"LOCAL", "UNICAST"}:
            continue  # what is lost of packets to many is not asked about
        found = ends(ruleset, host, sent, packet.ct_state)
        if seen not in found:
            yield f"packet {number} is {trace.verdict}, the sets say {sorted(found)}"


@pytest.mark.parametrize("seed", range(40))
def test_random_rules(seed: int) -> None:
    assert list(wrong(random_case(seed, legacy=False))) == []


@pytest.mark.skipif(not RECORDED, reason="the recordings are not beside this checkout")
@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.name)
def test_recorded_packets(file: Path) -> None:
    cases = json.loads(gzip.decompress(file.read_bytes()))["cases"]
    assert [f"{case['id']}: {text}" for case in cases[::3] for text in wrong(case)] == []


def sampled(walk: Opening, arrival: Arrival, draw: random.Random) -> Point | None:
    """Return some packet of a piece: the values of all fields that the piece leaves open are drawn."""
    space = walk.rules.space
    region = arrival.piece.region
    levels = sorted(level for column in space.columns.values() for level in column.all_levels)
    draw.shuffle(levels)
    for level in levels[: draw.randrange(len(levels) + 1)]:
        variable = space.diagrams.variable(level) ^ draw.randrange(2)
        narrower = space.diagrams.both(region, variable)
        region = region if narrower == EMPTY else narrower
    return lowest(space, region)


def as_it_enters(point: Point, arrival: Arrival) -> Packet:
    packet = packet_of(point)
    packet.ct, packet.ct_state, packet.oif = None, "none", None
    packet.claimed = ("INVALID", False) if point.get(fields.CT_STATE) == "INVALID" else None
    packet.outgoing = arrival.sent
    if arrival.sent:
        packet.iif = None
    else:
        packet.mark, packet.uid, packet.gid = 0, None, None
    return packet


@pytest.mark.parametrize("seed", range(40))
def test_packets_of_a_piece_end_where_it_says(seed: int) -> None:
    """Of pieces in which nothing was left open, every packet does what the piece says, unless the kernel itself drops it."""
    case, draw = random_case(seed, legacy=False), random.Random(seed)
    ruleset, host = ruleset_of(case), host_of_topology(case["topology"], case.get("ipsets"), case.get("family"))
    family = case["family"]
    around = of_host(host, family)
    asked = Asked(Towards(family, ANYWHERE, ANYWHERE))
    rules = FamilyRules(ruleset, family, asked=any_of(asked.all_tests, around.all_facts))
    walk = Opening(rules, asked, around)
    walk.run()
    sure = [one for one in walk.arrived if not one.piece.now.free and not rules.space.all_conditions]
    for arrival in sure:
        for _ in range(4):
            point = sampled(walk, arrival, draw)
            assert point is not None
            if point.get(fields.IPSEC_IN) not in {None, "none"}:
                continue  # nothing here takes packets out of a tunnel
            packet = as_it_enters(point, arrival)
            if not address_types(State.of(host).fib, family, packet.dst) <= {"LOCAL", "UNICAST"}:
                continue  # how this host sends to many depends on more than routes
            trace = Simulation(ruleset, State.of(host)).walk(packet)
            assert trace.verdict in {arrival.way.value, KERNEL_DROP, UNSUPPORTED}, (arrival.way, trace.steps, point)
