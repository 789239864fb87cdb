"""shadowed-rule, redundant-rule, out-of-context, never-matches: what only a walk with all packets tells.

Rules that several earlier ones leave nothing to, in their chain or on the way to it; rules without which everything stays as
it is. What a look at single rules has found already is not asked again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from policyc.analysis.chains import TableSets
from policyc.analysis.covers import Cause
from policyc.analysis.dead import Dead, DeadRules, Why, hooks_of
from policyc.analysis.diagrams import OverBudgetError
from policyc.analysis.points import Point, packet_of
from policyc.analysis.redundancy import Redundancy
from policyc.analysis.rules import FamilyRules
from policyc.checks.statements import DEAD
from policyc.checks.survey import Standing, Survey, way
from policyc.diagnostics import Diagnostic, Place, Related, Severity, Witness, diagnose
from policyc.netfilter.predicate import Ask, Opaque, nodes
from policyc.netfilter.ruleset import Chain

if TYPE_CHECKING:
    from policyc.checks.second_opinion import SecondOpinion

CODES = frozenset(
    diagnose(name, "").code
    for name in (
        "shadowed-rule", "redundant-rule", "out-of-context", "never-matches", "idle-for-connections", "undecided",
    )
)  # fmt: skip
MOST_NODES = 1_500_000
"""How many nodes a family may cost; each takes about 300 bytes."""
_DOES = {"accept": "accepted", "drop": "dropped", "reject": "rejected", "return": "returned"}


def beside(survey: Survey, told: list[Diagnostic]) -> list[Diagnostic]:
    """Return what other checks have told, dead rules with a packet that shows it, and the rules that they have not told of.

    A rule that they call dead, or about packets that are translated or not tracked, is not told of again.
    """
    dead = {one.place: one for one in told if one.code in DEAD and one.place is not None}
    translated = frozenset(one.place for one in told if one.code[:3] in {"PC3", "PC4", "PC5"} and one.place is not None)
    witnesses: dict[Place, Witness] = {}
    found = list(_findings(survey, dead, translated, witnesses))
    shown = [
        replace(one, witness=witnesses[one.place])
        if one.code in DEAD and one.place in witnesses and one.witness is None
        else one
        for one in told
    ]
    return [*shown, *found]


def _findings(
    survey: Survey, dead: Collection[Place], translated: Collection[Place], witnesses: dict[Place, Witness]
) -> Iterator[Diagnostic]:
    for family in survey.ruleset.families:
        tables = survey.ruleset.family(family)
        if any(survey.graph(table).order() is None for table in tables):
            continue
        try:
            asked = _Family(survey, family, dead, translated)
            yield from asked.findings()
            witnesses.update(asked.witnesses())
        except OverBudgetError:
            yield _undecided(family)


def _undecided(family: int) -> Diagnostic:
    return diagnose(
        "undecided", f"the IPv{family} rules are too many, or too entangled, to walk with all packets at once",
        place=Place(family, "filter", "", 0),
        help="what single rules take from others is told; what several take together is not known",
    )  # fmt: skip


def _half_decided(chain: Place) -> Diagnostic:
    return diagnose(
        "undecided",
        f"the rules of `{chain.chain}` cut the packets into too many pieces to say what each lets come to the rest",
        place=chain,
        help="which of them earlier ones of the chain cover is told; which change nothing, and what it leaves to others, is not",
    )


class _Family:
    """The findings about one family."""

    def __init__(self, survey: Survey, family: int, told: Collection[Place], translated: Collection[Place]) -> None:
        self.survey = survey
        self.family = family
        self.told = told
        self.translated = translated
        self.dead = DeadRules(FamilyRules(survey.ruleset, family, budget=MOST_NODES))

    def findings(self) -> Iterator[Diagnostic]:
        for table in self.dead.walk.tables.values():

            def is_asked(chain: str, place: int, table: TableSets = table) -> bool:
                return self.is_asked(table, chain, place)

            for found in self.dead.find(table, is_asked):
                yield self.of_dead(found) if self.opinion.agrees(found) else _doubtful(found)
            yield from map(_half_decided, (Place(self.family, table.table.name, chain, 0) for chain in table.flat))
            if not self.survey.ruleset.shared:
                for chain, place in Redundancy(table).find(is_asked):
                    standing = _standing(table, chain, place)
                    if not standing.rule.is_unconditional:
                        yield self.of_redundant(table, standing)

        for table, chain, place in self.dead.idle(self.is_asked):
            standing = _standing(table, chain, place)
            if standing.place not in self.translated and not standing.rule.is_unconditional:
                yield self.of_idle(table, standing)

    def witnesses(self) -> Iterator[tuple[Place, Witness]]:
        """Yield a packet that each rule called dead by others would match, where the kernel alone lets one come to it."""
        for place in self.told:
            table = self.dead.walk.tables.get(place.table) if place.family == self.family and place.number else None
            if table is not None:
                standing = _standing(table, place.chain, place.number - 1)
                witness = self.witness(self.dead.would_match(table, place.chain, place.number - 1), standing)
                if witness is not None:
                    yield place, witness

    def is_asked(self, table: TableSets, chain: str, place: int) -> bool:
        """Whether a rule is its user's to change, does nothing but by matching, and has not been told of."""
        standing = _standing(table, chain, place)
        has_effects = any(meaning.beside for meaning in self.dead.rules.meanings.of(standing.rule))
        is_others = standing.is_foreign or self.is_of_preset(standing)
        return not is_others and not has_effects and standing.place not in self.told

    def is_of_preset(self, standing: Standing) -> bool:
        """Whether a rule comes from a preset of the policy language, which its user cannot change."""
        if self.survey.ruleset.intent is None or standing.span is None:
            return False
        from policyc.policy.presets import is_preset  # a policy has been read, so that it costs nothing

        return is_preset(standing.span.source)

    @cached_property
    def opinion(self) -> SecondOpinion:
        """What else is asked before a rule is called dead."""
        from policyc.checks.second_opinion import SecondOpinion  # the simulator is not loaded where nothing is found

        return SecondOpinion(self.dead.rules)

    # ------------------------------------------------------------------ dead rules
    def of_dead(self, found: Dead) -> Diagnostic:
        standing = _standing(found.table, found.chain, found.place)
        causes = tuple(_cause(found.table, cause) for cause in found.causes)
        name, message, advice = "shadowed-rule", "", "put it above those rules, or delete it"
        if found.why is Why.NEVER:
            name, advice = "never-matches", "delete it"
            message = f"no packet that {_hooks(found)} sees passes its tests"
        elif found.why is Why.OUT_OF_CONTEXT:
            name, advice = "out-of-context", "delete it, or jump to the chain with what it tests"
            message = f"what jumps to `{found.chain}` sends other packets"
            causes = way(found.table.table, found.jumps)
        elif found.why is Why.CHANGED:
            name, advice = "out-of-context", "delete it, or test what the packets have become"
            message = "earlier rules change what it tests"
        elif found.why is Why.ABSENT:
            name, advice = (
                "out-of-context",
                "delete it, or let such packets come: earlier tables drop them, or no rule makes them",
            )
            message = f"no packet with what it tests gets to the table {found.table.table.name}"
        elif _does_the_same(found):
            name, advice = "redundant-rule", "delete it"
            message = _count(
                causes, "does the same to all of its packets", "together do the same to all of its packets"
            )
        else:
            message = _count(causes, "takes all of its packets", "together take all of its packets")
            advice = advice if len(causes) > 1 else "put it above that rule, or delete it"
        return diagnose(
            name, f"the rule never applies: {message}", standing.span, place=standing.place, related=causes, help=advice,
            witness=self.witness(found.witness, standing),
        )  # fmt: skip

    # ------------------------------------------------------------------ redundant rules
    def of_redundant(self, table: TableSets, standing: Standing) -> Diagnostic:
        step = table.step(standing.chain.name, standing.number - 1)
        does = _DOES[step.ending.word if step.ending is not None else "return"]
        example = self.dead.example(table, standing.chain.name, standing.number - 1)
        return diagnose(
            "redundant-rule", f"the rule changes nothing: without it its packets are {does} all the same", standing.span,
            place=standing.place, help="delete it, unless it is there for its counter",
            severity_override=Severity.INFO, witness=self.witness(example, standing),
        )  # fmt: skip

    # ------------------------------------------------------------------ idle rules
    def of_idle(self, table: TableSets, standing: Standing) -> Diagnostic:
        example = self.dead.example(table, standing.chain.name, standing.number - 1)
        return diagnose(
            "idle-for-connections",
            "no connection reaches the rule: what it tests is translated or exempted from tracking before", standing.span,
            place=standing.place,
            help="test what the packets have become: the new address and port, `--ctorigdstport`, or the state UNTRACKED",
            witness=self.witness(example, standing),
        )  # fmt: skip

    def witness(self, point: Point | None, standing: Standing) -> Witness | None:
        """Return the packet as reports show it, with the conditions of the rule that it needs."""
        if point is None:
            return None
        from policyc.simulation.view import PacketView  # only a finding has a packet to show

        view = PacketView.of(packet_of(point))
        keys = [
            _key(node)
            for node in nodes(self.dead.rules.meanings.tests(standing.rule))
            if isinstance(node, Opaque | Ask)
        ]
        assumes = tuple(
            f"`{key}` {'holds' if point.conditions.get(key) else 'does not hold'}" for key in dict.fromkeys(keys)
        )
        ways = [f"{word} {name}" for word, name in (("in", view.iif), ("out", view.oif)) if name]
        state = [] if view.state == "none" else [f"state {view.state}"]
        return Witness(" ".join((view.text, *ways, *state)), view.to_dict(), assumes)


def _key(node: Opaque | Ask) -> str:
    return node.key if isinstance(node, Opaque) else " ".join((node.kind, *node.subject))


def _standing(table: TableSets, chain: str, place: int) -> Standing:
    known = table.table.chain(chain) or Chain(chain)
    return Standing(table.table, known, place + 1, known.rules[place])


def _cause(table: TableSets, cause: Cause) -> Related:
    percent = round(cause.share * 100)
    how_much = "all of its packets" if cause.share == 1 else f"{percent} % of them" if 0 < percent < 100 else (
        "less than 1 % of them" if percent == 0 else "nearly all of them"
    )  # fmt: skip
    return _standing(table, cause.chain, cause.place).related(f"takes {how_much}")


def _count(causes: tuple[Related, ...], one: str, many: str) -> str:
    return f"an earlier rule {one}" if len(causes) == 1 else f"{len(causes)} earlier rules {many}"


def _does_the_same(found: Dead) -> bool:
    own = found.table.step(found.chain, found.place)
    takers = [found.table.step(cause.chain, cause.place) for cause in found.causes]
    return own.ending is not None and all(taker.ending == own.ending for taker in takers)


def _hooks(found: Dead) -> str:
    return " and ".join(hook.value for hook in hooks_of(found.table, found.chain))


def _doubtful(found: Dead) -> Diagnostic:
    standing = _standing(found.table, found.chain, found.place)
    return diagnose(
        "undecided", "two ways of asking disagree about whether the rule ever applies", standing.span, place=standing.place,
        help="this is a fault of policyc; please report it with the rules",
    )  # fmt: skip
