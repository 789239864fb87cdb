"""The releases of the plugins as data: what each changed about rules, and nothing else.

Sources: containernetworking/plugins (plugins/meta, plugins/main/bridge, pkg/ip), and rules recorded from 1.1.1 and 1.9.1.
Only these two are named: which release between them brought which change was not recorded.
"""

from __future__ import annotations

from policyc.engines.releases import behaviour
from policyc.frozen import frozen


@frozen
class Behaviour:
    """How a release programs its rules; the defaults are those of 1.1."""

    masquerades_all: bool = False
    """Whether portmap knows `masqAll`."""
    isolated: bool = False
    """Whether firewall knows the ingress policy `isolated`; its comments then name both policies."""
    nftables: bool = False
    """Whether bridge and portmap can use nftables (`ipMasqBackend`, `backend`)."""


CHANGES: tuple[tuple[str, dict[str, bool]], ...] = (
    ("1.1.1", {}),
    ("1.9.1", {"masquerades_all": True, "isolated": True, "nftables": True}),
)
"""Each known release, oldest first, with what it changed."""

RELEASES: tuple[str, ...] = tuple(release for release, _ in CHANGES)


def behaviour_of(release: str) -> Behaviour:
    """Return how a release behaves."""
    return behaviour(Behaviour(), CHANGES, release)
