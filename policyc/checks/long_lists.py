"""long-list: many neighbouring rules that differ in one address and do the same; a set asks once for all of them."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.parts import Selector
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain

MANY = 100
"""A rule costs each packet about 10 ns; from here on a set is faster and can change without loading rules."""


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the first rule of each such list."""
    for table, chain in survey.chains:
        if len(chain.rules) <= MANY or not survey.graph(table).hooks[chain.name]:
            continue
        for number, count in _lists(chain):
            standing = Standing(table, chain, number, chain.rules[number - 1])
            if count > MANY and not standing.is_foreign:
                yield diagnose(
                    "long-list", f"{count} rules from here on differ in one address only, and each packet passes them one by one",
                    standing.span, place=standing.place,
                    help="one rule with `-m set --match-set` asks a set of these addresses; in a policy, `set`",
                )  # fmt: skip


def _lists(chain: Chain) -> Iterator[tuple[int, int]]:
    """Yield where rules of one form begin (from 1) and how many there are."""
    form: tuple[object, ...] | None = None
    first = count = 0
    for number, rule in enumerate(chain.rules, 1):
        own = _form(rule)
        if own is not None and own == form:
            count += 1
            continue
        if count:
            yield first, count
        form, first, count = own, number, int(own is not None)
    if count:
        yield first, count


def _form(rule: Rule) -> tuple[object, ...] | None:
    """Return a rule's parts without its address; None where it has none, or two."""
    parts = rule.parts
    addresses = [part for part in parts if isinstance(part, Selector) and part.option in {"-s", "-d"}]
    if len(addresses) != 1 or addresses[0].negated:
        return None
    return tuple(
        [part.option if part is addresses[0] else id(part) for part in parts if not part.text.startswith("-m comment ")]
    )
