"""From what a table holds to what it shall hold: the text for iptables-restore that leads there in one transaction.

Beside `shared`, which writes without knowing what is there. A table that is ours as a whole is replaced; of others only our
chains and the jumps to them are named, and of those only what differs, so that counters and rates of the rest go on.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.netfilter.goal import Part, Whole, arranged, base_chains, is_jump_to
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.saved import Saved, SavedTable, table_of


def towards(present: Saved, goal: Part, printed: Part | None = None) -> str:
    """Return the table's text for `--noflush`, "" where nothing has to change.

    `printed` is the goal as the kernel will print it, where the goal's own spelling may be another.
    """
    table = table_of(present, goal.key)
    lines = [*_chains(table, goal, printed or goal), *_jumps(table, goal), *_gone(table, goal)]
    return "\n".join((f"*{goal.table}", *lines, "COMMIT\n")) if lines else ""


def replacing(goal: Whole, *, every_base_chain: bool) -> str:
    """Return the table's text for a restore that flushes.

    `every_base_chain`: those that the text does not name are written as empty and accepting, because iptables-legacy keeps
    their policies, while iptables-nft deletes the table and makes what is named.
    """
    if not every_base_chain:
        return goal.text
    head, _, rest = goal.text.partition("\n")
    named = {line[1:].split(" ")[0] for line in rest.split("\n") if line.startswith(":")}
    missing = [f":{name} ACCEPT [0:0]\n" for name in base_chains(goal.table) if name not in named]
    return f"{head}\n{''.join(missing)}{rest}"


def _chains(table: SavedTable, goal: Part, printed: Part) -> Iterator[str]:
    """Yield the lines that empty chains, make those that are missing, and fill them."""
    settled = {
        name for name, rules in printed.chains if (there := table.chain(name)) is not None and there.rules == rules
    }
    wanted = {name: rules for name, rules in goal.chains if name not in settled}
    gone = _leaving(table, goal)
    yield from (f":{quote_word(name)} - [0:0]" for name in (*wanted, *gone))
    for name, rules in wanted.items():
        head = f"-A {quote_word(name)} "
        yield from ((head + rule).rstrip() for rule in rules)


def _jumps(table: SavedTable, goal: Part) -> Iterator[str]:
    """Yield the lines that take out our jumps and put them in their places, for each chain of others where that is needed."""
    names = dict.fromkeys((*(jump.chain for jump in goal.jumps), *table.chains))
    for name in names:
        if name in goal.owned:
            continue
        there = table.chain(name)
        rules = there.rules if there is not None else ()
        wanted = arranged(rules, [jump for jump in goal.jumps if jump.chain == name], goal.owned)
        if wanted == rules:
            continue
        quoted = quote_word(name)
        yield from (f"-D {quoted} {rule}" for rule in rules if is_jump_to(rule, goal.owned))
        for number, rule in enumerate(wanted, 1):
            if is_jump_to(rule, goal.owned):
                yield f"-I {quoted} {number} {rule}"


def _gone(table: SavedTable, goal: Part) -> Iterator[str]:
    yield from (f"-X {quote_word(name)}" for name in _leaving(table, goal))


def _leaving(table: SavedTable, goal: Part) -> list[str]:
    wanted = {name for name, _ in goal.chains}
    return [name for name in goal.owned if name in table.chains and name not in wanted]
