"""The replica against recordings that were made with other tools; and that it leaves nothing behind, however it ends."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from policyc.kernel.loading import Backend
from policyc.kernel.replica import observe
from policyc.kernel.replica.building import CannotBuild
from policyc.kernel.replica.machine import NotCarriedOut
from policyc.readers.topology import host_of_topology

CASES = 8
FIELDS = (
    "verdict", "final", "out_iface", "in_iface", "ctstate", "mark", "deciding", "reject_with", "kernel_replies",
    "reply_left_via", "send_error", "also_local",
)  # fmt: skip
TOPOLOGY = {
    "interfaces": [
        {"name": "eth0", "addrs": ["192.0.2.1/24"], "mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:02"}
    ],
    "sysctls": {},
}
PACKET = {
    "dir": "in", "iface": "eth0", "src": "192.0.2.9", "dst": "192.0.2.1", "proto": "tcp", "sport": 40000, "dport": 22,
}  # fmt: skip
RULES = {4: "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"}


@pytest.mark.parametrize("backend", Backend)
def test_recorded_packets(machine, shared, backend):
    files = sorted((shared / "truth" / "kernel" / "cases").glob("*.json.gz"))
    if not files:
        pytest.skip("no recorded packets beside this checkout")
    cases = [case for file in files for case in json.loads(gzip.decompress(file.read_bytes()))["cases"]]
    for case in random.sample(cases, CASES):
        host = host_of_topology(case["topology"], case.get("ipsets"), case["family"])
        texts = {4: case["rules_v4"] or "", 6: case["rules_v6"] or ""}
        seen = observe(texts, host, case.get("ipsets") or "", case["packets"], backend=backend)
        for packet, recorded, now in zip(case["packets"], case["expect"], seen, strict=True):
            about = f"{case['id']} {packet}"
            assert {key: now.get(key) for key in FIELDS} == {key: recorded.get(key) for key in FIELDS}, about
            assert now["trace"] == recorded["trace"], about
            # The recording tools did not see the MSS of what was delivered to the host itself.
            fields = recorded.get("fields", {})
            assert {key: now.get("fields", {}).get(key) for key in fields} == fields, about


def links() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def children(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_nothing_is_left_behind(machine):
    before = links()
    (seen,) = observe(RULES, host_of_topology(TOPOLOGY), "", [PACKET])
    assert (seen["verdict"], seen["trace"]) == ("LOCAL", [["filter", "INPUT", 1, "accept"]])
    assert links() == before
    assert not [child for child in children(os.getpid()) if "replica" in Path(f"/proc/{child}/cmdline").read_text()]


LONG = """
from policyc.kernel.replica import observe
from policyc.readers.topology import host_of_topology
observe({rules}, host_of_topology({topology}), "", [{packet}] * 20000)
"""


def test_a_killed_replica_takes_its_namespaces_along(machine):
    text = LONG.format(rules=RULES, topology=TOPOLOGY, packet=PACKET)
    process = subprocess.Popen([sys.executable, "-c", text])
    assert waited(lambda: bool(children(process.pid)))
    (worker,) = children(process.pid)
    own = Path("/proc/self/ns/net").readlink()
    assert waited(lambda: Path(f"/proc/{worker}/ns/net").readlink() != own)
    process.kill()
    process.wait()
    assert waited(lambda: not Path(f"/proc/{worker}").exists())  # the only one who held them: they have no name


def waited(condition: Callable[[], bool]) -> bool:
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_what_no_replica_has_is_said(machine):
    host = host_of_topology({**TOPOLOGY, "interfaces": [{**TOPOLOGY["interfaces"][0], "name": "a b"}]})
    with pytest.raises(CannotBuild, match="`a b`"):
        observe(RULES, host, "", [{**PACKET, "iface": "a b"}])
    with pytest.raises(NotCarriedOut, match="iptables-nft-restore"):
        observe({4: "*filter\n-A INPUT -j NOSUCHTARGET\nCOMMIT\n"}, host_of_topology(TOPOLOGY), "", [PACKET])
