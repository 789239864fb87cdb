"""Live counters on the lines of a source: each statement of a policy, or line of a dump, with what its kernel rules counted.

What counts for a statement are the rules that decide: in the table filter where it has rules there, and those with a verdict
where it has such. A LOG before its DROP, or the DNAT of a publication before its ACCEPT, sees the same packets once more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from policyc.explanation.places import Places, RulePlace
from policyc.frozen import frozen
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of, statements_of
from policyc.observation.pairing import Place, pairs, placed
from policyc.source import Source, Span


@frozen
class CountedRule:
    """A rule, or a base chain's policy, with what the kernel counted; `counts`: it is one of those that decide."""

    place: RulePlace
    packets: int
    size: int
    counts: bool = True


@dataclass(slots=True)
class Line:
    """A statement, or a line of a dump. `rules` are in the kernel, `missing` are its rules that are not there."""

    id: str
    name: str
    span: Span | None
    text: str
    rules: list[CountedRule] = field(default_factory=list)
    missing: list[RulePlace] = field(default_factory=list)

    @property
    def packets(self) -> int:
        """Packets that its deciding rules counted, of both families."""
        return sum(rule.packets for rule in self.rules if rule.counts)

    @property
    def size(self) -> int:
        """Bytes of those packets."""
        return sum(rule.size for rule in self.rules if rule.counts)

    @property
    def is_idle(self) -> bool:
        """Whether it is in the kernel and nothing ever matched."""
        return bool(self.rules) and not any(rule.packets for rule in self.rules)


@frozen
class Tally:
    """The counters of one kind of iptables, `nft` or `legacy`.

    `lines` stand in the source's order. `others` are rules that the source does not have, `policies` the base chains'.
    `families` are those that the source has, `paired` is how many rules are in both, `elsewhere` how many rules the other
    kind of iptables has. `remarks` say what could not be counted.
    `is_policy`: the lines are statements; `is_shared`: the policy leaves the rules of others in place, which
    stand in other chains than its `own_chains`.
    """

    backend: str
    lines: tuple[Line, ...]
    policies: tuple[CountedRule, ...]
    others: tuple[CountedRule, ...]
    families: tuple[int, ...]
    paired: int
    elsewhere: int = 0
    remarks: tuple[str, ...] = ()
    is_policy: bool = False
    is_shared: bool = False
    own_chains: frozenset[str] = frozenset()


def tally(source: Ruleset, live: Ruleset, backend: str, elsewhere: int = 0, remarks: tuple[str, ...] = ()) -> Tally:
    """Return the counters of `live` on the lines of `source`."""
    pairing = pairs(source, live)
    live_places = Places(live)
    others = tuple(
        CountedRule(replace(live_places.of_rule(*place, rule), span=None), *_counted(rule))
        for place, rule in placed(live)
        if place not in pairing.of_live
    )
    lines = _lines(source, {place: rule for place, (_, rule) in pairing.of_source.items()})
    return Tally(
        backend, lines, _policies(source, live), others, source.families, len(pairing.of_live), elsewhere, remarks,
        is_policy=source.intent is not None, is_shared=source.shared,
        own_chains=frozenset(chain.name for table in source.tables for chain in table.user_chains if not chain.owner),
    )  # fmt: skip


def _lines(source: Ruleset, live: dict[Place, Rule]) -> tuple[Line, ...]:
    names = {identifier: one.name for identifier, one in statements_of(source).items()}
    places = Places(source)
    found: dict[tuple[int, int, int, str], Line] = {}
    members: dict[tuple[int, int, int, str], list[tuple[RulePlace, Rule, Rule | None]]] = {}
    sources: dict[Source, int] = {}
    for place, rule in placed(source):
        identifier = id_of(rule)
        key = (1 << 62, 0, 0, identifier)
        if rule.span is not None:
            key = (sources.setdefault(rule.span.source, len(sources)), rule.span.start, rule.span.end, identifier)
        if key not in found:
            text = " ".join(rule.span.text.split()) if rule.span else ""
            found[key] = Line(identifier, names.get(identifier, ""), rule.span, text)
        members.setdefault(key, []).append((places.of_rule(*place, rule), rule, live.get(place)))
    for key, line in found.items():
        deciding = _deciding([(place, rule) for place, rule, _ in members[key]])
        for there, _, counted in members[key]:
            if counted is None:
                if not there.owner:  # what a container engine will install is no fault of ours
                    line.missing.append(there)
            else:
                line.rules.append(CountedRule(there, *_counted(counted), counts=there in deciding))
    return tuple(found[key] for key in sorted(found))


def _deciding(members: Sequence[tuple[RulePlace, Rule]]) -> set[RulePlace]:
    in_filter = [one for one in members if one[0].table == "filter"]
    candidates = in_filter or list(members)
    final = [place for place, rule in candidates if rule.target is not None and rule.target.terminal]
    return set(final or [place for place, _ in candidates])


def _counted(rule: Rule) -> tuple[int, int]:
    return (rule.counters.packets, rule.counters.bytes) if rule.counters else (0, 0)


def _policies(source: Ruleset, live: Ruleset) -> tuple[CountedRule, ...]:
    """Return the base chains whose policies have counted, at the source's place where it declares the chain."""
    found = []
    for table in live.tables:
        for chain in table.chains:
            if chain.policy is None or chain.counters is None:
                continue
            declared = source.table(table.family, table.name)
            there = declared.chain(chain.name) if declared else None
            place = RulePlace(
                table.family,
                table.name,
                chain.name,
                "policy",
                f"policy {chain.policy}",
                there.span if there else None,
                "",
            )
            found.append(CountedRule(place, *chain.counters))
    return tuple(sorted(found, key=lambda one: (one.place.family, one.place.table)))
