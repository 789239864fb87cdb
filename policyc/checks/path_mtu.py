"""path-mtu-blocked: the ICMP message that a packet is too large is refused, so that connections stall (RFC 1191).

It comes as RELATED to the connection that it is about; measured, uploads through a narrower link stop where it is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import Admission
from policyc.checks.possible import OUTSIDE, Known
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import ICMP
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook

FRAGMENTATION_NEEDED = 3 * 256 + 4
_KNOWN: Known = {
    fields.PROTO: IntervalSet.of(ICMP), fields.ICMP: IntervalSet.of(FRAGMENTATION_NEEDED),
    fields.CT_STATE: NameSet.of("RELATED"), fields.FRAG: NameSet.of("whole"), fields.SPORT: IntervalSet(),
    fields.DPORT: IntervalSet(), fields.TCP_FLAGS: IntervalSet(), fields.IIF: OUTSIDE,
}  # fmt: skip


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules about ICMP that refuse the message, where nothing before them accepts it."""
    for table in survey.tables:
        if table.name != "filter" or table.family != 4:
            continue
        for hook in (Hook.INPUT, Hook.FORWARD):
            refuser = Admission(survey, table, _KNOWN).refused_by(hook)
            if not isinstance(refuser, Standing) or refuser.is_foreign:
                continue
            if refuser.rule.protocol == ICMP or fields.ICMP in survey.tested(refuser):
                yield diagnose(
                    "path-mtu-blocked", "the rule drops the message that packets are too large, and connections stall",
                    refuser.span, place=refuser.place,
                    help="accept RELATED packets before it, or `-p icmp --icmp-type fragmentation-needed`",
                )  # fmt: skip
