"""The events of a packet's way in their JSON form, with the source place of every rule. Part of `explanation`."""

from __future__ import annotations

from typing import Any, assert_never

from policyc.explanation.places import Places
from policyc.host.host import MAIN, Route, RouteKind
from policyc.net.addresses import format_address
from policyc.simulation.journey import Event, Look, LoopedBack, Routed, Tracked, Translated, Visit
from policyc.simulation.misses import Misses


def step_of(event: Event, places: Places, misses: Misses) -> dict[str, Any]:
    """Return one step, with the failing tests of each rule that did not match."""
    if isinstance(event, Visit):
        return {
            "kind": "table", "hook": event.hook.value, "table": event.table, "packet": event.before.to_dict(),
            "rules": [_rule(event, look, places, misses) for look in event.looks], "skipped": event.skipped,
        }  # fmt: skip
    if isinstance(event, Tracked):
        return {
            "kind": "conntrack", "hook": event.hook.value, "state": event.state, "reply": event.reply,
            "known": event.known,
        }  # fmt: skip
    if isinstance(event, Translated):
        return {
            "kind": "translation", "hook": event.hook.value, "before": event.before.to_dict(),
            "after": event.after.to_dict(), "changes": _changes(event.before.changes(event.after)),
        }  # fmt: skip
    if isinstance(event, Routed):
        return {
            "kind": "routing", "decision": event.kind, "device": event.device or None,
            "next_hop": None if event.next_hop is None else format_address(event.next_hop, event.family),
            "route": None if event.route is None else route_text(event.route), "reason": event.reason or None,
            "again": event.again,
        }  # fmt: skip
    if isinstance(event, LoopedBack):
        return {"kind": "loopback", "copy": event.copy}
    assert_never(event)


def route_text(route: Route) -> str:
    """Return a route as `ip route` prints it."""
    kind = "" if route.kind is RouteKind.UNICAST else f"{route.kind.value} "
    words = [f"{kind}{'default' if route.destination.mask == 0 else route.destination}"]
    if route.gateway is not None:
        words.append(f"via {format_address(route.gateway, route.family)}")
    if route.device:
        words.append(f"dev {route.device}")
    if route.table != MAIN:
        words.append(f"table {route.table}")
    return " ".join(words)


def _changes(changes: dict[str, tuple[str, str]]) -> dict[str, list[str]]:
    return {name: list(pair) for name, pair in changes.items()}


def _rule(visit: Visit, look: Look, places: Places, misses: Misses) -> dict[str, Any]:
    family = visit.before.family
    if look.rule is None or not isinstance(look.number, int):
        place = places.of(family, visit.table, look.chain, look.number)
    else:
        place = places.of_rule(family, visit.table, look.chain, look.number, look.rule)
    failing = () if look.rule is None or look.matched else misses.of(look.rule, look.packet)
    return {
        **place.to_dict(),
        "depth": look.depth,
        "verdict": look.verdict or None,
        "misses": [miss.to_dict() for miss in failing],
    }
