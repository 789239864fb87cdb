"""Blocks `TABLE A -> B { rules }`: calls opened, the hook found, the rules resolved for all pairs at once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policyc.diagnostics import Related
from policyc.frozen import frozen
from policyc.language import tree as t
from policyc.language.print_rules import BREAK, pair_text
from policyc.language.rules import Rule as WrittenRule
from policyc.language.rules import RuleLine, Use
from policyc.netfilter.hooks import Hook
from policyc.policy.calls import Calls
from policyc.policy.defined import SELF
from policyc.policy.findings import Findings
from policyc.policy.identity import description
from policyc.policy.lines import Line
from policyc.policy.misplaced import Placement
from policyc.policy.model import Block, Rule
from policyc.policy.places import AFTER, BEFORE, FORWARDED, Place, Places
from policyc.policy.rules import Rules
from policyc.policy.verbs import AFTER_ROUTING, BEFORE_ROUTING, VERBS

_NAT_VERB = re.compile(rf"\b(?:{'|'.join((*BEFORE_ROUTING, *AFTER_ROUTING))})\b")


@frozen
class Blocks:
    """Resolves blocks; what is wrong with one is reported."""

    places: Places
    calls: Calls
    rules: Rules
    findings: Findings

    def resolve(self, block: t.RuleBlock) -> Block | None:
        """Return a block; None after a report."""
        table = block.table
        when = self._when(block)
        self.findings.calls = ()
        place = self.places.place(table, block.pair, when or FORWARDED, pair_text(block.pair).replace(BREAK, " "))
        if place is None or when is None:
            # Names and values of the rules are looked at all the same: all errors of a file come in one run.
            place = Place.of(table, (), "", self.places.families)
            self._rules(self.calls.lines(block.lines, _hooks(block), table), place)
            return None
        rules = self._rules(self.calls.lines(block.lines, place.hooks, table), place)
        return Block(table, place.pairs, rules, place.text, description(block.comments), block.head)

    def alone(self, define: t.Define) -> None:
        """Look at a `define` that nothing calls, in the first table that has all of its verbs."""
        verbs = {line.verb.name for line in define.lines if isinstance(line, WrittenRule)}
        table = next((table for table, known in VERBS.items() if verbs.issubset(known)), "filter")
        self._rules(self.calls.alone(define, table), Place.of(table, (), "", self.places.families))

    def _rules(self, lines: Sequence[Line], place: Place) -> tuple[Rule, ...]:
        resolve, placement = self.rules.resolve, Placement(self.findings, place)
        found = [rule for line in lines if (rule := resolve(line, place, placement))]
        for line in lines[:-1]:
            if line.rule.otherwise and line.call:
                self.findings.calls = line.call.spans
                message = "`otherwise` ends a block, but rules follow the call that it comes from"
                hint = "move the call to the end of the block"
                self.findings.report("misplaced-word", message, line.rule.span, hint)
        self.findings.calls = ()
        return tuple(found)

    def _when(self, block: t.RuleBlock) -> str | None:
        """Return when the rules of a block see their packets; None where a nat block does not say it, or says both."""
        if block.table != "nat":
            return FORWARDED if block.table == "filter" else BEFORE
        first: dict[str, WrittenRule] = {}
        rules = self._verbs(block.lines)
        for rule in rules:
            if rule.verb.name in BEFORE_ROUTING:
                first.setdefault(BEFORE, rule)
            elif rule.verb.name in AFTER_ROUTING:
                first.setdefault(AFTER, rule)
        if len(first) == 1:
            return next(iter(first))
        if first:
            one, other = (rule.verb for rule in sorted(first.values(), key=lambda rule: rule.span.start))
            message = f"`{other.name}` and `{one.name}` stand in one block, but not in one hook of nat"
            related = [Related(f"`{one.name}` stands here", one.span)]
            self.findings.report("wrong-hook", message, other.span, "make it two blocks", related)
        elif not block.lines:
            return BEFORE
        elif all(rule.verb.name in VERBS["nat"] for rule in rules) and not _NAT_VERB.search(block.span.text):
            # A line that the parser refused is not among the lines, but it stands in the text.
            message = "nothing says which hook of nat this block is for"
            hint = (
                "a block with `dnat` or `redirect` is for PREROUTING, one with `snat` or `masquerade` for POSTROUTING"
            )
            self.findings.report("missing-word", message, block.head, hint)
        return None

    def _verbs(self, lines: Sequence[RuleLine]) -> list[WrittenRule]:
        """Return the rules of some lines, those of the `define`s that they use among them."""
        found: list[WrittenRule] = []
        for line in lines:
            if isinstance(line, WrittenRule):
                found.append(line)
            else:
                found += self._used(line)
        return found

    def _used(self, use: Use) -> list[WrittenRule]:
        define = self.calls.names.meanings.get(use.name.text)
        if not isinstance(define, t.Define):
            return []
        below = self.calls.order[define.name.text]
        above = [
            line
            for line in define.lines
            if isinstance(line, WrittenRule) or self.calls.order.get(line.name.text, below) < below
        ]
        return self._verbs(above)


def _hooks(block: t.RuleBlock) -> tuple[Hook, ...]:
    """Return a hook for a block whose pairs are not known."""
    return (Hook.INPUT,) if any(name.text == SELF.word for name in block.pair.targets) else (Hook.FORWARD,)
