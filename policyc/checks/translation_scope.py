"""unscoped-masquerade, unscoped-dnat: translations that take more packets than they are meant for (measured)."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.contexts import OTHER
from policyc.checks.survey import Survey
from policyc.checks.translations import is_scoped, translations
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook

_WHERE_TO = frozenset(
    (
        OTHER,
        fields.OIF,
        fields.DST,
        fields.DST_TYPE,
        fields.MARK,
        fields.CT_MARK,
        fields.IPSEC_OUT,
        fields.IIF,
        fields.CT_STATUS,
    )
)


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the translations that test neither an interface nor an address, nor anything else that tells packets apart."""
    for name in ("MASQUERADE", "SNAT"):
        for one in translations(survey, name, Hook.POSTROUTING):
            tested = survey.tested(one.standing)
            if tested.isdisjoint(_WHERE_TO) and fields.SRC in tested:
                yield diagnose(
                    "unscoped-masquerade", "the rule also translates what goes to inner networks, and between ports of a bridge",
                    one.standing.span, place=one.standing.place, severity_override=Severity.INFO,
                    help="test the outgoing interface with `-o`; for a bridge's own network, `! -o` the bridge",
                )  # fmt: skip
            elif not is_scoped(tested):
                yield diagnose(
                    "unscoped-masquerade", "the rule translates whatever leaves by any interface, to inner networks too",
                    one.standing.span, place=one.standing.place,
                    help="test the outgoing interface with `-o`, and the inner network with `-s`",
                )  # fmt: skip
    for one in translations(survey, "DNAT", Hook.PREROUTING):
        tested = survey.tested(one.standing)
        if not is_scoped(tested) and fields.DPORT in tested:
            yield diagnose(
                "unscoped-dnat", "the rule takes connections to that port of any host, those of inner hosts to the outside too",
                one.standing.span, place=one.standing.place,
                help="test the incoming interface, the public address, or `-m addrtype --dst-type LOCAL`",
            )  # fmt: skip
