"""All checks of a ruleset, one after the other: sorted, each finding once, without those that the source accepts.

`policyc.api.check` and the command `check` call `run_checks`; a new check is a line of CHECKS.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from policyc import FORMAT_VERSION
from policyc.checks import (
    admission,
    all_packets,
    answers,
    base_policies,
    bridged,
    client_ports,
    clocks,
    covered,
    dead_ends,
    families,
    few_ports,
    forward_policy,
    hit_counts,
    impossible,
    invalid_packets,
    jump_loops,
    limits,
    logging,
    long_lists,
    loopback,
    loopback_publications,
    loopback_targets,
    marks_for_routing,
    nat_as_filter,
    nat_policies,
    negations,
    objects,
    open_to_all,
    path_mtu,
    placement,
    published_inside,
    published_ports,
    raw_sockets,
    recent_lists,
    redirected,
    replies,
    set_directions,
    shares,
    states,
    test_blocks,
    this_host,
    tracking_helpers,
    translation_scope,
    tunnels,
    undefined_chains,
    unknown_parts,
    unreachable_chains,
    untracked,
    user_chain,
)
from policyc.checks.exactness import Exactness, exactness
from policyc.checks.statements import of_statements
from policyc.checks.survey import Survey
from policyc.collector import resting_collector
from policyc.diagnostics import CATALOGUE, Diagnostic, Severity, diagnose
from policyc.diagnostics.selection import all_codes_of
from policyc.diagnostics.suppressions import Suppression
from policyc.frozen import frozen
from policyc.netfilter.ruleset import Ruleset

Check = Callable[[Survey], Iterator[Diagnostic]]

CHECKS: tuple[Check, ...] = (
    placement.check,
    jump_loops.check,
    jump_loops.check_depth,
    undefined_chains.check,
    nat_policies.check,
    unreachable_chains.check,
    unreachable_chains.check_empty,
    dead_ends.check,
    covered.check,
    impossible.check,
    objects.check,
    hit_counts.check,
    loopback_targets.check,
    admission.check,
    replies.check,
    limits.check,
    logging.check,
    recent_lists.check,
    clocks.check,
    answers.check,
    client_ports.check,
    raw_sockets.check,
    published_ports.check,
    user_chain.check,
    loopback_publications.check,
    bridged.check,
    forward_policy.check,
    negations.check,
    loopback.check,
    base_policies.check,
    open_to_all.check,
    tunnels.check,
    path_mtu.check,
    long_lists.check,
    translation_scope.check,
    published_inside.check,
    redirected.check,
    nat_as_filter.check,
    shares.check,
    few_ports.check,
    marks_for_routing.check,
    states.check,
    untracked.check,
    tracking_helpers.check,
    invalid_packets.check,
    families.check,
    set_directions.check,
    this_host.check,
    unknown_parts.check,
)


SLOW = all_packets.CODES | test_blocks.CODES
"""The codes of the only checks that cost much, of which none says that rules cannot be loaded."""


@frozen
class Report:
    """What `check` found: `diagnostics` in the order of their places, and how far the rules are known."""

    diagnostics: tuple[Diagnostic, ...]
    exactness: Exactness

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract (`check --format json`)."""
        summary = {severity.label: 0 for severity in sorted(Severity, reverse=True)}
        for found in self.diagnostics:
            summary[found.severity.label] += 1
        return {
            "format_version": FORMAT_VERSION,
            "diagnostics": [found.to_dict() for found in self.diagnostics],
            "exactness": self.exactness.to_dict(),
            "summary": summary,
        }


def run_checks(ruleset: Ruleset, *, select: Iterable[str] | None = None, ignore: Iterable[str] | None = None) -> Report:
    """Ask all checks about a ruleset.

    `select` and `ignore` hold codes, names, beginnings of codes or `all`; what is ignored is not reported even if it is
    selected. Raises UnknownCodeError for a word that stands for no code.
    """
    asked = all_codes_of(select) if select is not None else frozenset(item.code for item in CATALOGUE)
    asked -= all_codes_of(ignore or ())
    survey = Survey(ruleset)
    with resting_collector():
        each = [one for check in CHECKS for one in check(survey)]
        if asked & test_blocks.CODES:
            each += test_blocks.check(survey)
        if asked & all_packets.CODES:
            each = all_packets.beside(survey, each)
        found = [*ruleset.notes, *of_statements(each, ruleset)]
    kept = _accepted([finding for finding in found if finding.code in asked], ruleset.suppressions, asked)
    once = {(finding.code, finding.message, finding.span or finding.place): finding for finding in reversed(kept)}
    return Report(tuple(sorted(once.values(), key=lambda finding: finding.sort_key)), exactness(survey))


def _accepted(
    found: list[Diagnostic], suppressions: tuple[Suppression, ...], asked: frozenset[str]
) -> list[Diagnostic]:
    """Return the findings without those that a comment accepts, and a finding for each code of a comment that accepts none."""
    used: set[tuple[Suppression, str]] = set()
    kept = []
    for finding in found:
        takers = [one for one in suppressions if one.takes(finding)]
        used.update((one, finding.code) for one in takers)
        if not takers:
            kept.append(finding)
    unused = diagnose("unused-suppression", "").code
    for one in suppressions if unused in asked else ():
        for code in one.codes:
            if code in asked and (one, code) not in used:
                name = next(item.name for item in CATALOGUE if item.code == code)
                kept.append(
                    diagnose(
                        unused, f"nothing here is found to be `{name}` ({code})", one.span, help="delete the comment"
                    )
                )
    return kept
