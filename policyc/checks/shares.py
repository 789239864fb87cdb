"""uneven-shares: rules that share connections by chance, with chances that do not add up (net/netfilter/xt_statistic.c).

Each rule sees what the earlier ones left: of three targets the first takes 1/3, the second 1/2 of the rest, the last all.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Related, diagnose
from policyc.netfilter.extensions.statistic import SCALE
from policyc.netfilter.parts import Target
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain

_TOLERANCE = 0.02


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the first rule of each series of translations whose shares differ, or leave some connections over."""
    seen: set[int] = set()
    for standing, _ in survey.uses("statistic"):
        if standing.table.name != "nat" or id(standing.rule) in seen:
            continue
        series = _series(standing.chain, standing.number)
        seen.update(map(id, series))
        if len(series) < 2:
            continue
        chances = [_chance(rule) for rule in series]
        if None in chances:
            continue
        wrong = _fault([one for one in chances if one is not None])
        if wrong:
            yield diagnose(
                "uneven-shares", f"{wrong}: each rule sees only what the ones before it left",
                standing.span, place=standing.place, related=_others(standing, series),
                help=f"for equal shares: {_right(len(series))}",
            )  # fmt: skip


def _others(standing: Standing, series: list[Rule]) -> tuple[Related, ...]:
    places = range(standing.number + 1, standing.number + len(series))
    rest = zip(places, series[1:], strict=True)
    return tuple(Standing(standing.table, standing.chain, n, rule).related("belongs to it") for n, rule in rest)


def _series(chain: Chain, number: int) -> list[Rule]:
    """Return the rules from a number (from 1) on that are the same but for chance and target."""
    form = _form(chain.rules[number - 1])
    found = []
    for rule in chain.rules[number - 1 :]:
        if _form(rule) != form or rule.target is None:
            break
        found.append(rule)
        if rule.match("statistic") is None:
            break
    return found


def _form(rule: Rule) -> tuple[object, ...]:
    kept = [
        part.text
        for part in rule.parts
        if not isinstance(part, Target) and not part.text.startswith(("-m statistic", "-m comment"))
    ]
    target = rule.target
    return (*kept, target.name if target is not None and target.extension is not None else "")


def _chance(rule: Rule) -> float | None:
    """Return a rule's chance, 1 without `-m statistic`; None for one by turn, or a negated one."""
    found = rule.match("statistic")
    if found is None:
        return 1.0
    options = found.options
    if "probability" not in options or options.negated("probability"):
        return None
    return float(options["probability"]) / SCALE


def _fault(chances: list[float]) -> str:
    left, shares = 1.0, []
    for chance in chances:
        shares.append(left * chance)
        left -= left * chance
    if left > _TOLERANCE:
        return f"{left:.0%} of the connections are translated by none of the {len(chances)} rules"
    if max(shares) - min(shares) > 2 * _TOLERANCE and len(set(chances[:-1])) == 1:
        return "the shares are " + ", ".join(f"{share:.0%}" for share in shares)
    return ""


def _right(count: int) -> str:
    return ", ".join(f"{1 / left:.5f}" for left in range(count, 1, -1)) + ", and the last rule without `-m statistic`"
