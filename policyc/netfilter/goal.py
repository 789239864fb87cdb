"""What a table shall hold when a change is done, or again when it is taken back: the whole of it, or our part.

With shared ownership our part is our chains and the jumps to them in chains of others. Where both come from is
`policyc.kernel.apply`'s business; `policyc.writers.towards` makes the text that leads there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from policyc.frozen import frozen
from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.saved import Key, Saved, SavedChain, SavedTable, table_of


@frozen
class Jump:
    """A jump of ours in a chain of others: `behind` counts the rules of others in front of it, None: it stands last."""

    chain: str
    target: str
    behind: int | None = 0

    @property
    def text(self) -> str:
        """The rule as iptables-save prints it behind `-A CHAIN`."""
        return f"-j {self.target}"


@frozen
class Part:
    """Our part of a table. `owned` are all names of chains that are ours, those that shall not be there included."""

    family: int
    table: str
    owned: tuple[str, ...]
    chains: tuple[tuple[str, tuple[str, ...]], ...] = ()
    jumps: tuple[Jump, ...] = ()

    @property
    def key(self) -> Key:
        """The table that it is about."""
        return self.family, self.table


@frozen
class Whole:
    """A table that is ours as a whole: `text` from `*name` to `COMMIT`; without chains the table shall be gone."""

    family: int
    table: str
    text: str

    @property
    def key(self) -> Key:
        """The table that it is about."""
        return self.family, self.table


Goal = Part | Whole


def part_of(saved: Saved, key: Key, owned: Collection[str]) -> Part:
    """Return what a table holds of the chains in `owned`, in the order of the names, and of the jumps to them."""
    table = table_of(saved, key)
    chains = tuple((name, table.chains[name].rules) for name in sorted(owned) if name in table.chains)
    jumps: list[Jump] = []
    for name, chain in table.chains.items():
        if name not in owned:
            jumps.extend(_jumps(name, chain, owned))
    return Part(*key, tuple(sorted(owned)), chains, tuple(jumps))


def _jumps(name: str, chain: SavedChain, owned: Collection[str]) -> Iterable[Jump]:
    others = 0
    total = sum(not is_jump_to(rule, owned) for rule in chain.rules)
    for rule in chain.rules:
        if is_jump_to(rule, owned):
            yield Jump(name, rule.removeprefix("-j "), None if others == total and total else others)
        else:
            others += 1


def is_jump_to(rule: str, owned: Collection[str]) -> bool:
    """Whether a rule is a plain jump to one of these chains; a jump with a test is somebody else's."""
    return rule.startswith("-j ") and rule[3:] in owned


def arranged(rules: Iterable[str], jumps: Iterable[Jump], owned: Collection[str]) -> tuple[str, ...]:
    """Return a chain's rules with our jumps in their places, those that are there now wherever they stand taken out."""
    others = [rule for rule in rules if not is_jump_to(rule, owned)]
    slots: list[list[str]] = [[] for _ in range(len(others) + 1)]
    for jump in jumps:
        slots[len(others) if jump.behind is None else min(jump.behind, len(others))].append(jump.text)
    found = list(slots[0])
    for other, slot in zip(others, slots[1:], strict=True):
        found += [other, *slot]
    return tuple(found)


def without(table: SavedTable, owned: Collection[str]) -> SavedTable:
    """Return what a table holds of others."""
    return SavedTable(
        table.family,
        table.name,
        {
            name: SavedChain(chain.policy, arranged(chain.rules, (), owned))
            for name, chain in table.chains.items()
            if name not in owned
        },
    )


def entered_from_outside(table: SavedTable, owned: Collection[str], gone: Collection[str]) -> list[tuple[str, str]]:
    """Return the rules of others, with their chains, that lead to chains which shall be gone: the kernel keeps those."""
    return [
        (name, rule)
        for name, chain in table.chains.items()
        if name not in owned
        for rule in chain.rules
        if not is_jump_to(rule, owned) and any(rule.endswith((f"-j {target}", f"-g {target}")) for target in gone)
    ]


def base_chains(table: str) -> tuple[str, ...]:
    """Return the built-in chains of a table."""
    return BASE_CHAINS.get(table, ())
