"""A published port seen from elsewhere: ways in that are left open, and what its server sees. Part of `explanation.insights`."""

from __future__ import annotations

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named, tested_fields
from policyc.explanation.insights.translation import ABOUT_TARGETS, source_hidden
from policyc.explanation.outcomes import Way
from policyc.net.addresses import format_address
from policyc.netfilter.hooks import Hook
from policyc.simulation.trace import FORWARDED


def open_another_way(evidence: Evidence) -> Insight | None:
    """Find a published port that is closed in FORWARD alone: packets of this host itself reach the server by OUTPUT."""
    event, last, place = evidence.redirected, evidence.last, evidence.deciding
    if event is None or not evidence.is_refused or last is None or last.hook is not Hook.FORWARD or place is None:
        return None
    rule = last.looks[-1].rule
    if rule is None or rule.selector("-i") or ABOUT_TARGETS.isdisjoint(tested_fields(rule, evidence.family)):
        return None  # it closes one entrance, or nothing in particular
    asked = ((event.before.dst, event.before.dport), (event.after.dst, event.after.dport))
    found = [way for dst, dport in asked if (way := _from_here(evidence, dst, dport)).delivered]
    reaching = [one for one in found if (one.packet.dst, one.packet.dport) == (event.after.dst, event.after.dport)]
    if not reaching:
        return None
    ends = {f"{format_address(one.sent.dst, evidence.family)}:{one.sent.dport}": None for one in reaching}
    text = (
        f"{named(place)} closes the way through FORWARD only: packets of this host itself, to {' or '.join(ends)}, pass OUTPUT "
        "and still reach the server; docker-proxy, which serves 127.0.0.1, sends such packets"
    )
    advice = f"refuse `-d {format_address(event.after.dst, evidence.family)}` in OUTPUT too"
    return Insight(Kind.OPEN_ANOTHER_WAY, text, (place,), advice)


def _from_here(evidence: Evidence, dst: int, dport: int | None) -> Way:
    """Return the way of the same packet, had a program of this host sent it."""
    event = evidence.redirected
    assert event is not None
    packet = evidence.way.sent.copy()
    packet.outgoing, packet.bound, packet.uid, packet.gid = True, "", 0, 0
    packet.iif, packet.mac_src, packet.claimed = None, None, None
    packet.src, packet.dst, packet.dport = event.before.dst, dst, dport
    return evidence.way.situation.walk(packet)


def client_hidden(evidence: Evidence) -> Insight | None:
    """Find a forwarded port whose server does not see its clients, since their source is translated too."""
    event, masked = evidence.redirected, evidence.masked
    if (
        event is None
        or masked is None
        or masked.hook is not Hook.POSTROUTING
        or evidence.way.trace.verdict != FORWARDED
    ):
        return None
    if source_hidden(evidence) is not None:
        return None
    family = evidence.family
    back = ", so that it answers through this host" if evidence.way.trace.device == evidence.way.sent.iif else ""
    text = (
        f"{format_address(masked.after.dst, family)} sees {format_address(masked.after.src, family)} instead of "
        f"{format_address(masked.before.src, family)}{back}; its log and its own rules cannot tell the clients apart"
    )
    place = evidence.translator(masked)
    return Insight(Kind.CLIENT_HIDDEN, text, () if place is None else (place,))
