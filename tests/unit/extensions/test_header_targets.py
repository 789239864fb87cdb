"""-j TOS, DSCP, ECN, TTL, HL, TCPMSS, TCPOPTSTRIP, CHECKSUM, CLASSIFY, DNPT, SNPT: headers rewritten."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.netfilter.effect import Assign, Mutate, Note, Shift
from policyc.netfilter.fields import DST, LENGTH, SRC, TCP_FLAGS, TCP_MSS, TCP_OPTION, TOS

SYN = "-p tcp -m tcp --tcp-flags SYN,RST SYN"


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("TOS --set-tos 16", "TOS --set-tos 0x10/0xff"),
        ("TOS --set-tos 0x10/0x3f", "TOS --set-tos 0x10/0x3f"),
        ("TOS --set-tos Minimize-Delay", "TOS --set-tos 0x10/0x3f"),
        ("TOS --set-tos normal-service", "TOS --set-tos 0x00/0x3f"),
        ("TOS --and-tos 0x3f", "TOS --set-tos 0x00/0xc0"),
        ("TOS --or-tos 0x3f", "TOS --set-tos 0x3f/0x3f"),
        ("TOS --xor-tos 0x3f", "TOS --set-tos 0x3f/0x00"),
        ("DSCP --set-dscp 010", "DSCP --set-dscp 0x08"),
        ("DSCP --set-dscp-class BE", "DSCP --set-dscp 0x00"),
        ("DSCP --set-dscp-class af43", "DSCP --set-dscp 0x26"),
        ("DSCP --set-dscp-class CS7", "DSCP --set-dscp 0x38"),
        ("DSCP --set-dscp-class EF", "DSCP --set-dscp 0x2e"),
        ("CHECKSUM --checksum-fill", "CHECKSUM --checksum-fill"),
        ("CLASSIFY --set-class 1:1", "CLASSIFY --set-class 0001:0001"),
        ("CLASSIFY --set-class 0xFFFF:aBcd", "CLASSIFY --set-class ffff:abcd"),
        ("TCPOPTSTRIP", "TCPOPTSTRIP"),
        ("TCPOPTSTRIP --strip-options 255,0x10,3", "TCPOPTSTRIP --strip-options 3,16,255"),
        (
            "TCPOPTSTRIP --strip-options wscale,mss,sack-permitted,sack,timestamp,md5",
            "TCPOPTSTRIP --strip-options 2,3,4,5,8,19",
        ),
    ],
)
def test_printed(family: int, given: str, canonical: str) -> None:
    assert printed(f"-p tcp -j {given}", family) == f"-p tcp -j {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--ecn-tcp-remove", "--ecn-tcp-remove"),
        ("--ecn-tcp-cwr 0 --ecn-tcp-ece 1", "--ecn-tcp-ece 1 --ecn-tcp-cwr 0"),
        ("--ecn-ip-ect 2 --ecn-tcp-ece 1", "--ecn-tcp-ece 1 --ecn-ip-ect 2"),
        ("--ecn-tcp-remove --ecn-ip-ect 1", "--ecn-tcp-ece 0 --ecn-tcp-cwr 0 --ecn-ip-ect 1"),
    ],
)
def test_ecn(given: str, canonical: str) -> None:
    assert printed(f"-p tcp -j ECN {given}") == f"-p tcp -j ECN {canonical}"
    assert refusals(f"-p tcp -j ECN {given}", 6) == ["the target `ECN` does not exist for IPv6"]
    assert refusals(f"-p udp -j ECN {given}") == ["`ECN` needs `-p tcp` in the same rule"]


def test_ecn_of_the_ip_header_needs_no_protocol() -> None:
    assert printed("-j ECN --ecn-ip-ect 3") == "-j ECN --ecn-ip-ect 3"


@pytest.mark.parametrize(("name", "family"), [("TTL", 4), ("HL", 6)])
def test_hop_limit(name: str, family: int) -> None:
    option = name.lower()
    for how, amount in (("set", 0), ("dec", 1), ("inc", 255)):
        rule = f"-j {name} --{option}-{how} {amount}"
        assert printed(rule, family) == rule
        assert effects(rule, family) == (Shift(how, amount),)
    for wrong in ("", "--{}-set 256", "--{}-dec 0", "--{}-inc 0", "--{}-inc 1 --{}-dec 1", "! --{}-set 1"):
        assert refusals(f"-j {name} {wrong.replace('{}', option)}", family)
    assert refusals(f"-j {name} --{option}-set 1", 10 - family) == [
        f"the target `{name}` does not exist for IPv{10 - family}"
    ]


@pytest.mark.parametrize("family", [4, 6])
def test_tcpmss(family: int) -> None:
    for option in ("--set-mss 0", "--set-mss 1400", "--clamp-mss-to-pmtu"):
        assert printed(f"{SYN} -j TCPMSS {option}", family) == f"{SYN} -j TCPMSS {option}"
    largest = {4: 65515, 6: 65495}[family]
    assert printed(f"{SYN} -j TCPMSS --set-mss {largest}", family)
    for wrong in ("", f"--set-mss {largest + 1}", "--set-mss 1 --clamp-mss-to-pmtu"):
        assert refusals(f"{SYN} -j TCPMSS {wrong}", family)


@pytest.mark.parametrize(
    "without",
    [
        "-p tcp",
        "-p tcp -m tcp ! --syn",
        "-p tcp --dport 80",
        "-p tcp --tcp-flags RST RST",
        "-p tcp -m tcpmss --mss 1:2",
    ],
)
def test_tcpmss_demands_syn(without: str) -> None:
    assert refusals(f"{without} -j TCPMSS --set-mss 1400") == [
        "`TCPMSS` needs `-m tcp --tcp-flags SYN,RST SYN` or another test for SYN in the same rule"
    ]


@pytest.mark.parametrize("name", ["DNPT", "SNPT"])
def test_prefix_translation(name: str) -> None:
    canonical = f"-j {name} --src-pfx 2001:db8::/48 --dst-pfx fd00:1::/64"
    assert printed(f"-j {name} --dst-pfx fd00:1::/64 --src-pfx 2001:db8::/48", 6) == canonical
    side = DST if name == "DNPT" else SRC
    assert effects(canonical, 6) == (Mutate("prefix", "2001:db8::/48 to fd00:1::/64", (side,)),)
    for wrong in ("2001:db8::1/64", "2001:db8::/65", "2001:db8::", "2001:db8::/129", "2001:db8::/0"):
        assert refusals(f"-j {name} --src-pfx {wrong} --dst-pfx fd00:1::/64", 6)
        assert refusals(f"-j {name} --src-pfx fd00:1::/64 --dst-pfx {wrong}", 6)
    for wrong in ("", "--src-pfx fd00:1::/64", "--dst-pfx fd00:1::/64", "--src-pfx ::/0 --dst-pfx ::/0"):
        assert refusals(f"-j {name} {wrong}", 6)
    assert refusals(canonical, 4) == [f"the target `{name}` does not exist for IPv4"]


@pytest.mark.parametrize(
    "rule",
    [
        "TOS",
        *(f"TOS --set-tos {tos}" for tos in ("0x100", "0x10/0x100", "-1", "Mini", "x")),
        "TOS --and-tos 256",
        "TOS --and-tos Minimize-Delay",
        "TOS --set-tos 1 --or-tos 2",
        "TOS --set-tos 1 --set-tos 2",
        "DSCP",
        "DSCP --set-dscp 64",
        "DSCP --set-dscp -1",
        "DSCP --set-dscp EF",
        "DSCP --set-dscp 1 --set-dscp-class CS0",
        *(f"DSCP --set-dscp-class {name}" for name in ("CS8", "AF44", "AF1", "LE")),
        "ECN",
        "ECN --ecn-tcp-remove --ecn-tcp-ece 1",
        "ECN --ecn-tcp-cwr 2",
        "ECN --ecn-ip-ect 4",
        "CHECKSUM",
        "CHECKSUM --checksum-fill --checksum-fill",
        "CLASSIFY",
        *(f"CLASSIFY --set-class {handle}" for handle in ("1", "1:", ":1", "1:g", "10000:1", "1:-1", "1:12345")),
        *(
            f"TCPOPTSTRIP --strip-options {kinds}"
            for kinds in ("0", "1", "1,2", "256", "2,2", "mss,2", "2,", '""', "x")
        ),
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(f"-p tcp -j {rule}")


@pytest.mark.parametrize("protocol", ["", "-p udp ", "! -p tcp "])
def test_tcp_options_need_tcp(protocol: str) -> None:
    assert refusals(f"{protocol}-j TCPOPTSTRIP --strip-options 2") == ["`TCPOPTSTRIP` needs `-p tcp` in the same rule"]


def test_effects() -> None:
    assert effects("-j TOS --or-tos 0x10") == (Assign(TOS, 0x10, 0x10),)
    assert effects("-j DSCP --set-dscp-class EF") == (Assign(TOS, 0xFC, 0xB8),)
    assert effects("-p tcp -j ECN --ecn-tcp-remove") == (Assign(TCP_FLAGS, 0xC0, 0),)
    assert effects("-p tcp -j ECN --ecn-tcp-cwr 1 --ecn-ip-ect 2") == (Assign(TCP_FLAGS, 0x80, 0x80), Assign(TOS, 3, 2))
    assert effects(f"{SYN} -j TCPMSS --set-mss 9") == (Mutate("tcp-mss", "9", (TCP_MSS, TCP_OPTION, LENGTH)),)
    assert effects("-p tcp -j TCPOPTSTRIP --strip-options sack,mss") == (
        Mutate("tcp-options", "2,5", (TCP_OPTION, TCP_MSS)),
    )
    assert effects("-p tcp -j TCPOPTSTRIP") == ()
    assert effects("-j CHECKSUM --checksum-fill") == (Note("checksum"),)
    assert effects("-j CLASSIFY --set-class 1:2") == (Mutate("class", "0001:0002"),)
