"""Our part of a Ruleset that others have a part in: what is written, loaded and compared when the ownership is shared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policyc.netfilter.hooks import is_base_chain
from policyc.netfilter.ruleset import Chain, Ruleset, Table


def own_part(ruleset: Ruleset) -> Ruleset:
    """Return a ruleset without the rules of others, without their chains unless a rule of ours stands in them.

    Tables where nothing of ours is left are gone.
    """
    tables = []
    for table in ruleset.tables:
        chains = tuple(_chains(table))
        if any(chain.rules or not (chain.owner or is_base_chain(table.name, chain.name)) for chain in chains):
            tables.append(replace(table, chains=chains))
    return replace(ruleset, tables=tuple(tables))


def _chains(table: Table) -> Iterator[Chain]:
    for chain in table.chains:
        own = tuple(rule for rule in chain.rules if not rule.owner)
        if own or not chain.owner:
            yield chain if len(own) == len(chain.rules) else replace(chain, rules=own)
