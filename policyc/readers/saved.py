"""What iptables-save prints to tables of lines, beside `save`, which reads what the lines mean. `policyc.kernel` asks.

The text comes from the kernel a moment ago, so that there are no oddities in it; what does not look like that is an error.
"""

from __future__ import annotations

import re

from policyc.netfilter.quoting import split_words
from policyc.netfilter.saved import SavedChain, SavedTable

_CHAIN = re.compile(r":(.+) ([A-Z]+|-) \[\d+:\d+\]")
_RULE = re.compile(r"(?:\[\d+:\d+\] )?-A (\S+)(?: (.*))?")


class NotSaved(ValueError):  # noqa: N818 - the name says what the text is not
    """The text is not what iptables-save prints; the message quotes the line."""


def saved_tables(text: str, family: int) -> dict[tuple[int, str], SavedTable]:
    """Return the tables of one family's text, with or without counters; raise NotSaved."""
    found: dict[tuple[int, str], SavedTable] = {}
    name = ""
    policies: dict[str, str] = {}
    rules: dict[str, list[str]] = {}
    for line in text.split("\n"):
        if not line or line[0] == "#":
            continue
        if line[0] == "*":
            name, policies, rules = line[1:], {}, {}
        elif line[0] == ":" and (head := _CHAIN.fullmatch(line)):
            chain = _bare(head[1])
            policies[chain], rules[chain] = head[2].replace("-", ""), []
        elif line == "COMMIT":
            chains = {chain: SavedChain(policy, tuple(rules[chain])) for chain, policy in policies.items()}
            found[family, name] = SavedTable(family, name, chains)
        elif (rule := _RULE.fullmatch(line)) and rule[1] in rules:
            rules[rule[1]].append(rule[2] or "")
        elif (spaced := _in_spaced_chain(line, rules)) is not None:
            rules[spaced[0]].append(spaced[1])
        else:
            raise NotSaved(f"`{line}` is no line that iptables-save prints")
    return found


def _bare(name: str) -> str:
    return split_words(name)[0][0] if name.startswith('"') else name


def _in_spaced_chain(line: str, rules: dict[str, list[str]]) -> tuple[str, str] | None:
    """Return the chain and the words of a rule in a chain whose name has blanks."""
    _, _, rest = line.partition("-A ")
    for chain in sorted(rules, key=len, reverse=True):
        for spelled in (chain, f'"{chain}"'):
            if rest == spelled or rest.startswith(f"{spelled} "):
                return chain, rest[len(spelled) + 1 :]
    return None
