"""`-m rpfilter` as the kernel answers it for frames from outside, over routes, marks' tables and both families."""

from __future__ import annotations

from itertools import product

import pytest
from frames import matched_rules
from host_in_namespace import make
from test_host_routes import ADDRESSES, ADDRESSES_V6, ON, ipv4, ipv6

from policyc.host.arriving import Arriving
from policyc.host.fib import Fib
from policyc.host.reverse_path import passes_rpfilter
from policyc.kernel.namespace import Namespace
from policyc.net.addresses import parse_address
from policyc.readers.topology import host_of_topology

WORDS = ("loose", "accept-local", "validmark")
TOWARDS = {
    4: ["203.0.113.2", "8.8.8.8", "224.0.0.1", "255.255.255.255"],
    6: ["2001:db8:1::1", "2606:4700::1", "ff02::1"],
}


@pytest.mark.parametrize("rules", [False, True], ids=["no rules", "rules"])
@pytest.mark.parametrize("family", [4, 6])
def test_the_reverse_path(namespace: Namespace, family: int, rules: bool) -> None:
    topology = ipv4(ON, rules=rules) if family == 4 else ipv6(rules=rules)
    make(namespace, topology)
    fib = Fib(host_of_topology(topology, family=family))
    # IPv6 refuses some sources before any table sees them.
    sources = ADDRESSES if family == 4 else [one for one in ADDRESSES_V6 if one != "::1"]
    pairs = list(product(sources, TOWARDS[family]))
    options = [[word for word, on in zip(WORDS, each, strict=True) if on] for each in product((False, True), repeat=3)]
    tests = ["-m rpfilter " + " ".join(f"--{word}" for word in words) for words in options]
    differing = []
    for far, name, mac in (("far0", "eth0", "020000000001"), ("far1", "eth1", "020000000101")):
        frames = [("02:00:00:00:00:09", of, to, 17, 1000, 53) for of, to in pairs]
        answers = matched_rules(namespace, family, tests, frames, name, far, mac)
        for (of, to), row in zip(pairs, answers, strict=True):
            packet = Arriving(family, name, parse_address(of, family), parse_address(to, family), 17)
            ours = [passes_rpfilter(fib, packet, words) for words in options]
            differing += [
                (name, of, to, words, "kernel", did)
                for words, mine, did in zip(options, ours, row, strict=True)
                if mine is not did
            ]
    assert not differing, "\n".join(map(str, differing[:12]))
