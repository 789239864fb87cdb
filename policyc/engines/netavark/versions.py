"""The releases of netavark as data: what each changed about rules, and nothing else.

Sources: containers/netavark (src/firewall, src/network/bridge.rs), its pull requests 638 (wildcard addresses), 780 (DNS let in),
issue 1079 (DNS before published ports), and rules recorded from 1.4.0, 1.14.0 and 1.17.2. Only these three are named: which
release between them brought which change was not recorded.
"""

from __future__ import annotations

from policyc.engines.releases import behaviour
from policyc.frozen import frozen


@frozen
class Behaviour:
    """How a release programs its rules; the defaults are those of 1.4."""

    default_driver: str = "iptables"
    """The firewall driver that it chooses where nobody says."""
    title: str = "netavark firewall plugin rules"
    """The comment of the rules that lead into its chains of the table filter."""
    lets_dns_in: bool = False
    """Whether it accepts DNS from its networks, and drops packets out of state."""
    strict_isolation: bool = False
    """Whether it knows `isolate=strict`; it then has three chains for isolation, and two of them always."""
    every_address: bool = False
    """Whether 0.0.0.0 and :: as host address mean every address; otherwise they are matched as they stand."""
    dns_first: bool = False
    """Whether DNS on another port comes before published ports, and over TCP too."""
    unmanaged: bool = False
    """Whether it knows `mode=unmanaged`, networks without any rule."""
    last_network_first: bool = False
    """Which order stands in for the one in which it comes to a container's networks, if nobody gives it.

    It is drawn anew in each run (the networks are in a hash map); this is what most recorded runs had.
    """


CHANGES: tuple[tuple[str, dict[str, bool | str]], ...] = (
    ("1.4.0", {}),
    (
        "1.14.0",
        {
            "default_driver": "nftables", "title": "netavark firewall rules", "lets_dns_in": True, "strict_isolation": True,
            "every_address": True, "dns_first": True, "unmanaged": True, "last_network_first": True,
        },
    ),
    ("1.17.2", {}),
)  # fmt: skip
"""Each known release, oldest first, with what it changed."""

RELEASES: tuple[str, ...] = tuple(release for release, _ in CHANGES)


def behaviour_of(release: str) -> Behaviour:
    """Return how a release behaves."""
    return behaviour(Behaviour(), CHANGES, release)
