"""Two rulesets made comparable: what nobody can decide becomes a condition with a name that both may share.

Part of `policyc.analysis`, before `difference`. A match that hangs on counters, and a target whose outcome a program decides,
hold or not by their text and place: where both rulesets have them, they are taken to answer the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import replace

from policyc.analysis.meanings import Meaning, Meanings
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Divert, Effect, Handshake, Mutate, Note, Record, Shift, Track, Verdict
from policyc.netfilter.hooks import BASE_CHAINS, is_base_chain
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.own_part import own_part
from policyc.netfilter.parts import MATCH_RANK, TARGET_RANK, VERDICTS, Match, Part, Target, Unknown
from policyc.netfilter.predicate import Ask, May, nodes
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Ruleset, Table

COMPARED = (fields.MARK, fields.CT_MARK, fields.TOS, fields.CT_STATE)
"""What rules make of a packet, beside its translation, and is compared."""
Owned = dict[tuple[int, str], frozenset[str]]
"""The names of the chains that are ours, by family and table."""


def decides(meanings: list[Meaning]) -> bool:
    """Whether a rule can change the verdict or the packet, and does not only write something down."""
    return any(_is_felt(effect) for meaning in meanings for effect in meaning.effects)


def leaves_more(meanings: list[Meaning]) -> bool:
    """Whether a rule does something that is not compared and that packets, or later ones, may feel; logs are not."""
    return any(meaning.beside or any(map(_is_more, meaning.effects)) for meaning in meanings)


def _is_more(effect: Effect) -> bool:
    if isinstance(effect, Note):
        return effect.kind == "set"
    if isinstance(effect, Track):
        return bool(effect.helper or effect.zone or effect.events or effect.timeout)
    if isinstance(effect, Assign):
        return effect.field not in COMPARED
    return isinstance(effect, Mutate | Shift | Record)


def _is_felt(effect: Effect) -> bool:
    if isinstance(effect, Note):
        return effect.kind == "unknown"
    return not isinstance(effect, Record) and (not isinstance(effect, Mutate) or bool(effect.fields))


def decidable(ruleset: Ruleset) -> Ruleset:
    """Return the ruleset with every undecidable match and target behind a condition; rules keep their numbers."""
    known = {family: Meanings(family) for family in ruleset.families}
    tables = (
        replace(table, chains=tuple(_chain(table, chain, known[table.family]) for chain in table.chains))
        for table in ruleset.tables
    )
    return replace(ruleset, tables=tuple(tables))


def _chain(table: Table, chain: Chain, meanings: Meanings) -> Chain:
    if chain.owner and not is_base_chain(table.name, chain.name):
        queue = Target(TARGET_RANK, "-j QUEUE", VERDICTS[-1])
        unknown = Unknown(MATCH_RANK, f"what {chain.owner} decides in {table.name} {chain.name}", chain.owner)
        return replace(chain, rules=(Rule((unknown, queue)),), owner="")
    seen: Counter[str] = Counter()
    return replace(
        chain, rules=tuple([_rule(rule, f"{table.name} {chain.name}", meanings, seen) for rule in chain.rules])
    )


def _rule(rule: Rule, where: str, meanings: Meanings, seen: Counter[str]) -> Rule:
    found = meanings.of(rule)
    if not decides(found):
        return rule
    parts: list[Part] = []
    for part, meaning in zip(rule.parts, found, strict=True):
        if isinstance(part, Match) and any(isinstance(node, May) for node in nodes(meaning.test)):
            parts.append(_named(part.text, part.name, where, seen))
        elif isinstance(part, Match) and any(
            isinstance(node, Ask) and node.kind != "set" for node in nodes(meaning.test)
        ):
            parts.append(Unknown(MATCH_RANK, part.text, part.name))
        else:
            if any(map(_is_open, meaning.effects)):
                parts.append(_named(f"what takes the packets of {part.text}", "target", where, seen))
            parts.append(part)
    return Rule(tuple(parts), rule.span, rule.counters, rule.owner)


def _is_open(effect: Effect) -> bool:
    """Whether a program decides, or nobody knows, if the packet goes on behind the rule."""
    if isinstance(effect, Verdict):
        return effect.kind == "queue"
    return isinstance(effect, Divert | Handshake) or (isinstance(effect, Note) and effect.kind == "unknown")


def _named(text: str, name: str, where: str, seen: Counter[str]) -> Unknown:
    seen[text] += 1
    which = f", number {seen[text]}" if seen[text] > 1 else ""
    return Unknown(MATCH_RANK, f"{text} ({where}{which})", name)


# ---------------------------------------------------------------------- shared ownership
def owned_chains(*rulesets: Ruleset) -> Owned:
    """Return the chains that shared policies have made theirs; {} where none of the rulesets is one."""
    found: Owned = {}
    for ruleset in rulesets:
        for table in own_part(ruleset).tables if ruleset.shared else ():
            names = {chain.name for chain in table.user_chains if not chain.owner}
            found[table.family, table.name] = found.get((table.family, table.name), frozenset()) | names
    return found


def our_part(ruleset: Ruleset, owned: Owned) -> Ruleset:
    """Return our chains, entered where jumps to them are found: what stands around these jumps is not ours to compare."""
    tables = (_our_table(table, owned[table.family, table.name]) for table in ruleset.tables
              if (table.family, table.name) in owned)  # fmt: skip
    return replace(ruleset, tables=tuple(tables), shared=False)


def _our_table(table: Table, own: frozenset[str]) -> Table:
    hooks = JumpGraph.of(table).hooks
    entries: dict[str, list[Rule]] = {name: [] for name in BASE_CHAINS[table.name]}
    for chain in table.chains:
        if chain.name not in own:
            for hook in hooks.get(chain.name, ()):
                entries[hook.value] += _jumps(chain, own)
    ours = [chain for chain in table.chains if chain.name in own]
    called = {rule.target.chain for chain in ours for rule in chain.rules if rule.target is not None}
    others = [replace(chain, rules=(), owner=chain.owner or "another") for chain in table.user_chains
              if chain.name in called - own]  # fmt: skip
    return replace(table, chains=(*(Chain(name, tuple(rules)) for name, rules in entries.items()), *ours, *others))


def _jumps(chain: Chain, own: Collection[str]) -> Iterator[Rule]:
    return (rule for rule in chain.rules if rule.is_unconditional and rule.target and rule.target.chain in own)
