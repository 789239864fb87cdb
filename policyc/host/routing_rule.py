"""A rule of the routing policy database (ip-rule(8)): which table a packet's route is looked up in. A value of `policyc.host`."""

from __future__ import annotations

from enum import Enum

from policyc.frozen import frozen
from policyc.net.addresses import Network


class RuleAction(Enum):
    """What a routing rule does, as ip-rule(8) spells it."""

    LOOKUP = "lookup"
    UNREACHABLE = "unreachable"
    PROHIBIT = "prohibit"
    BLACKHOLE = "blackhole"
    GOTO = "goto"
    NOP = "nop"


@frozen
class RoutingRule:
    """One rule: everything given must hold (`inverted`: must not hold all together).

    `preference` from 0, lower first. `mark_mask` 0: any mark. `iif` "lo" means packets of this host. Port and uid ranges
    include both ends. `target` is the preference that GOTO continues at. `suppress_prefix`: a route found whose prefix is
    not longer than this counts as not found.
    """

    family: int
    preference: int
    table: int = 0
    action: RuleAction = RuleAction.LOOKUP
    source: Network | None = None
    destination: Network | None = None
    mark: int = 0
    mark_mask: int = 0
    iif: str = ""
    oif: str = ""
    protocol: int = 0
    sport: tuple[int, int] | None = None
    dport: tuple[int, int] | None = None
    uids: tuple[int, int] | None = None
    tos: int = 0
    inverted: bool = False
    target: int = 0
    suppress_prefix: int | None = None


def default_rules() -> tuple[RoutingRule, ...]:
    """Return the rules of a fresh namespace: local, main and, in IPv4, default."""
    return (
        RoutingRule(4, 0, 255),
        RoutingRule(6, 0, 255),
        RoutingRule(4, 32766, 254),
        RoutingRule(6, 32766, 254),
        RoutingRule(4, 32767, 253),
    )
