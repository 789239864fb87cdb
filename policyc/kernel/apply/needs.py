"""What rules need beside sets and settings: the routing that brings packets to a transparent proxy.

Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policyc.frozen import frozen
from policyc.netfilter.goal import Goal, Part

_PROXIED = re.compile(r" --tproxy-mark (0x[0-9a-f]+)/(0x[0-9a-f]+)")
_MARKED = re.compile(r"\bfwmark (0x[0-9a-f]+)/(0x[0-9a-f]+)\b")


@frozen
class RoutingNeed:
    """Packets with a mark have to be routed to this host; `rule` is the `ip rule` that does it now, "" where none does."""

    family: int
    mark: int
    mask: int
    rule: str

    @property
    def name(self) -> str:
        """How `ip rule` spells what is needed."""
        return f"fwmark {self.mark:#x}/{self.mask:#x}"


def routing_needs(goals: Sequence[Goal]) -> list[RoutingNeed]:
    """Return what goals need of the routing of this namespace, which is asked only where they need something."""
    found = {
        (goal.family, int(mark, 16), int(mask, 16)) for goal in goals for mark, mask in _PROXIED.findall(_text(goal))
    }
    if not found:
        return []
    from pyroute2 import IPRoute

    from policyc.kernel.netlink import routing_rules

    with IPRoute() as ip:
        rules = routing_rules(ip)
    there = {4: rules.ipv4, 6: rules.ipv6}
    return [RoutingNeed(*need, next(_leading(there[need[0]], *need[1:]), "")) for need in sorted(found)]


def _leading(rules: Sequence[str], mark: int, mask: int) -> Iterator[str]:
    """Yield the rules that every packet with the mark meets."""
    for rule in rules:
        marked = _MARKED.search(rule)
        if marked is None or " not " in f" {rule} ":
            continue
        value, tested = int(marked[1], 16), int(marked[2], 16)
        if tested & mask == tested and mark & tested == value:
            yield rule


def _text(goal: Goal) -> str:
    if isinstance(goal, Part):
        return "\n".join(f" {rule}" for _, rules in goal.chains for rule in rules)
    return goal.text
