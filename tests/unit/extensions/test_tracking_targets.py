"""-j CT, NOTRACK, SYNPROXY, TPROXY, TEE, SECMARK, CONNSECMARK: what connections and sockets see of a packet."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.net.addresses import parse_address
from policyc.netfilter.effect import Divert, Handshake, Mutate, Note, Track


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("NOTRACK", "NOTRACK"),
        ("CT", "CT"),
        ("CT --notrack", "CT --notrack"),
        ("CT --zone 0", "CT"),
        ("CT --zone 0xffff", "CT --zone 65535"),
        ("CT --zone MARK", "CT --zone mark"),
        ("CT --zone-orig 1", "CT --zone-orig 1"),
        ("CT --zone-reply mark", "CT --zone-reply mark"),
        ("CT --zone-orig 0", "CT"),
        ("CT --zone-orig 7 --zone-reply 7", "CT --zone 7"),
        ("CT --ctevents mark,new,new", "CT --ctevents new,mark"),
        (
            "CT --ctevents secmark,natseqinfo,mark,helper,protoinfo,assured,reply,destroy,related,new",
            "CT --ctevents new,related,destroy,reply,assured,protoinfo,helper,mark,natseqinfo,secmark",
        ),
        (
            "CT --zone 3 --expevents new --ctevents new --timeout slow --helper ftp",
            "CT --helper ftp --timeout slow --ctevents new --expevents new --zone 3",
        ),
        ("CT --notrack --helper tftp", "CT --notrack --helper tftp"),
        ("SYNPROXY", "SYNPROXY"),
        (
            "SYNPROXY --ecn --mss 1460 --wscale 7 --timestamp --sack-perm",
            "SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460 --ecn",
        ),
        ("SECMARK --selctx system_u:object_r:x_t:s0", "SECMARK --selctx system_u:object_r:x_t:s0"),
        ("CONNSECMARK --save", "CONNSECMARK --save"),
        ("CONNSECMARK --restore", "CONNSECMARK --restore"),
    ],
)
def test_printed(family: int, given: str, canonical: str) -> None:
    assert printed(f"-p tcp -j {given}", family) == f"-p tcp -j {canonical}"


@pytest.mark.parametrize(
    "rule",
    [
        "NOTRACK --notrack",
        *(f"CT --zone {zone}" for zone in ("65536", "-1", '""', "other")),
        "CT --zone 1 --zone 2",
        "CT --zone 1 --zone-orig 1",
        "CT --zone-orig 1 --zone-reply 2",
        *(f"CT --ctevents {events}" for events in ("foo", "NEW", "new,")),
        "CT --expevents related",
        'CT --helper ""',
        "CT --helper " + 16 * "x",
        "CT --timeout " + 32 * "x",
        "CT --helper tftp",
        "SYNPROXY --mss 65536",
        "SYNPROXY --wscale 256",
        "SYNPROXY --timestamps",
        "TEE",
        "TEE --oif lo",
        "TEE --gateway 0.0.0.0",
        "TEE --gateway host",
        "TEE --gateway 2001:db8::1",
        "TEE ! --gateway 1.1.1.1",
        "TEE --gateway 1.1.1.1 --gateway 1.1.1.2",
        "TEE --gateway 1.1.1.1 --oif sixteencharacter",
        "TPROXY",
        "TPROXY --on-ip 1.1.1.1",
        "TPROXY --on-port 65536",
        "TPROXY --on-port 0x50",
        "TPROXY --on-port 80 --on-port 81",
        "TPROXY --on-port 80 --on-ip 2001:db8::1",
        "TPROXY --on-port 80 --tproxy-mark 0x100000000",
        "SECMARK",
        "CONNSECMARK",
        "CONNSECMARK --save --restore",
        "CONNSECMARK --save --save",
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(f"-p tcp -j {rule}")


def test_helpers_and_timeouts_need_a_protocol() -> None:
    for option in ("helper", "timeout"):
        for without in ("", "! -p tcp "):
            assert refusals(f"{without}-j CT --{option} ftp") == [
                f"`CT --{option}` needs `-p` with the protocol that it is for"
            ]
    assert refusals("-p udp -j CT --helper ftp") == ["the helper `ftp` is for tcp only"]
    assert printed("-p udp -j CT --helper of-a-program") == "-p udp -j CT --helper of-a-program"


@pytest.mark.parametrize(
    ("family", "given", "canonical"),
    [
        (4, "--on-port 80", "--on-port 80 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0"),
        (4, "--on-port http --tproxy-mark 1", "--on-port 80 --on-ip 0.0.0.0 --tproxy-mark 0x1/0xffffffff"),
        (4, "--tproxy-mark 0x3/0x1 --on-ip 1.1.1.1 --on-port 0", "--on-port 0 --on-ip 1.1.1.1 --tproxy-mark 0x3/0x1"),
        (6, "--on-port 80", "--on-port 80 --on-ip :: --tproxy-mark 0x0/0x0"),
        (6, "--on-port 80 --on-ip 2001:db8::1", "--on-port 80 --on-ip 2001:db8::1 --tproxy-mark 0x0/0x0"),
    ],
)
def test_tproxy(family: int, given: str, canonical: str) -> None:
    for protocol in ("tcp", "udp"):
        assert printed(f"-p {protocol} -j TPROXY {given}", family) == f"-p {protocol} -j TPROXY {canonical}"
    for without in ("", "-p sctp ", "! -p tcp "):
        assert refusals(f"{without}-j TPROXY {given}", family) == [
            "`TPROXY` needs `-p tcp` or `-p udp` in the same rule"
        ]


@pytest.mark.parametrize(("family", "gateway"), [(4, "192.0.2.1"), (6, "2001:db8::1")])
def test_tee(family: int, gateway: str) -> None:
    rule = f"-j TEE --gateway {gateway}"
    assert printed(rule, family) == rule
    assert printed(f"-j TEE --oif lo --gateway {gateway}", family) == f"{rule} --oif lo"
    assert effects(rule, family) == (Note("copy", gateway),)


def test_synproxy_needs_tcp() -> None:
    for without in ("", "-p udp ", "! -p tcp "):
        assert refusals(f"{without}-j SYNPROXY") == ["`SYNPROXY` needs `-p tcp` in the same rule"]


def test_effects() -> None:
    assert effects("-j NOTRACK") == effects("-j CT --notrack --zone 4") == (Track(entry=False),)
    assert effects("-p tcp -j CT --helper ftp --ctevents mark,new") == (Track(helper="ftp", events=("new", "mark")),)
    assert effects("-p tcp -j CT --timeout slow") == (Track(timeout="slow"),)
    assert effects("-j CT --zone 4") == (Track(zone="4"),)
    assert effects("-j CT --zone-orig mark") == (Track(zone="original mark"),)
    assert effects("-p tcp -j SYNPROXY --mss 1460") == (Handshake(),)
    assert effects("-p tcp -j TPROXY --on-port 80 --on-ip 1.1.1.1 --tproxy-mark 1/3") == (
        Divert(parse_address("1.1.1.1", 4), 80, 1, 3),
    )
    assert effects("-j SECMARK --selctx a:b") == (Mutate("security label", "a:b"),)
    assert effects("-j CONNSECMARK --save") == (Mutate("security label", "save"),)
