"""TCP's states and windows: random conversations through the kernel and through the simulator, segment by segment.

POLICYC_SEED repeats a run.
"""

from __future__ import annotations

import os
import random
from itertools import count

import pytest
from segments import BATCH, FIRST_TTL, TESTS, TOPOLOGY, conversation, make_router, rules, seen

from policyc import api
from policyc.kernel.namespace import Namespace

SEGMENTS = 2500
SETTINGS = {"defaults": {}, "liberal": {"nf_conntrack_tcp_be_liberal": 1}, "strict": {"nf_conntrack_tcp_loose": 0}}


@pytest.mark.parametrize("settings", SETTINGS)
def test_random_conversations(namespace: Namespace, settings: str) -> None:
    seed = int(os.environ.get("POLICYC_SEED") or random.randrange(2**32))
    draw = random.Random(seed)
    sysctls = {f"net.netfilter.{name}": value for name, value in SETTINGS[settings].items()}
    topology = {**TOPOLOGY, "sysctls": {**TOPOLOGY["sysctls"], **sysctls}}
    make_router(namespace, topology)
    packets = []
    for sport in count(10000):
        packets += conversation(sport, draw)
        if len(packets) >= SEGMENTS:
            break
    for n, packet in enumerate(packets):
        packet |= {"n": n, "ttl": FIRST_TTL + n % BATCH}
    kernel = [each for at in range(0, len(packets), BATCH) for each in seen(namespace, packets[at : at + BATCH])]
    numbers = range(FIRST_TTL, FIRST_TTL + BATCH)
    ours = api.replay({"topology": topology, "rules_v4": rules(numbers), "packets": packets})
    differing = []
    for packet, verdict, held in zip(packets, ours, kernel, strict=True):
        chain = f"p{packet['ttl']}"
        matched = {rule for _, name, rule, _ in verdict["trace"] if name == chain}
        mine = [number in matched for number in range(1, len(TESTS) + 1)]
        if mine != held:
            differing.append((packet, "simulated", mine, "kernel", held))
    assert not differing, f"seed {seed}: {len(differing)} of {len(packets)}, first {differing[0]}"
