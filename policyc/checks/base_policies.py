"""locked-out, decorative-policy, open-router: base policies that say the opposite of what the rules say."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import falls_through
from policyc.checks.fates import accepts, refuses
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Unknown
from policyc.netfilter.ruleset import Chain, Table

_HIDES_SENDERS = ("MASQUERADE", "SNAT")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the base chains of the table filter whose policy and rules do not go together."""
    for table in survey.tables:
        if table.name == "filter" and not survey.ruleset.shared:
            yield from _locked_out(survey, table)
            yield from _decorative(table)
            yield from _open_router(survey, table)


def _chains(survey: Survey, table: Table, hook: Hook) -> Iterator[Chain]:
    hooks = survey.graph(table).hooks
    return (chain for chain in table.chains if hook in hooks[chain.name])


def _locked_out(survey: Survey, table: Table) -> Iterator[Diagnostic]:
    chain = table.chain(Hook.INPUT.value)
    if chain is None or chain.policy != "DROP":
        return
    parts = [part for one in _chains(survey, table, Hook.INPUT) for part in survey.parts(one).values()]
    if any(isinstance(part, Unknown) or getattr(part, "name", "") in {"ACCEPT", "NFQUEUE", "QUEUE"} for part in parts):
        return
    yield diagnose(
        "locked-out", "INPUT drops everything: its policy is DROP and no rule accepts a packet",
        chain.span, place=Place(table.family, table.name, chain.name, 0),
        help="`iptables -F` deletes rules and leaves policies: set the policy to ACCEPT, or load rules that accept",
    )  # fmt: skip


def _decorative(table: Table) -> Iterator[Diagnostic]:
    for chain in table.chains:
        if chain.policy != "DROP":
            continue
        number = next((n for n, rule in enumerate(chain.rules, 1) if accepts(rule) and rule.is_unconditional), None)
        if number is not None:
            standing = Standing(table, chain, number, chain.rules[number - 1])
            yield diagnose(
                "decorative-policy", f"the rule accepts every packet, so that the policy DROP of {chain.name} never decides",
                standing.span, place=standing.place,
                help="say what is accepted (was `-i lo` lost?), or set the policy to ACCEPT",
            )  # fmt: skip


def _open_router(survey: Survey, table: Table) -> Iterator[Diagnostic]:
    """Yield FORWARD where nothing refuses, and somebody is translated behind it, so that this host forwards."""
    chain = table.chain(Hook.FORWARD.value)
    if chain is None or not falls_through(survey, table, Hook.FORWARD):
        return
    through = list(_chains(survey, table, Hook.FORWARD))
    if any(refuses(rule) for one in through for rule in one.rules) or any(
        isinstance(part, Unknown) for one in through for part in survey.parts(one).values()
    ):
        return
    for name in _HIDES_SENDERS:
        for standing, _ in survey.uses(name):
            if standing.table.family == table.family:
                yield diagnose(
                    "open-router", "this host forwards everything: FORWARD refuses nothing, in either direction",
                    chain.span, place=Place(table.family, table.name, chain.name, 0),
                    related=(standing.related("this translation shows that it is a router"),),
                    help="set the policy of FORWARD to DROP, and accept what may pass and ESTABLISHED packets",
                )  # fmt: skip
                return
