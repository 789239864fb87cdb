"""What the kernel itself does outside all tables: forwarding, reverse path, martians, routes. Part of `explanation.insights`."""

from __future__ import annotations

from policyc.explanation.insights.insight import Evidence, Insight, Kind, named
from policyc.explanation.steps import route_text
from policyc.host.decision import Drop
from policyc.host.fib import Failure
from policyc.host.ipv4_kinds import is_loopback
from policyc.host.reverse_path import way_back
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import format_address
from policyc.simulation.trace import KERNEL_DROP

_SYSCTL = "`sysctl -w {0}={1}` now, `require sysctl {0} = {1}` in the policy"


def forwarding_off(evidence: Evidence) -> Insight | None:
    """Find a packet to be forwarded on a host that forwards nothing."""
    if _dropped_for(evidence) is not Drop.NO_FORWARDING:
        return None
    packet = evidence.way.packet
    name = _forwarding(evidence.way.situation.host.sysctls, evidence.family, packet.iif or "")
    to = format_address(packet.dst, evidence.family)
    text = f"{to} is no address of this host, and {name} is 0: the kernel forwards nothing, whatever FORWARD accepts"
    return Insight(Kind.FORWARDING_OFF, text, (), _SYSCTL.format(name, 1))


def reverse_path(evidence: Evidence) -> Insight | None:
    """Find a packet that rp_filter drops, with the route that its answer would take."""
    if _dropped_for(evidence) is not Drop.REVERSE_PATH:
        return None
    way = evidence.way
    packet, fib, sysctls = way.packet, way.state.fib, way.situation.host.sysctls
    iif = packet.iif or ""
    found = fib.lookup(way_back(fib, packet.arriving, packet.dst, ""))
    source = format_address(packet.src, 4)
    if isinstance(found, Failure):
        answer = f"there is no route back to {source}"
    else:
        answer = f"an answer to {source} would leave by {found.device} ({route_text(found)}), but the packet came in by {iif}"
    of_all, own = sysctls.of_all(4, "rp_filter"), sysctls.of_interface(4, iif, "rp_filter")
    strict = {1: "strict", 2: "loose"}[sysctls.rp_filter(iif)]
    name = f"net.ipv4.conf.{iif.replace('.', '/')}.rp_filter"
    text = (
        f"{answer}: rp_filter drops it after PREROUTING, so no rule of INPUT or FORWARD sees or counts it "
        f"({name} is {own}, net.ipv4.conf.all.rp_filter {of_all}; the larger holds: {strict})"
    )
    advice = (
        f"repair the route, or {_SYSCTL.format(name, 2)} for asymmetric ways"
        if strict == "strict"
        else "repair the route"
    )
    return Insight(Kind.REVERSE_PATH, text, (), advice)


def loopback_target(evidence: Evidence) -> Insight | None:
    """Find a packet whose destination was translated to 127.0.0.0/8, where nothing from outside may go."""
    packet = evidence.way.packet
    if _dropped_for(evidence) is not Drop.MARTIAN_DESTINATION or evidence.family != 4 or not is_loopback(packet.dst):
        return None
    event, iif = evidence.redirected, packet.iif or ""
    place = None if event is None else evidence.translator(event)
    name = f"net.ipv4.conf.{iif.replace('.', '/')}.route_localnet"
    who = "its destination is" if place is None else f"{named(place)} translates it to"
    text = f"{who} {format_address(packet.dst, 4)}, where the kernel lets nothing from outside go while {name} is 0"
    advice = "use REDIRECT, or another address of this host; route_localnet opens all of 127.0.0.0/8 to neighbours"
    return Insight(Kind.LOOPBACK_TARGET, text, () if place is None else (place,), advice)


_SOURCES = {
    Drop.MARTIAN_SOURCE: "no host can have this source address",
    Drop.OWN_SOURCE: "its source is an address of this host itself",
}


def martian(evidence: Evidence) -> Insight | None:
    """Find a packet whose source cannot come from where it came in."""
    said = _SOURCES.get(_dropped_for(evidence) or Drop.NO_ROUTE)
    if said is None:
        return None
    packet = evidence.way.packet
    text = (
        f"{format_address(packet.src, evidence.family)} cannot come in by {packet.iif}: {said}, so the kernel drops it after "
        "PREROUTING and no rule of INPUT or FORWARD sees it"
    )
    advice = (
        "such packets are forged, or came back to who sent them; `sysctl -w net.ipv4.conf.all.log_martians=1` logs them"
    )
    return Insight(Kind.MARTIAN, text, (), advice)


def no_way(evidence: Evidence) -> Insight | None:
    """Find a packet that no route leads on."""
    trace, packet = evidence.way.trace, evidence.way.packet
    to = format_address(packet.dst, evidence.family)
    dropped = _dropped_for(evidence)
    if dropped is Drop.NO_ROUTE or (trace.verdict == KERNEL_DROP and trace.send_error == Failure.NO_ROUTE.value):
        advice = f"`ip route get {to}` shows what the kernel finds; add a route to it or a default route"
        return Insight(Kind.NO_WAY, f"no route of this host leads to {to}: no rule decides here", (), advice)
    if dropped in {Drop.UNREACHABLE, Drop.PROHIBIT, Drop.BLACKHOLE}:
        assert dropped is not None
        text = f"{dropped.value} that leads to {to}: routing ends the packet's way, no rule does"
        return Insight(Kind.NO_WAY, text, (), f"`ip route get {to}` shows the route")
    return None


def on_its_last_hop(evidence: Evidence) -> Insight | None:
    """Find a packet whose time to live ends here."""
    if _dropped_for(evidence) is not Drop.TIME_EXCEEDED:
        return None
    packet = evidence.way.packet
    text = f"its time to live is {packet.ttl}, so it may be delivered here, but not forwarded: FORWARD never sees it"
    return Insight(
        Kind.ON_ITS_LAST_HOP, text, (), "traceroute sends such packets on purpose; else look for a routing loop"
    )


def _dropped_for(evidence: Evidence) -> Drop | None:
    """Return why routing dropped the packet, None where it did not."""
    trace = evidence.way.trace
    routed = evidence.routed
    if trace.verdict != KERNEL_DROP or routed is None or routed.kind != "drop":
        return None
    return next((why for why in Drop if why.value == routed.reason), None)


def _forwarding(sysctls: Sysctls, family: int, interface: str) -> str:
    """Return the name of the setting that keeps packets which came in by an interface from being forwarded."""
    if family == 6:
        return "net.ipv6.conf.all.forwarding"
    own = f"net.ipv4.conf.{interface.replace('.', '/')}.forwarding"
    return own if own in sysctls.given else "net.ipv4.ip_forward"
