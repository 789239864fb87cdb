"""The end of the lowering: what the passes have written, as a Ruleset."""

from __future__ import annotations

from policyc.lowering.distinct import networks_of
from policyc.lowering.draft import ChainDraft, Draft, TableDraft
from policyc.lowering.proofs import proofs
from policyc.netfilter.hooks import BASE_CHAINS, TABLES, Hook
from policyc.netfilter.intent import Intent, Zone
from policyc.netfilter.ruleset import Chain, Ruleset, Table


def ruleset_of(draft: Draft) -> Ruleset:
    """Return the Ruleset of a draft, tables in the order in which they are printed."""
    policy = draft.policy
    order = sorted(draft.tables.values(), key=lambda table: (table.family, TABLES.index(table.name)))
    return Ruleset(
        tuple(_table(draft, table) for table in order),
        tuple(draft.sets.values()),
        intent_of(draft),
        suppressions=policy.suppressions,
        shared=not policy.exclusive,
    )


def intent_of(draft: Draft) -> Intent:
    """Return what of the policy outlives its rules."""
    policy = draft.policy
    zones = (
        Zone(
            zone.name,
            zone.interfaces,
            tuple(network for item in zone.networks for network in networks_of(item)),
            zone.addresses,
            zone.owner,
            zone.span,
        )
        for zone in policy.zones
    )
    return Intent(
        policy.name,
        tuple(zones),
        tuple(draft.sysctls.values()),
        tuple(draft.statements.values()),
        policy.tests,
        proofs(draft),
        policy.addresses,
        policy.place_last,
        tuple(bridge for one in policy.foreign for bridge in one.bridges),
    )


def _table(draft: Draft, table: TableDraft) -> Table:
    entries = [table.entries[hook] for hook in Hook if hook in table.entries]
    ours = (*entries, *table.chains.values())
    names = [*BASE_CHAINS[table.name], *table.base]  # chains of engines behind those of the kernel
    others = sorted(table.base.values(), key=lambda chain: names.index(chain.name))
    base = [] if draft.policy.exclusive else others
    return Table(
        table.family, table.name, tuple(_chain(draft, table, chain) for chain in (*base, *ours)), draft.policy.span
    )


def _chain(draft: Draft, table: TableDraft, chain: ChainDraft) -> Chain:
    policy = chain.policy
    if draft.policy.exclusive and chain.name in BASE_CHAINS[table.name]:
        default = draft.policy.defaults.get(chain.name.lower(), "accept") if table.name == "filter" else "accept"
        policy = default.upper()
    return Chain(chain.name, tuple(chain.rules), policy, span=chain.span, owner=chain.owner)
