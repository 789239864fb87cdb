"""Long chains: covers found on bitmaps are those that diagrams find, and each of them is one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from policyc import api
from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.flat import FlatRun
from policyc.analysis.rules import FamilyRules

SOURCES = ("-s 10.0.0.0/8", "-s 10.0.0.0/9", "-s 10.128.0.0/9", "-s 10.1.2.3/32", "! -s 10.0.0.0/9", "! -s 10.1.2.3/32")
TARGETS = ("-d 192.0.2.0/25", "-d 192.0.2.128/25", "-d 192.0.2.0/24")
WAYS = ("-i eth0", "-i eth+", "! -i eth0", "-i eth1")
SERVICES = (
    "-p tcp", "-p udp", "! -p tcp", "-p tcp -m tcp --dport 22", "-p tcp -m tcp --dport 0:1023", "-p tcp -m tcp --dport 1024:65535",
    "-p tcp -m multiport --dports 22,80", "-p tcp -m tcp ! --dport 22", "-p tcp -m tcp --sport 1024:65535 --dport 80",
)  # fmt: skip
STATES = ("-m conntrack --ctstate NEW", "-m conntrack --ctstate ESTABLISHED,RELATED", "-m conntrack ! --ctstate NEW")
OTHERS = ("-m mark --mark 0x1", "-m mark ! --mark 0x1", "-m limit --limit 1/sec", '-m string --string "x" --algo bm')
VERDICTS = ("ACCEPT", "DROP", "RETURN", "LOG")


def maybe(*words: str) -> st.SearchStrategy[str]:
    return st.just("") | st.sampled_from(words)


parts = (maybe(*SOURCES), maybe(*TARGETS), maybe(*WAYS), maybe(*SERVICES), maybe(*STATES), maybe(*OTHERS))
rules = st.builds(lambda verdict, *words: " ".join((*words, "-j", verdict)), st.sampled_from(VERDICTS), *parts)


@settings(max_examples=300, deadline=None)
@given(st.lists(rules, min_size=2, max_size=25))
def test_bitmaps_find_the_covers_that_diagrams_find(texts: list[str]) -> None:
    lines = "\n".join(f"-A FORWARD {text}" for text in texts)
    ruleset = api.load(f"*filter\n:FORWARD DROP [0:0]\n{lines}\nCOMMIT\n", name="random.rules")
    (table,) = ruleset.tables
    family = FamilyRules(ruleset, 4)
    sets = TableSets(family, table)
    sets.run("FORWARD", ALL)
    steps, diagrams = sets.steps("FORWARD"), family.space.diagrams
    run = FlatRun(family, table.chains[0].rules)
    dead = {
        place for place, step in enumerate(steps) if step.possible != EMPTY and not sets.is_reached("FORWARD", place)
    }
    assert set(run.covered) == dead
    for place, causes in run.covered.items():
        assert max(causes) < place
        taken = diagrams.any_of(steps[cause].certain for cause in causes)
        assert diagrams.is_within(steps[place].possible, taken)
