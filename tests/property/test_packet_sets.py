"""Sets of packets against the simulator: what a rule matches, what a table does with a packet, which rules never match."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from policyc import api
from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.points import Point, lowest, packet_of, point_of, usual_packets
from policyc.analysis.rules import FamilyRules
from policyc.host.host import Host
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.counters import Counters
from policyc.simulation.evaluate import compiled
from policyc.simulation.rules import CompiledTable
from policyc.simulation.state import State
from policyc.simulation.trace import Step

TESTS = (
    *("-s 10.0.0.0/8", "! -s 10.1.0.0/16", "-s 10.1.2.3/32", "-d 10.1.0.0/16", "-d 10.1.0.1/255.255.3.255", "-d 192.0.2.1/32"),
    *("-i eth0", "! -i eth+", "-i lo", "-o eth1", "! -o eth1"),
    *("-p tcp", "! -p udp", "-p icmp -m icmp --icmp-type 8", "-p icmp -m icmp ! --icmp-type 3/4"),
    *("-p tcp -m tcp --dport 22", "-p tcp -m tcp ! --dport 22", "-p udp -m udp --sport 1000:2000 --dport 53"),
    *("-p tcp -m multiport --dports 22,80,1000:2000", "-p tcp -m multiport ! --ports 80,443"),
    *("-p tcp -m tcp --syn", "-p tcp -m tcp ! --tcp-flags ACK,FIN FIN", "-p tcp -m tcp --tcp-option 8"),
    *("-m mark --mark 0x1/0x3", "-m mark ! --mark 0x2", "-m connmark ! --mark 0x1/0x1"),
    *("-m conntrack --ctstate NEW,ESTABLISHED", "-m conntrack ! --ctstate INVALID", "-m conntrack --ctstate DNAT"),
    *("-m conntrack --ctorigdst 10.1.2.3/32", "-m conntrack ! --ctorigdstport 80", "-m conntrack --ctdir REPLY"),
    *("-m iprange --src-range 10.1.0.0-10.1.2.255", "-m mac --mac-source 02:00:00:00:00:01", "-m length --length 100:200"),
    *("-m ttl --ttl-lt 5", "-m tos --tos 0x10/0x3f", "-m owner --uid-owner 1000", "-m owner ! --uid-owner 0"),
    *("-m pkttype --pkt-type multicast", "-m dscp ! --dscp 0x0a", "-p tcp -m tcpmss --mss 500:1400"),
    '-m string --string "x" --algo bm',
)  # fmt: skip
TARGETS = (
    "ACCEPT", "DROP", "RETURN", "LOG", "REJECT", "MARK --set-xmark 0x1/0x1", "MARK --set-xmark 0x2/0x0",
    "CONNMARK --save-mark --nfmask 0x3 --ctmask 0x3", "CONNMARK --restore-mark --nfmask 0x1 --ctmask 0x1", "one", "two",
)  # fmt: skip
ORDINARY = tuple(test for test in TESTS if "owner" not in test)

rule = st.builds(lambda tests, target: " ".join((*tests, f"-j {target}")), st.lists(st.sampled_from(ORDINARY), max_size=2, unique_by=lambda t: t.removeprefix("! ").split()[0]), st.sampled_from(TARGETS))  # fmt: skip
gotos = st.builds(lambda test, chain: f"{test} -g {chain}", st.sampled_from(ORDINARY), st.just("two"))


def loaded(base: list[str], one: list[str], two: list[str]) -> Ruleset:
    """Return a table with two user chains, the first of which may call the second."""
    lines = ["*mangle", ":FORWARD DROP [0:0]", ":one - [0:0]", ":two - [0:0]"]
    lines += [f"-A FORWARD {text}" for text in base]
    lines += [f"-A one {text}" for text in one if "-j one" not in text]
    lines += [f"-A two {text}" for text in two if not text.endswith(("one", "two"))]
    text = "\n".join(line.replace("-j REJECT", "-j DROP") for line in [*lines, "COMMIT", ""])
    return api.load(text, name="random.rules")


def simulated(ruleset: Ruleset, point: Point) -> tuple[str, list[Step]]:
    """Return what the simulator does with a packet in the table, the unknown conditions as the point has them."""
    state = State.of(Host(()))
    state.assumptions = point.conditions
    steps: list[Step] = []
    outcome = CompiledTable(ruleset.tables[0], state, Counters(state)).run("FORWARD", packet_of(point), steps)
    return outcome.kind, steps


def is_member(rules: FamilyRules, edge: int, codes: dict[int, int]) -> bool:
    return rules.space.diagrams.with_values(edge, codes) == ALL


def codes_for(rules: FamilyRules, data: st.DataObject) -> dict[int, int]:
    """Draw a packet that a forwarding host may see: in and out by interfaces, with a state."""
    levels = sorted(level for column in rules.space.columns.values() for level in column.all_levels)
    levels += sorted(rules.space.all_conditions.values())
    number = data.draw(st.integers(0, (1 << len(levels)) - 1))
    return {level: number >> place & 1 for place, level in enumerate(levels)}


@given(st.lists(st.sampled_from(TESTS), min_size=1, max_size=4), st.data())
@settings(deadline=None, max_examples=150)
def test_a_rule_matches_just_the_packets_of_its_set(tests: list[str], data: st.DataObject) -> None:
    lines = "\n".join(f"-A POSTROUTING {test} -j ACCEPT" for test in tests if "-i " not in test and "mac" not in test)
    ruleset = api.load(f"*mangle\n:POSTROUTING ACCEPT [0:0]\n{lines}\nCOMMIT\n", name="random.rules")
    rules = FamilyRules(ruleset, 4)
    state = State.of(Host(()))
    steps = [rules.step(one) for _, _, _, one in ruleset.rules()]
    for _ in range(8):
        codes = codes_for(rules, data)
        point = point_of(rules.space, codes)
        state.assumptions = point.conditions
        for (_, _, _, one), step in zip(ruleset.rules(), steps, strict=True):
            holds = compiled(one.predicate(4), state, Counters(state).test)(packet_of(point))
            assert is_member(rules, step.possible, codes) == holds, (one.text, point)


@given(st.lists(rule | gotos, max_size=5), st.lists(rule, max_size=3), st.lists(rule, max_size=3), st.data())
@settings(deadline=None, max_examples=150)
def test_a_table_does_with_a_packet_what_the_simulator_does(base: list[str], one: list[str], two: list[str], data: st.DataObject) -> None:  # fmt: skip
    ruleset = loaded(base, one, two)
    rules = FamilyRules(ruleset, 4)
    table = TableSets(rules, ruleset.tables[0])
    for chain in ("FORWARD", "one", "two"):
        table.steps(chain)  # now every condition has its variable
    for _ in range(4):
        codes = codes_for(rules, data)
        levels = rules.space.diagrams
        exactly = levels.all_of(levels.variable(level) ^ 1 - value for level, value in codes.items())
        endings = TableSets(rules, ruleset.tables[0]).run("FORWARD", exactly)
        kind, _ = simulated(ruleset, point_of(rules.space, codes))
        assert {ending.kind for ending in endings} == {kind}
    table.run("FORWARD", ALL)
    wishes = usual_packets(rules.space)
    for chain in ("FORWARD", "one", "two"):
        for place, step in enumerate(table.steps(chain)):
            reaching = table.reaching(chain, place)
            if reaching == EMPTY:
                codes = codes_for(rules, data)
                assert (chain, place + 1) not in {
                    (s.chain, s.rule) for s in simulated(ruleset, point_of(rules.space, codes))[1]
                }
            elif not any(map(table.is_changing, ("FORWARD", "one", "two"))):
                point = lowest(rules.space, reaching, wishes)
                assert point is not None
                assert (chain, place + 1) in {(s.chain, s.rule) for s in simulated(ruleset, point)[1]}, step
