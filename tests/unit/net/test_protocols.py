"""Protocol names: what is read, and what Debian 12's iptables-save prints."""

from __future__ import annotations

import pytest

from policyc.net.protocols import format_protocol, parse_protocol


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("tcp", 6), ("TCP", 6), ("6", 6), ("0x6", 6), ("06", 6), ("010", 8), ("all", 0), ("ip", 0), ("hopopt", 0),
        ("icmpv6", 58), ("ipv6-icmp", 58), ("IPv6-ICMP", 58), ("mh", 135), ("ipv6-mh", 135), ("mobility-header", 135),
        ("UDPLite", 136), ("ethernet", 143), ("255", 255),
    ],
)  # fmt: skip
def test_read(text: str, number: int) -> None:
    assert parse_protocol(text) == number


@pytest.mark.parametrize("text", ["", "256", "0x100", "-1", "ospfigp", "ip-encap", "1_0", "08", "tcp,udp", "٦"])
def test_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_protocol(text)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "all"),
        (1, "icmp"),
        (7, "7"),
        (58, "ipv6-icmp"),
        (94, "ipip"),
        (135, "mobility-header"),
        (143, "ethernet"),
        (144, "144"),
    ],
)
def test_printed(number: int, name: str) -> None:
    assert format_protocol(number) == name


def test_what_is_printed_is_read_again() -> None:
    assert [parse_protocol(format_protocol(number)) for number in range(256)] == list(range(256))
