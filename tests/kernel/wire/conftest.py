"""The site where policies are tried: a router between the world, a lan and a small network of stores.

    outside 192.0.2.10 --- eth0 router eth1 --- desk 10.0.0.7, server 10.0.0.5 (and 10.0.0.6)
                                  eth2 --- store 10.20.0.5

The last part of an IPv6 address is the same: 2001:db8:2::10, fd00:10::7, fd00:20::5. Each test has a site of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.register_assert_rewrite("probes", "policy_router", "topology")

from policy_router import PolicyRouter
from responder import Responder
from topology import Host, Wire, network

from policyc.kernel.loading import Backend

WIRES = (
    Wire(
        "eth0",
        ["192.0.2.1/24", "2001:db8:2::1/64"],
        {"outside": ["192.0.2.10/24", "2001:db8:2::10/64", "203.0.113.9/32", "198.51.100.9/32", "2001:db8:aa::9/128"]},
    ),
    Wire(
        "eth1",
        ["10.0.0.1/24", "fd00:10::1/64"],
        {
            "desk": ["10.0.0.7/24", "fd00:10::7/64", "10.0.0.200/32"],
            "server": ["10.0.0.5/24", "10.0.0.6/24", "fd00:10::5/64", "fd00:10::6/64"],
        },
    ),
    Wire("eth2", ["10.20.0.1/24", "fd00:20::1/64"], {"store": ["10.20.0.5/24", "fd00:20::5/64"]}),
)
Build = Callable[..., tuple[PolicyRouter, dict[str, Host]]]
PORTS = (21, 22, 25, 53, 80, 443, 3128, 8080, 8081)


@dataclass(frozen=True)
class Site:
    """The hosts, and the router's policy."""

    router: Host
    outside: Host
    desk: Host
    server: Host
    store: Host
    policy: PolicyRouter


@pytest.fixture(params=list(Backend), ids=lambda backend: backend.value)
def built(machine: None, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Build]:
    """Build a network of wires, whose hosts answer, and whose router takes policies."""
    with ExitStack() as stack:

        def build(*wires: Wire) -> tuple[PolicyRouter, dict[str, Host]]:
            hosts = stack.enter_context(network(*wires))
            for host in hosts.values():
                stack.enter_context(closing(Responder(host, PORTS)))
            return PolicyRouter(hosts["router"], request.param, tmp_path), hosts

        yield build


@pytest.fixture
def site(built: Build) -> Site:
    """A new site, without any rule."""
    policy, hosts = built(*WIRES)
    return Site(**hosts, policy=policy)
