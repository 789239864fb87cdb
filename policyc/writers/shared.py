"""A shared Ruleset to text for `iptables-restore --noflush`: our chains, and the one jump to them in each base chain.

Our chains are declared, which empties them, and filled: loading that again changes nothing else. The jumps stand in chains
of others, and a restore file cannot do one thing where they are and another where they are not (`-C` and `-D` of a missing
rule refuse the whole table). So the text comes in three forms, and who loads it says which one; docs/language.md
(Ownership) tells how.

A jump may be there for a hook that the policy no longer has a block for. Its chain is declared as well, so that the rules of
the policy before are gone.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from policyc.netfilter.chain_names import entry_name
from policyc.netfilter.hooks import BASE_CHAINS, HOOK_OF, is_base_chain
from policyc.netfilter.intent import Intent
from policyc.netfilter.own_part import own_part
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.ruleset import Chain, Ruleset, Table


class Jumps(Enum):
    """What a text does about the jumps to our chains."""

    INSERT = "insert"
    """They are not there yet: the first load."""
    KEEP = "keep"
    """They are there and stay where they are; where one is missing, the table is refused."""
    RENEW = "renew"
    """They are there and are moved to their place."""


def shared_text(ruleset: Ruleset, family: int, jumps: Jumps) -> str:
    """Return a family's tables from `*name` to `COMMIT`, "" where it has none; rules and chains of others are left out."""
    assert ruleset.intent is not None, "a shared ruleset comes from a policy"
    ours = own_part(ruleset)
    return "".join("\n".join(_lines(table, ruleset.intent, jumps)) for table in ours.family(family))


def _lines(table: Table, intent: Intent, jumps: Jumps) -> Iterator[str]:
    ours = [chain for chain in table.chains if not _is_foreign(table, chain)]
    declared = [chain.name for chain in ours]
    if jumps is not Jumps.INSERT:
        declared += (entry_name(intent.name, HOOK_OF[base]) for base in BASE_CHAINS[table.name])
    yield f"*{table.name}"
    for name in dict.fromkeys(declared):
        yield f":{quote_word(name)} - [0:0]"
    for chain in ours:
        for rule in chain.rules:
            yield f"-A {quote_word(chain.name)} {rule.text}".rstrip()
    for chain in table.chains:
        if _is_foreign(table, chain):
            yield from _jumps(chain, jumps, last=intent.place_last)
    yield "COMMIT\n"


def _jumps(chain: Chain, jumps: Jumps, *, last: bool) -> Iterator[str]:
    if jumps is not Jumps.INSERT:
        for rule in chain.rules:
            yield f"-{'D' if jumps is Jumps.RENEW else 'C'} {chain.name} {rule.text}"
    if jumps is not Jumps.KEEP:
        for number, rule in enumerate(chain.rules, 1):
            # Docker ends DOCKER-USER with a RETURN (until 28.3): behind it nothing is reached.
            yield (
                f"-A {chain.name} {rule.text}" if last and not chain.owner else f"-I {chain.name} {number} {rule.text}"
            )


def _is_foreign(table: Table, chain: Chain) -> bool:
    return bool(chain.owner) or is_base_chain(table.name, chain.name)
