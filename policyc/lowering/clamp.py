"""`clamp mss on zones`: the MSS of both ends follows the path's MTU, whichever way the connection is opened."""

from __future__ import annotations

from policyc.lowering.draft import Draft
from policyc.lowering.intent_line import Writer
from policyc.lowering.sides import has_family, source_tests, target_tests
from policyc.lowering.statement import state
from policyc.lowering.tests import Tests
from policyc.netfilter.hooks import Hook
from policyc.policy.defined import ANY, Side
from policyc.policy.model import Clamp

OPENING = "-p tcp -m tcp --tcp-flags SYN,RST SYN"
"""SYN and SYN,ACK: clamping one of them only leaves the other end's segments too large."""


def clamp(draft: Draft, item: Clamp) -> None:
    """Write the clamp for packets that are forwarded out by a zone or in by it."""
    state(draft, item)
    for family in item.families:
        for zone in item.zones:
            if has_family(zone, family):
                _clamp(Writer(draft, item, family), zone)
    for zone in item.zones:
        if not any(has_family(zone, family) for family in item.families):
            message = f"zone `{zone.word}` has no network of the families of the clamp"
            draft.report("wrong-family", message, item.span, help="take the zone out, or widen `family`")


def _clamp(writer: Writer, zone: Side) -> None:
    pieces = writer.pieces
    ways = (target_tests(pieces, zone), source_tests(pieces, zone))
    for way in ways[:1] if zone is ANY else ways:
        tests = Tests()
        tests.one_of(way)
        tests.common.extend(pieces.read(OPENING))
        writer.write("mangle", Hook.FORWARD, tests, [pieces.read("-j TCPMSS --clamp-mss-to-pmtu")])
