"""-m multiport: lists of ports, and either port."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals

FIFTEEN = ",".join(str(n) for n in range(1, 16))
SEVEN_RANGES = ",".join(f"{n}:{n + 1}" for n in range(1, 15, 2))


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--dports 80", "--dports 80"),
        ("--destination-ports http,22,1000:2000", "--dports 80,22,1000:2000"),
        ("--source-ports 5,1,5", "--sports 5,1,5"),
        ("! --ports 80,0", "! --ports 80,0"),
        (f"--dports {FIFTEEN}", f"--dports {FIFTEEN}"),
        (f"--dports {SEVEN_RANGES},15", f"--dports {SEVEN_RANGES},15"),
    ],
)
@pytest.mark.parametrize("protocol", ["tcp", "udp", "udplite", "sctp", "dccp"])
def test_lists(protocol: str, given: str, canonical: str) -> None:
    assert printed(f"-p {protocol} -m multiport {given}") == f"-p {protocol} -m multiport {canonical}"


@pytest.mark.parametrize(
    "rule",
    [
        "-p tcp -m multiport",
        "-m multiport --dports 5",
        "! -p tcp -m multiport --dports 5",
        "-p icmp -m multiport --dports 5",
        f"-p tcp -m multiport --dports {FIFTEEN},16",
        f"-p tcp -m multiport --dports {SEVEN_RANGES},15:16",
        "-p tcp -m multiport --dports 1:",
        "-p tcp -m multiport --dports :5",
        "-p tcp -m multiport --dports 5:5",
        "-p tcp -m multiport --dports 6:5",
        "-p tcp -m multiport --dports 1:2:3",
        "-p tcp -m multiport --dports 80,",
        '-p tcp -m multiport --dports ""',
        "-p tcp -m multiport --dports 65536",
        "-p tcp -m multiport --sports 80 --dports 90",
        "-p tcp -m multiport --ports 80 --dports 90",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule)


def test_either_port() -> None:
    packet = {"proto": 17, "frag": "whole", "sport": 53, "dport": 4000}
    assert matches("-p udp -m multiport --ports 53,80", packet)
    assert not matches("-p udp -m multiport ! --ports 53,80", packet)
    assert matches("-p udp -m multiport ! --ports 54,80", packet)
    assert not matches("-p udp -m multiport --dports 53,80", packet)
    assert not matches("-p udp -m multiport ! --dports 53", packet | {"frag": "later"})
