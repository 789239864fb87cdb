"""The host of a snapshot routes as `ip route get` says: what is sent, what comes in, over tables, rules and settings."""

from __future__ import annotations

import random

import pytest
from host_in_namespace import make, route_get
from snapshots import host_of
from test_host_routes import (
    ADDRESSES,
    ADDRESSES_V6,
    ERRORS,
    FAILURES,
    FAILURES_V6,
    INTERFACES,
    INTERFACES_V6,
    ON,
    ipv4,
    ipv6,
)

from policyc.host.arrival import arrive
from policyc.host.arriving import Arriving
from policyc.host.departure import depart
from policyc.host.fib import Failure, Fib, Flow
from policyc.kernel.namespace import Namespace
from policyc.net.addresses import format_address, parse_address


def sent_differently(namespace: Namespace, fib: Fib, flows: list[tuple[str, str, int]]) -> list[object]:
    """The flows (destination, interface, mark) for which a host and `ip route get` disagree."""
    questions = [[to, *(["oif", oif] if oif else []), "mark", str(mark)] for to, oif, mark in flows]
    differing: list[object] = []
    for (to, oif, mark), answer in zip(flows, route_get(namespace, questions), strict=True):
        family = 6 if ":" in to else 4
        found = depart(fib, Flow(family, parse_address(to, family), oif=oif, mark=mark, protocol=17))
        if isinstance(answer, str):
            agrees = found is (FAILURES | FAILURES_V6)[answer]
        elif isinstance(found, Failure):
            agrees = False
        else:
            hop = format_address(found.next_hop, family)
            source = format_address(found.source or 0, family)
            agrees = (found.device, source) == (answer["dev"], answer.get("prefsrc", source))
            agrees = agrees and hop == (hop if to == "0.0.0.0" else answer.get("gateway", to))
        if not agrees:
            differing.append((to, oif, mark, found, answer))
    return differing


@pytest.mark.parametrize("rules", [False, True], ids=["no rules", "rules"])
def test_ipv4_packets_are_sent_as_the_kernel_sends_them(namespace: Namespace, rules: bool) -> None:
    make(namespace, ipv4(ON, rules=rules))
    links = ["", *(one["name"] for one in INTERFACES)]
    flows = [(to, oif, mark) for to in ADDRESSES for oif in links for mark in ((0, 2, 3, 4, 0x11) if rules else (0,))]
    differing = sent_differently(namespace, Fib(host_of(namespace)), flows)
    assert not differing, "\n".join(map(str, differing[:8]))


@pytest.mark.parametrize("rules", [False, True], ids=["no rules", "rules"])
def test_ipv6_packets_are_sent_as_the_kernel_sends_them(namespace: Namespace, rules: bool) -> None:
    make(namespace, ipv6(rules=rules))
    links = ["", *(one["name"] for one in INTERFACES_V6)]
    flows = [
        (to, oif, mark)
        for to in ADDRESSES_V6
        for oif in links
        for mark in ((0, 2) if rules else (0,))
        if oif or not to.startswith("fe80")
    ]
    differing = sent_differently(namespace, Fib(host_of(namespace)), flows)
    assert not differing, "\n".join(map(str, differing[:8]))


def test_packets_come_in_as_the_kernel_takes_them(namespace: Namespace) -> None:
    make(namespace, ipv4({**ON, "net.ipv4.conf.eth1.rp_filter": 1, "net.ipv4.conf.eth0.accept_local": 1}, rules=True))
    fib = Fib(host_of(namespace))
    draw = random.Random("snapshot")
    links = [one["name"] for one in INTERFACES]
    packets = [(draw.choice(links), draw.choice(ADDRESSES), draw.choice(ADDRESSES)) for _ in range(400)]
    answers = route_get(namespace, ([to, "from", of, "iif", iif] for iif, of, to in packets))
    differing = []
    for (iif, of, to), answer in zip(packets, answers, strict=True):
        found = arrive(fib, Arriving(4, iif, parse_address(of, 4), parse_address(to, 4), 17))
        if found.drop is not None:
            agrees = isinstance(answer, str) and answer in ERRORS[found.drop]
        elif isinstance(answer, str):
            agrees = False
        elif found.is_local:
            agrees = answer.get("type") == found.kind.value
        else:
            way = (format_address(found.next_hop, 4), found.device)
            agrees = "type" not in answer and way == (answer.get("gateway", to), answer["dev"])
        if not agrees:
            differing.append((iif, of, to, found, answer))
    assert not differing, "\n".join(map(str, differing[:8]))
