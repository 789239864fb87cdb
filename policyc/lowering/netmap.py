"""`netmap outer <-> inner on zones`: the destination on the way in, the source on the way out."""

from __future__ import annotations

from policyc.lowering.distinct import item_of
from policyc.lowering.draft import Draft
from policyc.lowering.intent_line import Writer
from policyc.lowering.sides import has_family, source_tests, target_tests
from policyc.lowering.statement import state
from policyc.lowering.tests import Tests
from policyc.netfilter.hooks import Hook
from policyc.policy.model import Netmap


def netmap(draft: Draft, item: Netmap) -> None:
    """Write both directions of a map between two networks."""
    state(draft, item)
    for family in item.families:
        writer = Writer(draft, item, family)
        pieces = writer.pieces
        outer, inner = (item_of(side.first, side.last, family) for side in (item.outer, item.inner))
        for zone in item.zones:
            if not has_family(zone, family):
                message = f"zone `{zone.word}` has no network of the family of the map"
                draft.report("wrong-family", message, item.span, help="add a network to the zone")
                continue
            tests = Tests()
            tests.one_of(source_tests(pieces, zone))
            tests.common.extend(pieces.address("-d", outer))
            writer.write("nat", Hook.PREROUTING, tests, [pieces.read(f"-j NETMAP --to {inner}")])
            tests = Tests()
            tests.one_of(target_tests(pieces, zone))
            tests.common.extend(pieces.address("-s", inner))
            writer.write("nat", Hook.POSTROUTING, tests, [pieces.read(f"-j NETMAP --to {outer}")])
