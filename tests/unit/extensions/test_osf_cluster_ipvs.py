"""-m osf, -m cluster, -m ipvs: conditions whose outcome nobody outside the kernel can compute."""

from __future__ import annotations

import pytest
from reading import hooks, matches, predicate, printed, refusals

from policyc.netfilter.predicate import Not, Opaque

SEED = "--cluster-hash-seed 0x00000001"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--log 1 --ttl 2 --genre Linux", "--genre Linux --ttl 2 --log 1"),
        ("! --genre Linux", "! --genre Linux"),
        ('--genre "Windows XP"', '--genre "Windows XP"'),
    ],
)
def test_osf(given: str, canonical: str) -> None:
    assert printed(f"-p tcp -m osf {given}") == f"-p tcp -m osf {canonical}"


@pytest.mark.parametrize(
    ("nodes", "which", "canonical"),
    [
        (2, "--cluster-local-node 2", "--cluster-local-nodemask 0x00000002"),
        (3, "! --cluster-local-nodemask 0x5", "! --cluster-local-nodemask 0x00000005"),
        (6, "! --cluster-local-node 6", "! --cluster-local-nodemask 0x00000020"),
        # iptables 1.8.9 prints the mask 0x40 and does not read it again
        (7, "--cluster-local-nodemask 0x40", "--cluster-local-node 7"),
        (32, "! --cluster-local-node 32", "! --cluster-local-node 32"),
    ],
)
def test_cluster(nodes: int, which: str, canonical: str) -> None:
    total = f"--cluster-total-nodes {nodes}"
    assert printed(f"-m cluster {total} {which} --cluster-hash-seed 1") == f"-m cluster {canonical} {total} {SEED}"
    assert printed(f"-m cluster {canonical} {total} {SEED}") == f"-m cluster {canonical} {total} {SEED}"


@pytest.mark.parametrize(
    ("given", "canonical", "family"),
    [
        ("--ipvs", "--ipvs", 4),
        ("! --ipvs", "! --ipvs", 4),
        ("--ipvs --vport http", "--vport 80", 4),
        ("! --vaddr 1.2.3.4/255.255.255.0", "! --vaddr 1.2.3.4/24", 4),
        ("--vaddr 2001:db8::1", "--vaddr 2001:db8::1", 6),
        (
            "--vportctl 21 ! --vmethod masq --vdir reply ! --vport 22 --vaddr 1.2.3.4/16 --vproto tcp",
            "--vproto 6 --vaddr 1.2.3.4/16 ! --vport 22 --vdir REPLY ! --vmethod MASQ --vportctl 21",
            4,
        ),
    ],
)
def test_ipvs(given: str, canonical: str, family: int) -> None:
    assert printed(f"-m ipvs {given}", family) == f"-m ipvs {canonical}"


@pytest.mark.parametrize(
    ("rule", "family"),
    [
        ("-m osf --genre Linux", 4),
        ("-p tcp -m osf", 4),
        ("-p tcp -m osf --genre Linux --ttl 3", 4),
        ("-p tcp -m osf --genre Linux --log 3", 4),
        (f"-p tcp -m osf --genre {'x' * 32}", 4),
        ("-p tcp -m osf --genre Linux", 6),
        ("-m cluster", 4),
        ("-m cluster --cluster-total-nodes 2 --cluster-local-node 2", 4),
        (f"-m cluster --cluster-total-nodes 2 {SEED}", 4),
        (f"-m cluster --cluster-local-node 1 {SEED}", 4),
        (f"-m cluster --cluster-total-nodes 33 --cluster-local-node 1 {SEED}", 4),
        (f"-m cluster --cluster-total-nodes 2 --cluster-local-node 3 {SEED}", 4),
        (f"-m cluster --cluster-total-nodes 2 --cluster-local-nodemask 4 {SEED}", 4),
        (f"-m cluster --cluster-total-nodes 2 --cluster-local-nodemask 0 {SEED}", 4),
        (f"-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-local-nodemask 1 {SEED}", 4),
        ("-m ipvs", 4),
        ("-m ipvs ! --ipvs --vport 80", 4),
        ("-m ipvs ! --vdir REPLY", 4),
        ("-m ipvs --vmethod NAT", 4),
        ("-m ipvs --vproto 0", 4),
        ("-m ipvs --vaddr 1.2.3.4/255.0.255.0", 4),
    ],
)
def test_refused(rule: str, family: int) -> None:
    assert refusals(rule, family)


def test_a_fingerprint_needs_a_received_syn() -> None:
    rule = "-p tcp -m osf --genre Linux"
    assumed = {"-m osf --genre Linux": True}
    packet = {"proto": 6, "frag": "whole", "tcp.flags": 2}
    assert matches(rule, packet, assume=assumed)
    assert not matches(rule, packet | {"tcp.flags": 16}, assume=assumed)
    assert hooks(rule) == {"PREROUTING", "INPUT", "FORWARD"}


def test_the_kernel_does_not_invert_a_fingerprint() -> None:
    packet = {"proto": 6, "frag": "whole", "tcp.flags": 2}
    assert matches("-p tcp -m osf ! --genre Linux", packet, assume={"-m osf ! --genre Linux": True})


def test_a_node_handles_connections_only() -> None:
    which = f"--cluster-local-nodemask 0x00000001 --cluster-total-nodes 2 {SEED}"
    rule = f"-m cluster ! {which}"
    assumed = {f"-m cluster {which}": False}
    assert matches(rule, {"ct.state": "NEW"}, assume=assumed)
    assert not matches(rule, {"ct.state": "INVALID"}, assume=assumed)


def test_properties_of_ipvs_are_one_condition() -> None:
    assert predicate("-m ipvs --vport 80 --vproto 6") == Opaque("-m ipvs --vproto 6 --vport 80")
    assert predicate("-m ipvs ! --ipvs") == Not(Opaque("-m ipvs --ipvs"))
