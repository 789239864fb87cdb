"""Eighth pass: how base chains lead to ours. With exclusive ownership they are ours, with shared one jump leads there.

Base policies of a shared ruleset are the host's, so its base chains have none and hold nothing but the jump. What Docker
puts there is part of the Ruleset, so that packets find their way, and marked as Docker's, so that nobody writes it.
"""

from __future__ import annotations

from policyc.lowering.draft import ChainDraft, Draft, TableDraft
from policyc.netfilter.hooks import BASE_CHAINS, HOOK_OF, Hook
from policyc.netfilter.rule import Rule

DOCKER = "docker"
DOCKER_USER = "DOCKER-USER"
"""The chain that Docker Engine enters before its own rules and never touches; it stands first in FORWARD."""


def ownership(draft: Draft) -> None:
    """Put in the base chains: with shared ownership the jumps, else the filter chains that no block enters."""
    if draft.policy.exclusive:
        for family in draft.policy.families:
            for name in BASE_CHAINS["filter"]:
                draft.entry(family, "filter", HOOK_OF[name])
        return
    for table in draft.tables.values():
        for hook in Hook:
            if hook in table.entries:
                _jump(draft, table, hook, table.entries[hook].name)


def _jump(draft: Draft, table: TableDraft, hook: Hook, entry: str) -> None:
    pieces, span = draft.pieces[table.family], draft.policy.span
    base = table.base.setdefault(hook.value, ChainDraft(hook.value, span))
    ours = Rule((pieces.jump(entry),), span)
    last = draft.policy.place_last
    if hook is Hook.FORWARD and table.name == "filter" and _asks_the_user(draft, table):
        if DOCKER_USER not in table.base:
            base.rules.append(Rule((pieces.jump(DOCKER_USER),), span, owner=DOCKER))
        base = table.base.setdefault(DOCKER_USER, ChainDraft(DOCKER_USER, span, owner=DOCKER))
        last = False
    base.rules.insert(len(base.rules) if last else 0, ours)


def _asks_the_user(draft: Draft, table: TableDraft) -> bool:
    """Whether Docker has its chain for users there: an engine that is previewed says so, else a zone that is Docker's."""
    if any(one.owner == DOCKER for one in draft.policy.foreign):
        return DOCKER_USER in table.base
    return any(zone.owner == DOCKER for zone in draft.policy.zones)
