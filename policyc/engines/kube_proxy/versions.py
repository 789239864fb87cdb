"""The releases of kube-proxy as data: what each that changed something about its rules changed, and nothing else.

Sources: kubernetes/kubernetes (pkg/proxy, pkg/features/kube_features.go), its changelogs, and rules recorded from 1.30.5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from policyc.engines.releases import behaviour
from policyc.frozen import frozen


@frozen
class Behaviour:
    """How a release programs its rules; the defaults are those of 1.28."""

    heeds_liberal_tracking: bool = False
    """Whether packets out of state are not dropped where `nf_conntrack_tcp_be_liberal` is on."""
    ip_mode: bool = False
    """Whether an address of a load balancer in `ipMode: Proxy` gets no rules (gate LoadBalancerIPMode)."""
    zone_hints: bool = True
    """Whether hints of zones choose endpoints (gate TopologyAwareHints)."""
    hints_need_annotation: bool = True
    """Whether they do so only for a Service that asks for it (gate ServiceTrafficDistribution turns this off)."""
    node_hints: bool = False
    """Whether hints of nodes choose endpoints (gate PreferSameTrafficDistribution)."""
    accounting: bool = False
    """Whether packets are counted by nfacct objects where the kernel has them."""
    primary_addresses: bool = False
    """Whether `--nodeport-addresses=primary` is known."""


class Change(NamedTuple):
    """What a release changed: fields of Behaviour, and the same in a sentence."""

    since: str
    fields: dict[str, bool]
    says: str


CHANGES: tuple[Change, ...] = (
    Change("1.28.0", {}, "the oldest that is modelled"),
    Change(
        "1.29.0", {"heeds_liberal_tracking": True},
        "packets in state INVALID are not dropped where `net.netfilter.nf_conntrack_tcp_be_liberal` is 1",
    ),
    Change("1.30.0", {"ip_mode": True}, "an address of a load balancer in `ipMode: Proxy` gets no rules"),
    Change(
        "1.31.0", {"hints_need_annotation": False, "accounting": True, "primary_addresses": True},
        "hints of zones choose endpoints without `service.kubernetes.io/topology-mode`; dropped INVALID packets and node ports "
        "on loopback are counted by nfacct objects; `--nodeport-addresses=primary`",
    ),
    Change("1.34.0", {"node_hints": True}, "hints of nodes choose endpoints before those of zones"),
)  # fmt: skip
"""Each release that changed something, oldest first."""

SERIES: tuple[tuple[str, int], ...] = (
    ("1.28", 15), ("1.29", 14), ("1.30", 14), ("1.31", 13), ("1.32", 9), ("1.33", 5), ("1.34", 1),
)  # fmt: skip
"""Each series of releases with the number of the last one that is known here."""

RELEASES: tuple[str, ...] = tuple(f"{series}.{patch}" for series, last in SERIES for patch in range(last + 1))

GATES: dict[str, tuple[str, bool, str]] = {
    "LoadBalancerIPMode": ("ip_mode", True, "1.29.0"),
    "TopologyAwareHints": ("zone_hints", True, "1.28.0"),
    "ServiceTrafficDistribution": ("hints_need_annotation", False, "1.30.0"),
    "PreferSameTrafficDistribution": ("node_hints", True, "1.33.0"),
}
"""Feature gates that matter: which behaviour each is about, its value where the gate is on, and the first release with it."""


def behaviour_of(release: str) -> Behaviour:
    """Return how a release behaves."""
    return behaviour(Behaviour(), ((change.since, change.fields) for change in CHANGES), release)


def gated(how: Behaviour, gate: str, *, on: bool) -> Behaviour:
    """Return a behaviour with a feature gate on or off."""
    name, value, _ = GATES[gate]
    return replace(how, **{name: value if on else not value})
