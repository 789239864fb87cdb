"""The words of `-p`, the order in which releases program ports, and who gets which host port."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from policyc.engines.docker.host_ports import HostPorts, PortTakenError
from policyc.engines.docker.ports import in_order, read_port, read_publish
from policyc.engines.docker.versions import PortOrder

ANY = [ip_address("0.0.0.0")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80", ["80/tcp 0-0 None"]),
        ("8080:80/udp", ["80/udp 8080-8080 None"]),
        ("127.0.0.1:8080:80", ["80/tcp 8080-8080 127.0.0.1"]),
        ("127.0.0.1::80", ["80/tcp 0-0 127.0.0.1"]),
        ("[::1]:8080:80", ["80/tcp 8080-8080 ::1"]),
        ("8000-8010:80", ["80/tcp 8000-8010 None"]),
        ("8000-8001:80-81/SCTP", ["80/sctp 8000-8000 None", "81/sctp 8001-8001 None"]),
        ("90-91", ["90/tcp 0-0 None", "91/tcp 0-0 None"]),
    ],
)
def test_words_of_a_published_port(text: str, expected: list[str]) -> None:
    assert [f"{one.port} {one.first}-{one.last} {one.host}" for one in read_publish(text)] == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("80/icmp", "no protocol"),
        ("0:80", "from 1 to 65535"),
        ("8080:65536", "from 1 to 65535"),
        ("9-8:80", "ends before it begins"),
        ("8000-8002:80-81", "different lengths"),
        ("host:80:80", "no address of the host"),
        ("", "no port"),
        ("a:b", "no port"),
    ],
)
def test_words_that_are_no_published_port(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_publish(text)


def ordered(order: PortOrder, *words: str) -> list[str]:
    published = [one for word in words for one in read_publish(word)]
    return [str(one.port) for one in in_order(published, order)]


def test_before_27_the_greatest_port_comes_first_and_tcp_before_udp() -> None:
    words = ("9000:9000", "80:80", "443:443/udp", "443:443")
    assert ordered(PortOrder.DESCENDING, *words) == ["9000/tcp", "443/tcp", "443/udp", "80/tcp"]


def test_since_27_the_least_port_comes_first_and_exact_ones_before_ranges() -> None:
    words = ("9000:9000", "8000-8010:22", "443:443/udp", "443:443")
    assert ordered(PortOrder.ASCENDING, *words) == ["443/tcp", "443/udp", "9000/tcp", "22/tcp"]


def test_exposed_ports_may_be_ranges() -> None:
    assert [str(port) for port in read_port("80-82/udp")] == ["80/udp", "81/udp", "82/udp"]


def test_the_first_free_port_of_a_range_is_taken() -> None:
    ports = HostPorts()
    assert ports.take("a", "tcp", ANY, 8000, 8000) == 8000
    assert ports.take("b", "tcp", ANY, 8000, 8002) == 8001
    assert ports.take("c", "udp", ANY, 8000, 8002) == 8000


def test_a_port_is_taken_by_all_addresses_or_by_one() -> None:
    ports = HostPorts()
    ports.take("a", "tcp", [ip_address("127.0.0.1")], 80, 80)
    assert ports.take("b", "tcp", [ip_address("192.0.2.1")], 80, 80) == 80
    with pytest.raises(PortTakenError, match="taken by `a`"):
        ports.take("c", "tcp", ANY, 80, 80)
    ports.release("a")
    ports.release("b")
    assert ports.take("c", "tcp", ANY, 80, 80) == 80


def test_ports_that_nobody_asked_for_go_on_where_they_stopped() -> None:
    ports = HostPorts()
    assert [ports.take(name, "tcp", ANY, 0, 0) for name in "ab"] == [32768, 32769]
    ports.release("a")
    assert ports.take("c", "tcp", ANY, 0, 0) == 32770
