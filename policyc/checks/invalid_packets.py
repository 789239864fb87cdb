"""invalid-not-dropped: a router that translates lets pass what connection tracking cannot place.

An INVALID packet belongs to no connection, so that nat passes it by and it leaves with its inner address. The far end answers
with a reset to somebody else, or the near end resets its connection.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import Admission, falls_through
from policyc.checks.survey import Survey
from policyc.checks.translations import translations
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook

_LIBERAL = "net.netfilter.nf_conntrack_tcp_be_liberal"


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield FORWARD where INVALID packets may pass although connections are translated on this host."""
    host = survey.ruleset.host
    if host is not None and host.sysctls.text(_LIBERAL) == "1":
        return
    for table in survey.tables:
        chain = table.chain(Hook.FORWARD.value)
        if table.name != "filter" or chain is None or survey.ruleset.shared:
            continue
        if not falls_through(survey, table, Hook.FORWARD):
            continue
        one = next(
            (t for t in translations(survey, "DNAT", Hook.PREROUTING) if t.standing.table.family == table.family), None
        )
        if one is None or Admission(survey, table, {fields.CT_STATE: NameSet.of("INVALID")}).refused_by(Hook.FORWARD):
            continue
        if not _mentions(survey):
            yield diagnose(
                "invalid-not-dropped", "packets that belong to no connection pass FORWARD untranslated",
                chain.span, place=Place(table.family, table.name, chain.name, 0),
                related=(one.standing.related("translates connections on their way"),),
                help="drop `--ctstate INVALID` in FORWARD, or set nf_conntrack_tcp_be_liberal=1",
            )  # fmt: skip


def _mentions(survey: Survey) -> bool:
    """Whether any rule asks for the state, so that somebody has thought of it."""
    return any(
        "INVALID" in part.options.get(option, ())
        for name, option in (("conntrack", "ctstate"), ("state", "state"))
        for _, part in survey.uses(name, foreign=True)
    )
