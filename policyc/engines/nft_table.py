"""A table of nftables while an engine programs it, printed as `nft list table` does: chains in the order of their making."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class NftChain:
    """A chain: `hook` is what stands behind `type` for a base chain, "" for one that only jumps enter."""

    hook: str = ""
    comment: str = ""
    rules: list[str] = field(default_factory=list)

    def lines(self, name: str) -> list[str]:
        """Return its text, from `chain NAME {` to the closing brace."""
        head = [f'\t\tcomment "{self.comment}"'] if self.comment else []
        head += [f"\t\ttype {self.hook}; policy accept;"] if self.hook else []
        return [f"\tchain {name} {{", *head, *(f"\t\t{rule}" for rule in self.rules), "\t}"]


@dataclass(slots=True)
class NftTable:
    """A table: `family` is ip, ip6 or inet."""

    family: str
    name: str
    comment: str = ""
    chains: dict[str, NftChain] = field(default_factory=dict)

    def chain(self, name: str, hook: str = "", comment: str = "") -> NftChain:
        """Return a chain, made if it is not there."""
        return self.chains.setdefault(name, NftChain(hook, comment))

    def append(self, chain: str, rule: str) -> None:
        """Put a rule at the end of a chain."""
        self.chain(chain).rules.append(rule)

    def insert(self, chain: str, rule: str) -> None:
        """Put a rule at the top of a chain."""
        self.chain(chain).rules.insert(0, rule)

    def drop(self, chain: str, which: Callable[[str], bool]) -> None:
        """Take the rules out of a chain that a predicate holds of, if the chain is there."""
        if chain in self.chains:
            self.chains[chain].rules[:] = [rule for rule in self.chains[chain].rules if not which(rule)]

    def text(self) -> str:
        """Return the table as nft prints it."""
        head = [f'\tcomment "{self.comment}"'] if self.comment else []
        blocks = ["\n".join(chain.lines(name)) for name, chain in self.chains.items()]
        body = "\n".join([*head, "\n\n".join(blocks)]) if blocks else "\n".join(head)
        return f"table {self.family} {self.name} {{\n{body}\n}}\n"
