"""From any state of a table to any goal: the text leads there, foreign rules keep their order, and going there again is nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policyc.netfilter.goal import Jump, Part, arranged, is_jump_to, part_of, without
from policyc.netfilter.saved import SavedChain, SavedTable
from policyc.netfilter.saved_changes import Kind, saved_changes
from policyc.readers.saved import saved_tables
from policyc.writers.saved import saved_text
from policyc.writers.towards import towards

KEY = (4, "filter")
OWNED = ("e.a", "e.b", "e.input")
BASE = ("INPUT", "FORWARD")

others = st.sampled_from(
    ("-s 192.0.2.1/32 -j DROP", "-j f2b", "-i lo -j ACCEPT", '-m comment --comment "-j e.a" -j LOG', "")
)
jumps = st.sampled_from(tuple(f"-j {name}" for name in OWNED))
mixed = st.lists(st.one_of(others, others, jumps), max_size=6)


@st.composite
def tables(draw: st.DrawFn) -> SavedTable:
    own = draw(st.sets(st.sampled_from(OWNED)))
    chains = {name: SavedChain("", tuple(draw(st.lists(others, max_size=3)))) for name in ("f2b", *sorted(own))}
    for name in BASE:
        rules = [rule for rule in draw(mixed) if not is_jump_to(rule, OWNED) or is_jump_to(rule, own)]
        chains[name] = SavedChain(draw(st.sampled_from(("ACCEPT", "DROP"))), tuple(rules))
    return SavedTable(*KEY, chains)


@st.composite
def goals(draw: st.DrawFn) -> Part:
    names = sorted(draw(st.sets(st.sampled_from(OWNED))))
    chains = tuple((name, tuple(draw(st.lists(others, max_size=3)))) for name in names)
    places = st.one_of(st.none(), st.integers(0, 4))
    wanted = draw(st.lists(st.tuples(st.sampled_from(BASE), places), max_size=3)) if names else []
    made = sorted(
        (Jump(chain, names[0], behind) for chain, behind in wanted),
        key=lambda one: 99 if one.behind is None else one.behind,
    )
    return Part(*KEY, OWNED, chains, tuple(made))


def loaded(table: SavedTable, text: str) -> SavedTable:
    """What iptables-restore --noflush makes of a text: the four commands that we write."""
    chains = {name: (chain.policy, list(chain.rules)) for name, chain in table.chains.items()}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word.startswith(":"):
            chains[word[1:]] = ("", [])
        elif word == "-A":
            name, _, rule = rest.partition(" ")
            chains[name][1].append(rule)
        elif word == "-D":
            name, _, rule = rest.partition(" ")
            chains[name][1].remove(rule)
        elif word == "-I":
            name, number, rule = rest.split(" ", 2)
            assert 1 <= int(number) <= len(chains[name][1]) + 1
            chains[name][1].insert(int(number) - 1, rule)
        elif word == "-X":
            assert not chains[rest][1]
            assert not any(f"-j {rest}" == rule for _, rules in chains.values() for rule in rules)
            del chains[rest]
    return SavedTable(*KEY, {name: SavedChain(policy, tuple(rules)) for name, (policy, rules) in chains.items()})


@given(tables(), goals())
def test_the_text_leads_there(table: SavedTable, goal: Part) -> None:
    after = loaded(table, towards({KEY: table}, goal))
    assert dict(part_of({KEY: after}, KEY, OWNED).chains) == dict(goal.chains)
    for name in BASE:
        mine = [jump for jump in goal.jumps if jump.chain == name]
        assert after.chains[name].rules == arranged(table.chains[name].rules, mine, OWNED)
        assert sum(is_jump_to(rule, OWNED) for rule in after.chains[name].rules) == len(mine)
    assert without(after, OWNED).same_as(without(table, OWNED))
    assert towards({KEY: after}, goal) == ""


@given(tables(), goals())
def test_and_back(table: SavedTable, goal: Part) -> None:
    back = part_of({KEY: table}, KEY, OWNED)
    after = loaded(table, towards({KEY: table}, goal))
    assert loaded(after, towards({KEY: after}, back)).same_as(table)


@given(tables())
def test_a_table_is_printed_and_read(table: SavedTable) -> None:
    assert saved_tables(saved_text({KEY: table}, 4), 4)[KEY].same_as(table)


@given(tables(), tables())
def test_what_differs_explains_the_difference(before: SavedTable, after: SavedTable) -> None:
    found = saved_changes({KEY: before}, {KEY: after}, [(*KEY, name) for name in OWNED])
    for name in {*before.chains, *after.chains}:
        old, new = (table.chains.get(name, SavedChain()) for table in (before, after))
        mine = [one for one in found if one.chain == name and one.number]
        gone = [one.number for one in mine if one.kind is Kind.REMOVED] + [
            one.was for one in mine if one.kind is Kind.MOVED
        ]
        rules = [rule for number, rule in enumerate(old.rules, 1) if number not in gone]
        for one in sorted((one for one in mine if one.kind is not Kind.REMOVED), key=lambda one: one.number):
            rules.insert(one.number - 1, one.text)
        assert tuple(rules) == new.rules
    assert not saved_changes({KEY: before}, {KEY: before}, [])
