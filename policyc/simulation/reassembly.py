"""Where fragments are put together before any rule sees them. Part of `policyc.simulation`.

Connection tracking needs whole packets, so the kernel reassembles at -400, for each family of which a rule asks for
connections. Sources: nf_defrag_ipv4.c, nf_defrag_ipv6_hooks.c and the callers of nf_ct_netns_get and nf_defrag_ipv4_enable.
"""

from __future__ import annotations

from policyc.netfilter.counters import ConnectionBytes, ConnectionCount
from policyc.netfilter.effect import Assign, Divert, Effect, Handshake, Rewrite, Track
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.fields import Field
from policyc.netfilter.parts import Part, Target
from policyc.netfilter.predicate import Ask, Bits, In, May, Opaque, Predicate, nodes
from policyc.netfilter.ruleset import Ruleset


def reassembles(ruleset: Ruleset, family: int) -> bool:
    """Whether a rule of the family makes the kernel put fragments together first."""
    return any(
        _needs_whole(part, rule.around(family))
        for table in ruleset.tables
        if table.family == family
        for chain in table.chains
        for rule in chain.rules
        for part in rule.parts
    )


def _needs_whole(part: Part, around: Surroundings) -> bool:
    if isinstance(part, Target):
        return any(_tracks(effect) for effect in part.effects(around))
    return any(_asks_for_connection(node) for node in nodes(part.meaning(around)))


def _asks_for_connection(node: Predicate) -> bool:
    if isinstance(node, In | Bits):
        return _is_of_connection(node.field)
    if isinstance(node, Opaque):
        return any(map(_is_of_connection, node.reads or ()))
    if isinstance(node, May):
        return isinstance(node.counter, ConnectionBytes | ConnectionCount)
    return isinstance(node, Ask) and node.kind == "socket"


def _tracks(effect: Effect) -> bool:
    if isinstance(effect, Track):
        return effect.entry  # an exemption alone turns nothing on (xt_ct_tg_check)
    if isinstance(effect, Assign):
        return _is_of_connection(effect.field) or (effect.source is not None and _is_of_connection(effect.source))
    return isinstance(effect, Rewrite | Divert | Handshake)


def _is_of_connection(field: Field) -> bool:
    return field.name.startswith("ct.")
