"""bridge-not-filtered: a rule keeps the members of a bridge apart, and frames within a bridge do not come to iptables.

Asked only where the host or the policy says that `net.bridge.bridge-nf-call-iptables` is 0.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.hooks import Hook
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table

_SETTING = {4: "net.bridge.bridge-nf-call-iptables", 6: "net.bridge.bridge-nf-call-ip6tables"}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the drops from an interface to itself that see no packet."""
    for table in survey.tables:
        setting = _SETTING[table.family]
        if table.name != "filter" or not _is_off(survey, setting):
            continue
        hooks = survey.graph(table).hooks
        for chain in table.chains:
            for number, rule in enumerate(chain.rules if Hook.FORWARD in hooks[chain.name] else (), 1):
                name = _within(rule, table)
                if name:
                    standing = Standing(table, chain, number, rule)
                    yield diagnose(
                        "bridge-not-filtered",
                        f"members of `{name}` reach each other past the rule: {setting} is 0",
                        standing.span, place=standing.place,
                        help=f"set {setting}=1 (module br_netfilter); in a policy, `require sysctl {setting} = 1`",
                    )  # fmt: skip


def _is_off(survey: Survey, setting: str) -> bool:
    host, intent = survey.ruleset.host, survey.ruleset.intent
    required = [one.value for one in intent.sysctls if one.name == setting] if intent is not None else []
    if required:
        return required[-1] == "0"
    return host is not None and host.sysctls.given.get(setting) == "0"


def _within(rule: Rule, table: Table) -> str:
    """Return the interface between whose members a rule drops packets, itself or by a chain, "" where it does not."""
    incoming, outgoing, target = rule.selector("-i"), rule.selector("-o"), rule.target
    if incoming is None or outgoing is None or target is None:
        return ""
    called = table.chain(target.chain) if target.chain else None
    names = [each.target.name for each in called.rules if each.target] if called else [target.name]
    if not {"DROP", "REJECT"} & set(names):
        return ""
    same = incoming.value == outgoing.value and not incoming.negated and not outgoing.negated
    return str(incoming.value) if same else ""
