"""Rules loaded into a throw-away namespace for real, because `iptables-restore --test` accepts what the load refuses.

A refusal is brought back to the rules that cause it: the nft backend names a line for most, the legacy backend names only
COMMIT, so that the first bad rule is found by halving.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum

from policyc.frozen import frozen
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Ruleset, Table
from policyc.writers.ipset import ipset_restore
from policyc.writers.save import table_text

MOST_REFUSALS = 20  # of one table; a person mends these first
_LINE = re.compile(r"line:? (\d+)")

Attempt = Callable[[Table], str]


class Backend(Enum):
    """The two kinds of iptables that a host may have; the value is part of its programs' names."""

    NFT = "nft"
    LEGACY = "legacy"

    def tool(self, family: int, action: str) -> str:
        """Return the path of `iptables-nft-restore` and the like; raise MissingProgram."""
        return program(f"ip{'6' if family == 6 else ''}tables-{self.value}-{action}", "iptables")


@frozen
class Refusal:
    """The kernel does not take a rule; `rule` None means: the table as a whole. `number` is 1-based in `chain`."""

    table: Table
    chain: Chain | None
    number: int
    rule: Rule | None
    message: str
    lacks_module: bool


def load(ruleset: Ruleset, backend: Backend, namespace: Namespace) -> Iterator[Refusal]:
    """Load sets and tables of both families, yield what the kernel refuses. Raises MissingProgram.

    A table with refused rules is not loaded. Sets that the rules name and nothing declares are made empty first, because
    their content is not the rules' business.
    """
    sets = ipset_restore(ruleset)
    if sets:
        outcome = namespace.run([program("ipset", "ipset"), "-exist", "restore"], sets)
        if outcome.code:
            for table in ruleset.tables[:1]:
                yield Refusal(table, None, 0, None, f"ipset: {_first_line(outcome.err)}", lacks_module=False)
            return
    for family in ruleset.families:
        for table in ruleset.family(family):
            yield from _load_table(table, backend, namespace)


def _load_table(table: Table, backend: Backend, namespace: Namespace) -> Iterator[Refusal]:
    restore = backend.tool(table.family, "restore")

    def attempt(trial: Table) -> str:
        outcome = namespace.run([restore, "--noflush"], table_text(trial))
        return (outcome.err or "the load failed without a message") if outcome.code else ""

    trial, moved = table, _Numbers(table)
    for _ in range(MOST_REFUSALS):
        message = attempt(trial)
        if not message:
            return
        found = _named_rule(trial, message) or _first_refused(trial, attempt)
        if found is None:
            yield Refusal(table, None, 0, None, _first_line(message), lacks_module=False)
            return
        chain, index = found
        rule = chain.rules[index]
        alone = _alone(trial, chain, rule, attempt) or message
        number = moved.number(chain.name, index)
        original = table.chain(chain.name)
        yield Refusal(table, original, number, rule, _first_line(alone), "missing kernel module?" in alone)
        trial = _without(trial, chain, index)
        moved.removed(chain.name, index)


class _Numbers:
    """The original numbers of the rules that are left after some were taken out."""

    def __init__(self, table: Table) -> None:
        self.left = {chain.name: list(range(1, len(chain.rules) + 1)) for chain in table.chains}

    def number(self, chain: str, index: int) -> int:
        return self.left[chain][index]

    def removed(self, chain: str, index: int) -> None:
        del self.left[chain][index]


def _named_rule(table: Table, message: str) -> tuple[Chain, int] | None:
    """Return the rule whose line an error names, None where it names COMMIT or nothing."""
    found = _LINE.search(message)
    if found is None:
        return None
    lines = table_text(table).splitlines()
    number = int(found[1])
    if not 0 < number <= len(lines) or not lines[number - 1].startswith("-A "):
        return None
    before = sum(1 for line in lines[: number - 1] if line.startswith("-A "))
    for chain in _in_text_order(table):
        if before < len(chain.rules):
            return chain, before
        before -= len(chain.rules)
    return None


def _first_refused(table: Table, attempt: Attempt) -> tuple[Chain, int] | None:
    """Return the first rule with which a prefix of the table is refused, found by halving."""
    places = [(chain, index) for chain in _in_text_order(table) for index in range(len(chain.rules))]

    def refused(count: int) -> bool:
        kept: dict[str, int] = {}
        for chain, index in places[:count]:
            kept[chain.name] = index + 1
        chains = tuple(replace(chain, rules=chain.rules[: kept.get(chain.name, 0)]) for chain in table.chains)
        return bool(attempt(replace(table, chains=chains)))

    if not places or refused(0):
        return None
    low, high = 0, len(places)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if refused(middle) else (middle, high)
    return places[high - 1]


def _in_text_order(table: Table) -> list[Chain]:
    order: list[str] = [line[1:].split(" ")[0].strip('"') for line in table_text(
        replace(table, chains=tuple(replace(chain, rules=()) for chain in table.chains))).splitlines()
        if line.startswith(":")]  # fmt: skip
    return sorted(table.chains, key=lambda chain: order.index(chain.name))


def _alone(table: Table, chain: Chain, rule: Rule, attempt: Attempt) -> str:
    """Return what the kernel says of one rule alone in its chain, "" when it takes it there."""
    chains = tuple(replace(each, rules=(rule,) if each.name == chain.name else ()) for each in table.chains)
    return attempt(replace(table, chains=chains))


def _without(table: Table, chain: Chain, index: int) -> Table:
    rules = chain.rules[:index] + chain.rules[index + 1 :]
    return replace(
        table, chains=tuple(replace(each, rules=rules) if each.name == chain.name else each for each in table.chains)
    )


def _first_line(message: str) -> str:
    """Return the part of a tool's message that says what is wrong."""
    kept = []
    for line in message.splitlines():
        text = re.sub(r"^ip6?tables(?:-nft|-legacy)?-restore(?: v[\d.]+)?(?: \([a-z_]+\))?:(?: |$)", "", line.strip())
        if text and not text.startswith(("Try `", "Error occurred at line")):
            kept.append(re.sub(r"^line \d+: ", "", text).strip())
    return "; ".join(part for part in dict.fromkeys(kept) if part) or "refused without a reason"
