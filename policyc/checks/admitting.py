"""Whether a hook of the table filter can accept packets of which something is known, and what refuses them otherwise.

Two looks: whether any rule may accept them, in whatever order, and a walk in order that ends at the first rule that decides
for certain. What is not known counts in favour of the packets, so that nobody is warned without reason.
"""

from __future__ import annotations

from enum import Enum

from policyc.checks.endings import is_return
from policyc.checks.possible import Known, is_certain, is_possible
from policyc.checks.survey import Standing, Survey
from policyc.checks.ways import MAX_DEPTH
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Part, Target, Unknown
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table

MOST_LOOKS = 20_000  # at rules, in one walk; what takes longer counts as accepted


def falls_through(survey: Survey, table: Table, hook: Hook) -> bool:
    """Whether a packet that no rule decides is accepted."""
    chain = table.chain(hook.value)
    return chain is None or (chain.policy != "DROP" and hook.value not in survey.endings(table).last)


class _Fate(Enum):
    MAYBE_ACCEPTED = "maybe accepted"
    GOES_ON = "goes on"


class Admission:
    """Looks for what may accept packets of which something is known."""

    def __init__(self, survey: Survey, table: Table, known: Known) -> None:
        self.survey = survey
        self.table = table
        self.known = known
        self.around = Surroundings(table.family)
        self.passed: dict[int, bool] = {}
        self.certain: dict[int, bool] = {}
        self.entered: set[str] = set()
        self.looks = 0

    # ------------------------------------------------------------------ in whatever order
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

    # ------------------------------------------------------------------ in order
    def refused_by(self, hook: Hook) -> Standing | Chain | None:
        """Return the rule that refuses them for certain, the hook's chain for its policy, None where they may be accepted."""
        chain = self.table.chain(hook.value)
        if chain is None:
            return None
        found = self.walk(chain)
        if found is _Fate.GOES_ON:
            return chain if chain.policy == "DROP" else None
        return None if isinstance(found, _Fate) else found

    def walk(self, chain: Chain, depth: int = 0) -> Standing | _Fate:
        """Return the rule of the chain, or of one below it, that refuses them, or how they leave it otherwise."""
        for number, rule in enumerate(chain.rules, 1):
            self.looks += 1
            target = rule.parts[-1] if rule.parts else None
            if isinstance(target, Unknown) and target.is_target and all(map(self.passes, rule.parts[:-1])):
                return _Fate.MAYBE_ACCEPTED
            if not isinstance(target, Target) or not all(map(self.passes, rule.parts)):
                continue
            found = self.decided(Standing(self.table, chain, number, rule), target, depth)
            if found is not None:
                return found
        return _Fate.GOES_ON

    def decided(self, standing: Standing, target: Target, depth: int) -> Standing | _Fate | None:
        """Return how a rule ends the chain's walk, None where they may come to the next rule."""
        is_certain_here = all(map(self.surely_passes, standing.rule.parts))
        if target.chain:
            called = self.table.chain(target.chain)
            if called is None or depth > MAX_DEPTH or self.looks > MOST_LOOKS:
                return _Fate.MAYBE_ACCEPTED
            below = self.walk(called, depth + 1)
            if below is _Fate.GOES_ON:
                return _Fate.GOES_ON if target.goto and is_certain_here else None
            return below if is_certain_here or below is _Fate.MAYBE_ACCEPTED else None
        if not target.terminal:
            return None
        if is_return(target):
            return _Fate.GOES_ON if is_certain_here else None
        if target.name in {"DROP", "REJECT"}:
            return standing if is_certain_here else None
        return _Fate.MAYBE_ACCEPTED

    # ------------------------------------------------------------------ tests
    def passes(self, part: Part) -> bool:
        """Whether they may pass a test."""
        found = self.passed.get(id(part))
        if found is None:
            found = isinstance(part, Target) or is_possible(part.meaning(self.around), self.known)
            self.passed[id(part)] = found
        return found

    def surely_passes(self, part: Part) -> bool:
        """Whether all of them pass a test."""
        found = self.certain.get(id(part))
        if found is None:
            found = isinstance(part, Target) or is_certain(part.meaning(self.around), self.known)
            self.certain[id(part)] = found
        return found
