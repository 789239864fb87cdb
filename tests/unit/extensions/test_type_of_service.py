"""-m dscp, -m tos, -m ecn: one byte of the IP header, and TCP's part of congestion notification."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("-m dscp --dscp 5", "-m dscp --dscp 0x05"),
        ("-m dscp ! --dscp 077", "-m dscp ! --dscp 0x3f"),
        ("-m dscp --dscp-class EF", "-m dscp --dscp 0x2e"),
        ("-m dscp ! --dscp-class af11", "-m dscp ! --dscp 0x0a"),
        ("-m dscp --dscp-class AF43", "-m dscp --dscp 0x26"),
        ("-m dscp --dscp-class CS7", "-m dscp --dscp 0x38"),
        ("-m dscp --dscp-class BE", "-m dscp --dscp 0x00"),
        ("-m tos --tos 0xff", "-m tos --tos 0xff/0xff"),
        ("-m tos ! --tos 16/32", "-m tos ! --tos 0x10/0x20"),
        ("-m tos --tos minimize-delay", "-m tos --tos 0x10/0x3f"),
        ("-m tos --tos Maximize-Throughput", "-m tos --tos 0x08/0x3f"),
        ("-m tos --tos Maximize-Reliability", "-m tos --tos 0x04/0x3f"),
        ("-m tos --tos Minimize-Cost", "-m tos --tos 0x02/0x3f"),
        ("-m tos ! --tos Normal-Service", "-m tos ! --tos 0x00/0x3f"),
        ("-m ecn --ecn-ip-ect 0", "-m ecn --ecn-ip-ect 0"),
        (
            "-p tcp -m ecn --ecn-ip-ect 1 --ecn-tcp-cwr ! --ecn-tcp-ece",
            "-p tcp -m ecn ! --ecn-tcp-ece --ecn-tcp-cwr --ecn-ip-ect 1",
        ),
    ],
)
def test_printed(given: str, canonical: str) -> None:
    assert printed(given, 4) == printed(given, 6) == canonical


@pytest.mark.parametrize(
    "rule",
    [
        "-m dscp",
        "-m dscp --dscp 64",
        "-m dscp --dscp -1",
        "-m dscp --dscp 5 --dscp-class CS0",
        "-m dscp --dscp 5 --dscp 6",
        "-m dscp --dscp-class AF44",
        "-m dscp --dscp-class foo",
        "-m tos",
        "-m tos --tos 256",
        "-m tos --tos 0/256",
        "-m tos --tos Minimize-Del",
        "-m tos --tos Minimize-Delay/0x1f",
        "-m ecn",
        "-m ecn --ecn-ip-ect 4",
        "-m ecn --ecn-tcp-cwr",
        "-p udp -m ecn --ecn-tcp-ece",
        "! -p tcp -m ecn --ecn-tcp-ece",
        "-p tcp -m ecn --ecn-tcp-ece --ecn-tcp-ece",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule)


def test_bits_of_one_byte() -> None:
    expedited = {"tos": 0xB8 | 2}
    assert matches("-m dscp --dscp-class EF", expedited)
    assert matches("-m ecn --ecn-ip-ect 2", expedited)
    assert not matches("-m ecn ! --ecn-ip-ect 2", expedited)
    assert matches("-m tos --tos 0x08/0x08", expedited)
    assert not matches("-m tos ! --tos 0xba", expedited)
    assert matches("-m tos --tos 0/0", expedited)


def test_bits_of_tcp_need_tcp() -> None:
    rule = "-p tcp -m ecn --ecn-tcp-ece ! --ecn-tcp-cwr"
    assert matches(rule, {"proto": 6, "frag": "whole", "tcp.flags": 64 | 2})
    assert not matches(rule, {"proto": 6, "frag": "whole", "tcp.flags": 64 | 128 | 2})
    assert not matches("-p tcp -m ecn ! --ecn-tcp-cwr", {"proto": 6, "frag": "later"})
