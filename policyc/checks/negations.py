"""negations-take-all: two rules that each refuse everything but one value refuse everything together (measured)."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.fates import refuses
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.addresses import Network
from policyc.netfilter.parts import Selector, Target
from policyc.netfilter.ruleset import Chain, Table

_ONE_VALUE = frozenset(("-s", "-d", "-i", "-o", "-p"))


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the later of two such rules, whose other tests are the same."""
    for table, chain in survey.chains:
        if any(isinstance(part, Selector) and part.negated for part in survey.parts(chain).values()):
            yield from _in_chain(table, chain)


def _in_chain(table: Table, chain: Chain) -> Iterator[Diagnostic]:
    earlier: dict[tuple[str, tuple[str, ...]], Standing] = {}
    for number, rule in enumerate(chain.rules, 1):
        negated = [part for part in rule.selectors if part.negated and part.option in _ONE_VALUE]
        if len(negated) != 1 or not refuses(rule):
            continue
        (test,) = negated
        others = tuple(part.text for part in rule.parts if part is not test and not isinstance(part, Target))
        standing = Standing(table, chain, number, rule)
        before = earlier.setdefault((test.option, others), standing)
        first = next(part for part in before.rule.selectors if part.option == test.option)
        if before is not standing and not standing.is_foreign and _are_apart(first, test):
            yield diagnose(
                "negations-take-all", f"together with an earlier rule this one refuses every packet, `{first.value}` and"
                f" `{test.value}` included",
                standing.span, place=standing.place, related=(before.related("refuses all others than one"),),
                help="accept both values first and refuse the rest in one rule behind them",
            )  # fmt: skip


def _are_apart(one: Selector, other: Selector) -> bool:
    """Whether no packet has both values."""
    a, b = one.value, other.value
    if isinstance(a, Network) and isinstance(b, Network):
        return bool((a.address ^ b.address) & a.mask & b.mask)
    if isinstance(a, str) and isinstance(b, str):
        return a != b and not a.endswith("+") and not b.endswith("+")
    return a != b
