"""From a Ruleset to goals: what each table shall hold, given what is there and what of it is ours.

Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from policyc.kernel.apply.change import Made
from policyc.netfilter.chain_names import entry_name
from policyc.netfilter.goal import Goal, Jump, Part, Whole, base_chains
from policyc.netfilter.hooks import HOOK_OF, is_base_chain
from policyc.netfilter.own_part import own_part
from policyc.netfilter.ruleset import Chain, Ruleset, Table
from policyc.netfilter.saved import Key, Saved, table_of
from policyc.writers.save import table_text

DOCKER, DOCKER_USER = "DOCKER", "DOCKER-USER"


def goals_of(ruleset: Ruleset, present: Saved, made: Made) -> list[Goal]:
    """Return the goals of a ruleset; what was ours and is not part of it any more is to be gone."""
    if ruleset.shared:
        return _shared(ruleset, present, made)
    wholes: list[Goal] = [Whole(table.family, table.name, table_text(table)) for table in ruleset.tables]
    keys = {goal.key for goal in wholes}
    return _in_order([*wholes, *_emptied(made, keys), *_removed(present, made, keys)])


def nothing(present: Saved, made: Made) -> list[Goal]:
    """Return the goals that leave nothing of ours."""
    return _in_order([*_emptied(made, set()), *_removed(present, made, set(made.tables))])


def again(goal: Goal, present: Saved) -> Goal:
    """Return a goal of an earlier run of the machine as it fits now: Docker may not have made its chain yet, or has."""
    if not isinstance(goal, Part):
        return goal
    in_docker = [jump for jump in goal.jumps if jump.chain == DOCKER_USER]
    if in_docker and table_of(present, goal.key).chain(DOCKER_USER) is None:
        chains = (*goal.chains, (DOCKER_USER, tuple(jump.text for jump in in_docker)))
        jumps = (*(jump for jump in goal.jumps if jump not in in_docker), Jump("FORWARD", DOCKER_USER))
        return Part(*goal.key, (*goal.owned, DOCKER_USER), chains, jumps)
    made = dict(goal.chains).get(DOCKER_USER)
    if made is not None and DOCKER in table_of(present, goal.key).chains:
        chains = tuple((name, rules) for name, rules in goal.chains if name != DOCKER_USER)
        back = tuple(Jump(DOCKER_USER, rule.removeprefix("-j ")) for rule in made)
        jumps = (*(jump for jump in goal.jumps if jump.target != DOCKER_USER), *back)
        return Part(*goal.key, tuple(name for name in goal.owned if name != DOCKER_USER), chains, jumps)
    return goal


def owned_now(present: Saved, made: Made, key: Key) -> set[str]:
    """Return the names of chains in a table that are ours.

    DOCKER-USER is, where we had to make it, until Docker has come.
    """
    names = {name for family, table, name in made.chains if (family, table) == key}
    if DOCKER in table_of(present, key).chains:
        names.discard(DOCKER_USER)
    return names


def _shared(ruleset: Ruleset, present: Saved, made: Made) -> list[Goal]:
    found: list[Goal] = []
    for table in own_part(ruleset).tables:
        key = table.family, table.name
        part = _part(ruleset, table, present, owned_now(present, made, key))
        found.append(_with_part(part) if key in made.tables else part)
    keys = {goal.key for goal in found}
    return _in_order([*found, *_emptied(made, keys), *_removed(present, made, keys)])


def _part(ruleset: Ruleset, table: Table, present: Saved, owned: set[str]) -> Part:
    assert ruleset.intent is not None, "a shared ruleset comes from a policy"
    there = table_of(present, (table.family, table.name))
    last = None if ruleset.intent.place_last else 0
    chains = [
        (chain.name, tuple(rule.text for rule in chain.rules))
        for chain in table.chains
        if not _is_foreign(table, chain)
    ]
    jumps: list[Jump] = []
    for chain in table.chains:
        if not _is_foreign(table, chain):
            continue
        targets = [rule.text.removeprefix("-j ") for rule in chain.rules if not rule.owner]
        if chain.owner and (there.chain(chain.name) is None or chain.name in owned):
            chains.append((chain.name, tuple(f"-j {target}" for target in targets)))
            jumps.append(Jump("FORWARD", chain.name))
        else:
            jumps += [Jump(chain.name, target, 0 if chain.owner else last) for target in targets]
    entries = {entry_name(ruleset.intent.name, HOOK_OF[base]) for base in base_chains(table.name)}
    ours = {*owned, *(name for name, _ in chains), *(entries & set(there.chains))}
    return Part(table.family, table.name, tuple(sorted(ours)), tuple(chains), tuple(jumps))


def _with_part(part: Part) -> Whole:
    """Return a table with nothing but our part: it was ours as a whole before."""
    lines = [f"*{part.table}", *(f":{name} ACCEPT [0:0]" for name in base_chains(part.table))]
    lines += [f":{name} - [0:0]" for name, _ in part.chains]
    lines += [f"-A {name} {rule}".rstrip() for name, rules in part.chains for rule in rules]
    lines += [f"-A {jump.chain} {jump.text}" for jump in part.jumps]
    return Whole(part.family, part.table, "\n".join((*lines, "COMMIT\n")))


def _emptied(made: Made, kept: set[Key]) -> Iterator[Whole]:
    for family, name in made.tables:
        if (family, name) not in kept:
            there = (
                "" if (family, name) in made.new else "".join(f":{each} ACCEPT [0:0]\n" for each in base_chains(name))
            )
            yield Whole(family, name, f"*{name}\n{there}COMMIT\n")


def _removed(present: Saved, made: Made, kept: set[Key]) -> Iterator[Part]:
    names: dict[Key, set[str]] = defaultdict(set)
    for family, table, _ in made.chains:
        if (family, table) not in kept:
            names[family, table] = owned_now(present, made, (family, table))
    for key, owned in names.items():
        yield Part(*key, tuple(sorted(owned)))


def _is_foreign(table: Table, chain: Chain) -> bool:
    return bool(chain.owner) or is_base_chain(table.name, chain.name)


def _in_order(goals: Iterable[Goal]) -> list[Goal]:
    return sorted(goals, key=lambda goal: (goal.family, goal.table))
