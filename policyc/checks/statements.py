"""From kernel rules back to the statements of a policy: a statement is dead when all rules that come from it are.

One line of a policy becomes rules in several chains and in both families. That one of them has nothing left to do is how
lowering works; a line is worth a finding when none of its rules has, or none in one family.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from policyc.diagnostics import Diagnostic, entry
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Span

DEAD = tuple(
    entry(name).code
    for name in (
        "shadowed-rule", "redundant-rule", "contradicted-rule", "rule-after-terminal", "duplicate-rule", "never-matches",
        "out-of-context",
    )
)  # fmt: skip


def of_statements(found: Iterable[Diagnostic], ruleset: Ruleset) -> list[Diagnostic]:
    """Return the findings with those about dead rules of a policy turned into findings about its statements.

    Of a dump every rule is a statement, so that nothing changes.
    """
    if ruleset.intent is None:
        return list(found)
    kept = []
    dead: defaultdict[Span, list[Diagnostic]] = defaultdict(list)
    for finding in found:
        if finding.code in DEAD and finding.span is not None and finding.place is not None:
            dead[finding.span].append(finding)
        else:
            kept.append(finding)
    if dead:
        rules = Counter((rule.span, table.family) for table, _, _, rule in ruleset.rules() if rule.span in dead)
        for span, findings in dead.items():
            kept.extend(_of_statement(findings, {f: rules[span, f] for f in (4, 6) if rules[span, f]}))
    return kept


def _of_statement(findings: list[Diagnostic], rules: dict[int, int]) -> list[Diagnostic]:
    """Return the finding of a statement that makes so many rules in each family, none where it has something to do in both."""
    places = {finding.place for finding in findings}
    idle = [
        family for family, count in rules.items() if sum(p is not None and p.family == family for p in places) == count
    ]
    if not idle:
        return []
    first = min(
        (f for f in findings if f.place is not None and f.place.family in idle),
        key=lambda f: (DEAD.index(f.code), f.sort_key),
    )
    if len(idle) == len(rules):
        return [first]
    return [replace(first, message=f"{first.message}, in IPv{idle[0]}")]
