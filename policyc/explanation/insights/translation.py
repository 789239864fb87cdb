"""NAT and what people expect of it: INPUT and FORWARD see the packet after translation. Part of `explanation.insights`."""

from __future__ import annotations

from dataclasses import replace

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named, tested_fields
from policyc.explanation.places import RulePlace
from policyc.explanation.replies import neighbours_on
from policyc.net.addresses import format_address
from policyc.netfilter.hooks import Hook
from policyc.simulation.journey import Routed, Translated, Visit

_DESTINATION = frozenset(("dst", "dport"))
ABOUT_TARGETS = _DESTINATION | {"ct.orig.dst", "ct.orig.dport"}


def input_never_visited(evidence: Evidence) -> Insight | None:
    """Find a published port: its packet is translated before routing, so that rules in INPUT about it have no say."""
    event, table = evidence.redirected, evidence.way.situation.ruleset.table(evidence.family, "nat")
    routed = evidence.routed
    if (
        event is None
        or event.hook is not Hook.PREROUTING
        or table is None
        or routed is None
        or routed.kind != "forward"
    ):
        return None
    other = evidence.walked_with(None, table)
    to_itself = any(isinstance(one, Routed) and one.kind == "local" for one in other.journey.events)
    step = other.trace.deciding
    if not to_itself or step is None or other.delivered is evidence.way.delivered:
        return None
    accepts, translator = other.delivered, evidence.translator(event)
    if step.rule == "policy" and (accepts or translator is None or translator.chain == Hook.PREROUTING.value):
        return None  # who writes a rule into PREROUTING means the packet to go on; a tool's chain surprises
    place = evidence.places.of(evidence.family, step.table, step.chain, step.rule)
    fate = "accept" if accepts else "drop"
    text = (
        f"INPUT is never visited: {_by(evidence, event)} made the destination {event.after.destination} before routing, so "
        f"{named(place)}, which would {fate} a packet to {event.before.destination}, has no say"
    )
    port = (
        ""
        if event.before.dport is None
        else f", by its original port `-m conntrack --ctorigdstport {event.before.dport}`"
    )
    advice = "" if accepts else f"restrict it in {_place_for_own_rules(evidence)}{port}"
    return Insight(Kind.INPUT_NEVER_VISITED, text, _places(evidence, event, place), advice)


def tests_before_translation(evidence: Evidence) -> Insight | None:
    """Find a rule that tests address or port as they were before translation."""
    event = evidence.redirected
    if event is None:
        return None
    for visit, look in evidence.missed(Hook.FORWARD, Hook.INPUT, Hook.OUTPUT, Hook.POSTROUTING):
        failing = evidence.failing(look)
        if not failing or not _DESTINATION.issuperset(failing) or not _follows(evidence, event, visit):
            continue
        assert look.rule is not None
        original = replace(look.packet, dst=event.before.dst, dport=event.before.dport)
        if evidence.misses.of(look.rule, original):
            continue
        place = evidence.place(visit, look)
        now, was = event.after.shown(), event.before.shown()
        changed = [field for field in ("dst", "dport") if field in failing]
        here = " and ".join(f"{field} {now[field]}" for field in changed)
        before = " and ".join(f"{field} {was[field]}" for field in changed)
        text = (
            f"{visit.hook.value} sees the packet after translation: {named(place)} tests for {before}, but "
            f"{_by(evidence, event)} has made that {here} before"
        )
        originals = " ".join(f"{_ORIGINAL[field]} {was[field]}" for field in changed)
        advice = f"test {here} there, or the original with `-m conntrack {originals}`"
        return Insight(Kind.TESTS_BEFORE_TRANSLATION, text, _places(evidence, event, place), advice)
    return None


_ORIGINAL = {"dst": "--ctorigdst", "dport": "--ctorigdstport"}


def translated_not_accepted(evidence: Evidence) -> Insight | None:
    """Find a forwarded port that nothing accepts: translation alone lets nothing pass."""
    event, last, place = evidence.redirected, evidence.last, evidence.deciding
    if tests_before_translation(evidence) is not None:
        return None  # that rule was meant to accept it
    if event is None or evidence.translator(event) is None or not evidence.is_refused or last is None or place is None:
        return None
    rule = last.looks[-1].rule
    if rule is not None and not ABOUT_TARGETS.isdisjoint(tested_fields(rule, evidence.family)):
        return None  # it refuses this very target, on purpose
    if not _follows(evidence, event, last):
        return None
    text = (
        f"translating is not accepting: {_by(evidence, event)} only makes the destination {event.after.destination}; "
        f"then {last.hook.value} must accept the packet, and {named(place)} does not"
    )
    port = "" if event.after.dport is None else f" --dport {event.after.dport}"
    to = format_address(event.after.dst, evidence.family)
    advice = f"accept it there as it looks then: `-d {to} -p {event.after.protocol.partition('/')[0]}{port}`"
    return Insight(Kind.TRANSLATED_NOT_ACCEPTED, text, _places(evidence, event, place), advice)


def answered_directly(evidence: Evidence) -> Insight | None:
    """Find a hairpin without translation of the source: the server answers its neighbour past this host."""
    way, event = evidence.way, evidence.redirected
    shared = neighbours_on(way)
    if event is None or shared is None:
        return None
    client, server = format_address(way.sent.src, evidence.family), format_address(way.packet.dst, evidence.family)
    text = (
        f"{server} answers {client} directly, since both are on {shared}: the answer does not come from "
        f"{format_address(way.sent.dst, evidence.family)}, which {client} asked, so the connection never stands"
    )
    advice = f"translate the source too: `-t nat -A POSTROUTING -s {shared} -d {server} -j MASQUERADE`"
    return Insight(Kind.ANSWERED_DIRECTLY, text, _places(evidence, event), advice)


def other_way_in(evidence: Evidence) -> Insight | None:
    """Find a translation that is kept from the packet by the interface alone: the published address asked from inside."""
    if evidence.redirected is not None:
        return None
    for visit, look in evidence.missed(Hook.PREROUTING, tables=("nat",)):
        assert look.rule is not None
        target = look.rule.target
        if evidence.failing(look) == ("iif",) and target is not None and target.extension is not None:
            place = evidence.place(visit, look)
            selector = look.rule.selector("-i")
            tested = "another interface" if selector is None else f"`{selector.text}`"
            text = (
                f"{named(place)} would translate this packet, but tests {tested}, and it came in by {look.packet.iif}"
            )
            advice = (
                "take the interface out and test the public address with `-d`; where client and server share a network, "
                "the source has to be translated too"
            )
            return Insight(Kind.OTHER_WAY_IN, text, (place,), advice)
    return None


def source_hidden(evidence: Evidence) -> Insight | None:
    """Find a translation of the source that tests neither where the packet goes nor by which interface it leaves."""
    event = evidence.masked
    if event is None or event.hook is not Hook.POSTROUTING:
        return None
    place, look = evidence.translator(event), evidence.translating(event)
    if place is None or look is None or look.rule is None or look.rule.selector("-o") or look.rule.selector("-d"):
        return None
    text = (
        f"{named(place)} tests no outgoing interface, so it takes every packet that leaves: the receiver sees "
        f"{format_address(event.after.src, evidence.family)} instead of {format_address(event.before.src, evidence.family)}"
    )
    advice = "name the uplink with `-o`, and leave out what goes to a VPN or to another own network"
    return Insight(Kind.SOURCE_HIDDEN, text, (place,), advice)


def _place_for_own_rules(evidence: Evidence) -> str:
    """Return the chain where rules about forwarded packets go: Docker asks DOCKER-USER before its own."""
    table = evidence.way.situation.ruleset.table(evidence.family, "filter")
    return "FORWARD" if table is None or table.chain("DOCKER-USER") is None else "DOCKER-USER"


def _follows(evidence: Evidence, event: Translated, visit: Visit) -> bool:
    events = evidence.way.journey.events
    return any(one is visit for one in events[events.index(event) :])


def _by(evidence: Evidence, event: Translated) -> str:
    place = evidence.translator(event)
    return f"the connection's first packet in nat/{event.hook.value}" if place is None else named(place)


def _places(evidence: Evidence, event: Translated, *others: RulePlace) -> tuple[RulePlace, ...]:
    place = evidence.translator(event)
    return others if place is None else (*others, place)
