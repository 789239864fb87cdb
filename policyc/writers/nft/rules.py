"""A table of iptables as chains of nft: each rule its conditions, its action, its counter, its comment.

Used by `text`. What nft has no form for is a finding at its rule; all of a rule's are found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from policyc.diagnostics import Diagnostic, diagnose
from policyc.diagnostics.diagnostic import Place
from policyc.netfilter.effect import Assign, Record
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import HOOK_OF, Hook
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.parts import Match, Part, Target, Unknown
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table
from policyc.writers.nft.changes import assigned
from policyc.writers.nft.conditions import Known, NoForm, Tests, Word, counts, never
from policyc.writers.nft.counting import recorded
from policyc.writers.nft.layout import Layout, Written
from policyc.writers.nft.predicates import Conditions
from policyc.writers.nft.spelling import comment, identifier
from policyc.writers.nft.statements import Action, Statements

NO_FORM, DIFFERS = "no-nft-form", "nft-differs"


@dataclass(slots=True)
class TableWriter:
    """Writes one table; `findings` are what could not be said, or not quite."""

    table: Table
    conditions: Conditions
    statements: Statements
    layout: Layout
    findings: list[Diagnostic] = field(default_factory=list)
    hooks: dict[str, frozenset[Hook]] = field(init=False)

    def __post_init__(self) -> None:
        self.hooks = JumpGraph.of(self.table).hooks

    def chain(self, chain: Chain, hook: str) -> None:
        """Write the rules of a chain behind the line `hook`, "" for a user chain; rules of other tools are theirs."""
        name = identifier(self.statements.table, chain.name)
        self.layout.begin(name, hook)
        for number, rule in enumerate(chain.rules, 1):
            if not rule.owner:
                self._rule(chain, number, rule, f"{name}/{number}")

    def _rule(self, chain: Chain, number: int, rule: Rule, name: str) -> None:
        known, around = Known(self.table.family), rule.around(self.table.family)
        tests: list[Tests] = []
        action: Action | None = None
        place = Place(self.table.family, self.table.name, chain.name, number)
        for part in rule.parts:
            try:
                if isinstance(part, Target):
                    self._called(part)
                    hooks = self.hooks[chain.name] or frozenset(filter(None, (HOOK_OF.get(chain.name),)))
                    effects = part.effects(around)
                    action = self.statements.of(part, effects, around.protocol, hooks)
                elif isinstance(part, Unknown) and part.is_target:
                    raise NoForm(f"`-j {part.name}`")
                else:
                    tests.append(self._tests(part, around, known))
            except NoForm as error:
                what, _, why = str(error).partition("; ")
                self.findings.append(
                    diagnose(NO_FORM, f"nftables has no form for {what}", rule.span, place=place, help=why)
                )
        self.findings += _differences(rule, place)
        joined = tuple(test for part_tests in tests for test in part_tests)
        shown = _comment(rule.comment)
        if rule.comment and not shown:
            self.layout.remark(rule.comment)
        if never(joined) and not counts(joined):
            self.layout.remark(f"rule {number} matches no packet: {rule.text}")
            return
        counter = (
            "" if rule.counters is None else f"counter packets {rule.counters.packets} bytes {rule.counters.bytes}"
        )
        if action is None or not action.lines:
            if self.statements.helpers or (rule.target is not None and rule.target.name == "CT"):
                return
            counter = counter or "counter"
        self.layout.rule(name, joined, Written(action or Action(), counter, shown))

    def _called(self, target: Target) -> None:
        """Raise NoForm for a jump to a chain that is not written here."""
        called = self.table.chain(target.chain) if target.chain else None
        if target.chain and (called is None or called.owner):
            raise NoForm(
                f"a jump to `{target.chain}`, a chain of another; tables of nft cannot reach into those of iptables"
            )

    def _tests(self, part: Part, around: Surroundings, known: Known) -> Tests:
        """Return what a part tests, with what it does beside: a list is written to whatever it says. Raises NoForm."""
        effects = part.extension.side_effects(part.options, around) if isinstance(part, Match) else ()
        before: list[Word] = []
        behind: list[Word] = []
        for effect in effects:
            if isinstance(effect, Record):
                before.append(recorded(effect.into, self.conditions.declared, self.conditions.shared))
            elif isinstance(effect, Assign):
                behind += (Word(line, counts=True) for line in assigned(effect, self.conditions.declared))
        assert not isinstance(part, Target)
        return (*before, *self.conditions.of(part.meaning(around), part, known), *behind)


def _comment(text: str) -> str:
    return (comment(text) or "") if text else ""


def _differences(rule: Rule, place: Place) -> Iterator[Diagnostic]:
    """Yield what nft does a little differently."""
    if rule.target is not None and rule.target.name == "TCPMSS":
        yield diagnose(
            DIFFERS, "nftables leaves a SYN without an MSS option as it is, where `TCPMSS` adds one", rule.span, place=place,
            help="every common system sends the option; nothing needs to be done",
        )  # fmt: skip
