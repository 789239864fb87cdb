"""-j DNAT, SNAT, MASQUERADE, REDIRECT, NETMAP: new addresses and ports."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.net.addresses import parse_address
from policyc.net.intervals import IntervalSet
from policyc.netfilter.effect import Rewrite, Verdict
from policyc.netfilter.fields import DST, SRC

NEED_PORTS = "needs `-p icmp` or `-p tcp` or `-p udp` or `-p dccp` or `-p sctp` in the same rule"


@pytest.mark.parametrize(
    ("family", "given", "canonical"),
    [
        (4, "1.1.1.1", "1.1.1.1"),
        (4, "1.1.1.1-1.1.1.1", "1.1.1.1"),
        (4, "1.1.1.1-1.1.1.10", "1.1.1.1-1.1.1.10"),
        (4, "0.0.0.0", "0.0.0.0"),
        (4, "1.1.1.1:80", "1.1.1.1:80"),
        (4, ":80", ":80"),
        (4, "1.1.1.1:0x50-0x60", "1.1.1.1:80-96"),
        (4, "1.1.1.1:80-80", "1.1.1.1:80"),
        (4, "1.1.1.1:0-65535", "1.1.1.1:0-65535"),
        (4, "1.1.1.1:http", "1.1.1.1:80"),
        (4, "1.1.1.1:ftp-data", "1.1.1.1:20"),
        (4, "1.1.1.1-1.1.1.5:80-90", "1.1.1.1-1.1.1.5:80-90"),
        (6, "2001:db8::1", "2001:db8::1"),
        (6, "[2001:db8::1]", "2001:db8::1"),
        (6, "2001:db8::1:80", "2001:db8::1:80"),
        (6, "[2001:db8::1]:80", "[2001:db8::1]:80"),
        (6, "2001:db8::1-2001:db8::9", "2001:db8::1-2001:db8::9"),
        (6, "[2001:db8::1-2001:db8::9]", "2001:db8::1-2001:db8::9"),
        (6, "[2001:db8::1-2001:db8::9]:80-90", "[2001:db8::1-2001:db8::9]:80-90"),
        (6, ":80", ":80"),
        (6, "::ffff:1.1.1.1", "::ffff:1.1.1.1"),
    ],
)
def test_new_address(family: int, given: str, canonical: str) -> None:
    for target, option in (("DNAT", "to-destination"), ("SNAT", "to-source")):
        assert printed(f"-p tcp -j {target} --to {given}", family) == f"-p tcp -j {target} --{option} {canonical}"


@pytest.mark.parametrize(
    ("family", "given"),
    [
        *((4, f"1.1.1.1{end}") for end in ("-", "/24", ":", ":-80", ":80-", ":90-80", ":65536", ":080", ":80:90")),
        *((4, f"1.1.1.1{end}") for end in (":80/90", ":ssh-http", ":80-http", ":nosuchservice")),
        *((4, word) for word in ("host", "1.1.1", "300.1.1.1", '""', "-", "2001:db8::1", "[1.1.1.1]:80")),
        (4, "1.1.1.9-1.1.1.1"),
        *((6, f"[2001:db8::1{end}") for end in ("", "]80", "]:80:90", "]-[2001:db8::2]", "]:")),
        *((6, word) for word in ("[]:80", "1.1.1.1", "[2001:db8::9-2001:db8::1]:80")),
    ],
)
def test_no_new_address(family: int, given: str) -> None:
    assert refusals(f"-p tcp -j DNAT --to-destination {given}", family)
    assert refusals(f"-p tcp -j SNAT --to-source {given}", family)


def test_shifted_ports_are_for_dnat() -> None:
    for given, canonical in (("1.1.1.1:10-20/30", "1.1.1.1:10-20/30"), (":10-20/http", ":10-20/80")):
        assert printed(f"-p tcp -j DNAT --to-destination {given}").endswith(f"--to-destination {canonical}")
    for base in ("0", "65536", ""):
        assert refusals(f"-p tcp -j DNAT --to-destination 1.1.1.1:10-20/{base}")
    only = "shifts a range of ports, which only DNAT --to-destination does"
    assert refusals("-p tcp -j SNAT --to-source 1.1.1.1:10-20/30") == [f"--to-source: `10-20/30` {only}"]
    assert refusals("-p tcp -j MASQUERADE --to-ports 10-20/30") == [f"--to-ports: `10-20/30` {only}"]
    assert refusals("-p tcp -j REDIRECT --to-ports 10-20/30") == [f"--to-ports: `10-20/30` {only}"]


@pytest.mark.parametrize(
    "target",
    ["DNAT --to-destination :80", "SNAT --to-source 1.1.1.1:80", "MASQUERADE --to-ports 80", "REDIRECT --to-ports 80"],
)
def test_ports_need_a_protocol_that_has_them(target: str) -> None:
    for protocol in ("tcp", "udp", "sctp", "dccp", "icmp"):
        assert printed(f"-p {protocol} -j {target}") == f"-p {protocol} -j {target}"
    for without in ("", "! -p tcp ", "-p gre ", "-p udplite ", "-p icmpv6 "):
        assert refusals(f"{without}-j {target}") == [f"`{target.split(maxsplit=1)[0]}` {NEED_PORTS}"]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("MASQUERADE", "MASQUERADE"),
        ("MASQUERADE --random-fully --random --to-ports 80-80", "MASQUERADE --to-ports 80 --random --random-fully"),
        ("MASQUERADE --to http", "MASQUERADE --to-ports 80"),
        ("MASQUERADE --to-ports 1024-65535", "MASQUERADE --to-ports 1024-65535"),
        ("REDIRECT", "REDIRECT"),
        ("REDIRECT --random --to-port http-alt", "REDIRECT --to-ports 8080 --random"),
        ("REDIRECT --to-ports 0-10", "REDIRECT --to-ports 0-10"),
    ],
)
def test_own_addresses(family: int, given: str, canonical: str) -> None:
    assert printed(f"-p tcp -j {given}", family) == f"-p tcp -j {canonical}"


def test_order_of_flags() -> None:
    assert (
        printed("-j DNAT --persistent --random --to 1.1.1.1")
        == "-j DNAT --to-destination 1.1.1.1 --random --persistent"
    )
    assert (
        printed("-j SNAT --persistent --random-fully --random --to 1.1.1.1")
        == "-j SNAT --to-source 1.1.1.1 --random --random-fully --persistent"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "DNAT",
        "DNAT --random",
        "DNAT --to-destination 1.1.1.1 --random-fully",
        "DNAT --to-destination 1.1.1.1 --to-destination 1.1.1.2",
        "DNAT ! --to-destination 1.1.1.1",
        "SNAT",
        "SNAT --to-source 1.1.1.1 --to-source 1.1.1.2",
        "SNAT --rand --to-source 1.1.1.1",
        "MASQUERADE --persistent",
        "MASQUERADE --random --random",
        *(f"MASQUERADE --to-ports {ports}" for ports in ("90-80", "80:90", "80-", "-1", "1024-65536", '""')),
        "REDIRECT --random-fully",
        "REDIRECT --to-ports 65536",
        "REDIRECT --to-ports 1.1.1.1:80",
        "NETMAP",
        "NETMAP --to 1.1.1.0/",
        "NETMAP --to 1.1.1.0/33",
        "NETMAP --to 1.1.1.0/255.0.255.0",
        "NETMAP --to 2001:db8::/64",
        "NETMAP ! --to 1.1.1.0/24",
        "NETMAP --to 1.1.1.0/24 --to 1.1.2.0/24",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(f"-p tcp -j {rule}")


@pytest.mark.parametrize(
    ("family", "given", "canonical"),
    [
        (4, "1.1.1.5/24", "1.1.1.0/24"),
        (4, "1.1.1.0/255.255.255.0", "1.1.1.0/24"),
        (4, "1.2.3.4", "1.2.3.4/32"),
        (4, "0.0.0.0/0", "0.0.0.0/0"),
        (6, "2001:db8::5/64", "2001:db8::/64"),
        (6, "2001:db8::5", "2001:db8::5/128"),
        (6, "2001:db8::/ffff:ffff::", "2001:db8::/32"),
    ],
)
def test_netmap(family: int, given: str, canonical: str) -> None:
    assert printed(f"-j NETMAP --to {given}", family) == f"-j NETMAP --to {canonical}"


def test_effects() -> None:
    def span(low: str, high: str) -> IntervalSet:
        return IntervalSet.of((parse_address(low, 4), parse_address(high, 4)))

    def ports(low: int, high: int) -> IntervalSet:
        return IntervalSet.of((low, high))

    accepted = Verdict("accept")
    assert effects("-p tcp -j DNAT --to-destination 1.1.1.1-1.1.1.3:10-20/30 --persistent") == (
        Rewrite(DST, span("1.1.1.1", "1.1.1.3"), ports(10, 20), "given", persistent=True, port_base=30),
        accepted,
    )
    assert effects("-p tcp -j DNAT --to-destination :80") == (Rewrite(DST, None, ports(80, 80), "given"), accepted)
    assert effects("-j SNAT --to-source 1.1.1.1 --random-fully") == (
        Rewrite(SRC, span("1.1.1.1", "1.1.1.1"), None, "given", random=True),
        accepted,
    )
    assert effects("-p udp -j MASQUERADE --to-ports 5-6 --random") == (
        Rewrite(SRC, None, ports(5, 6), "outgoing", random=True),
        accepted,
    )
    assert effects("-p tcp -j REDIRECT --to-ports 5") == (Rewrite(DST, None, ports(5, 5), "incoming"), accepted)
    assert effects("-j NETMAP --to 1.1.1.0/24") == (
        Rewrite(None, span("1.1.1.0", "1.1.1.255"), None, "prefix"),
        accepted,
    )
