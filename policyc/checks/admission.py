"""dnat-not-admitted: connections get another destination, and no rule can accept them on the way there.

FORWARD sees the translated destination (measured). Asked is only whether some rule may accept; whether an earlier one drops
first is a question about all packets. An address of this host itself is delivered by INPUT: where that accepts, it is a
remark.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.endings import is_return
from policyc.checks.possible import Known, is_possible
from policyc.checks.survey import Standing, Survey
from policyc.checks.ways import MAX_DEPTH
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Part, Target, Unknown
from policyc.netfilter.predicate import All, In
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the translations of the destination that FORWARD does not admit."""
    for nat in survey.tables:
        filters = survey.ruleset.table(nat.family, "filter") if nat.name == "nat" else None
        if filters is None or _falls_through(survey, filters, Hook.FORWARD):
            continue
        for chain in nat.chains:
            if Hook.PREROUTING not in survey.graph(nat).hooks[chain.name]:
                continue
            around = Surroundings(nat.family)
            found = {key for key, part in survey.parts(chain).items() if _rewrite(part, around) is not None}
            for standing, part in survey.having(nat, chain, found) if found else ():
                if not standing.is_foreign:
                    yield from _finding(survey, filters, standing, part)


def _falls_through(survey: Survey, table: Table, hook: Hook) -> bool:
    """Whether a packet that no rule decides is accepted."""
    chain = table.chain(hook.value)
    return chain is None or (chain.policy != "DROP" and hook.value not in survey.endings(table).last)


def _rewrite(part: Part, around: Surroundings) -> Rewrite | None:
    """Return the translation to given addresses that a part makes."""
    if not isinstance(part, Target) or part.extension is None or part.name != "DNAT":
        return None
    effects = (effect for effect in part.effects(around) if isinstance(effect, Rewrite))
    return next((e for e in effects if e.side is fields.DST and e.addresses), None)


def _finding(survey: Survey, filters: Table, standing: Standing, part: Part) -> Iterator[Diagnostic]:
    rewrite = _rewrite(part, Surroundings(filters.family))
    if rewrite is None or rewrite.addresses is None:
        return
    known = _translated(standing.rule, rewrite, filters.family)
    if _Walk(survey, filters, known).admits(Hook.FORWARD):
        return
    own = _falls_through(survey, filters, Hook.INPUT) or _Walk(survey, filters, known).admits(Hook.INPUT)
    yield diagnose(
        "dnat-not-admitted",
        "nothing in FORWARD accepts the packets that the rule translates"
        + (", unless the address is one of this host" if own else ""),
        standing.span, place=standing.place, severity_override=Severity.INFO if own else None,
        help="accept them in FORWARD by their new destination, or by the old one with `-m conntrack --ctorigdstport`",
    )  # fmt: skip


def _translated(rule: Rule, rewrite: Rewrite, family: int) -> Known:
    """Return what is known of the first packet of a connection behind the rule."""
    assert rewrite.addresses is not None
    known: dict[fields.Field, IntervalSet | NameSet] = {
        fields.DST: rewrite.addresses,
        fields.CT_STATE: NameSet.of("NEW"),
    }
    predicate = rule.predicate(family)
    for atom in predicate.parts if isinstance(predicate, All) else (predicate,):
        if isinstance(atom, In) and atom.field in {fields.PROTO, fields.DPORT} and isinstance(atom.values, IntervalSet):
            known[atom.field] = atom.values
        if isinstance(atom, In) and atom.field is fields.IIF and isinstance(atom.values, NameSet):
            names = atom.values
            if not names.prefixes and not names.complement:
                known[fields.IIF] = names
    if rewrite.ports is not None:
        known[fields.DPORT] = rewrite.ports
    return known


class _Walk:
    """Looks for a rule that may accept packets of which something is known."""

    def __init__(self, survey: Survey, table: Table, known: Known) -> None:
        self.survey = survey
        self.table = table
        self.known = known
        self.around = Surroundings(table.family)
        self.passed: dict[int, bool] = {}
        self.entered: set[str] = set()

    def admits(self, hook: Hook) -> bool:
        """Whether some rule of the hook may accept them; a hook without a chain accepts all."""
        chain = self.table.chain(hook.value)
        return chain is None or self.accepts(chain)

    def accepts(self, chain: Chain, depth: int = 0) -> bool:
        """Whether some rule of the chain may accept them; one that is deeper than anybody writes counts as such."""
        if chain.name in self.entered:
            return False
        if depth > MAX_DEPTH:
            return True
        self.entered.add(chain.name)
        end = self.survey.endings(self.table).last.get(chain.name, len(chain.rules))
        return any(self.accepts_by(rule, depth) for rule in chain.rules[: end + 1])

    def accepts_by(self, rule: Rule, depth: int) -> bool:
        """Whether the rule may accept them, or what it jumps to."""
        target = rule.parts[-1] if rule.parts else None
        if not isinstance(target, Target | Unknown) or not all(map(self.passes, rule.parts)):
            return False
        if isinstance(target, Unknown):
            return target.is_target
        if target.chain:
            called = self.table.chain(target.chain)
            return called is None or self.accepts(called, depth + 1)
        return target.terminal and not is_return(target) and target.name not in {"DROP", "REJECT"}

    def passes(self, part: Part) -> bool:
        """Whether they may pass a test."""
        found = self.passed.get(id(part))
        if found is None:
            found = isinstance(part, Target) or is_possible(part.meaning(self.around), self.known)
            self.passed[id(part)] = found
        return found
