"""-j REJECT: its answers, their older and shortened names, and tcp-reset's protocol."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.netfilter.effect import Reject


@pytest.mark.parametrize(
    ("family", "given", "answer"),
    [
        (4, "", "icmp-port-unreachable"),
        (4, "net-unreach", "icmp-net-unreachable"),
        (4, "host-unreach", "icmp-host-unreachable"),
        (4, "proto-unreach", "icmp-proto-unreachable"),
        (4, "port-unreach", "icmp-port-unreachable"),
        (4, "net-prohib", "icmp-net-prohibited"),
        (4, "host-prohib", "icmp-host-prohibited"),
        (4, "admin-prohib", "icmp-admin-prohibited"),
        (4, "ICMP-Port-Unreachable", "icmp-port-unreachable"),
        (4, "icmp-host", "icmp-host-unreachable"),
        (4, "icmp", "icmp-net-unreachable"),
        (6, "", "icmp6-port-unreachable"),
        (6, "no-route", "icmp6-no-route"),
        (6, "adm-prohibited", "icmp6-adm-prohibited"),
        (6, "addr-unreach", "icmp6-addr-unreachable"),
        (6, "port-unreach", "icmp6-port-unreachable"),
        (6, "policy-fail", "icmp6-policy-fail"),
        (6, "reject-route", "icmp6-reject-route"),
        (6, "icmp6-addr", "icmp6-addr-unreachable"),
    ],
)
def test_answer(family: int, given: str, answer: str) -> None:
    rule = f"-j REJECT --reject-with {given}" if given else "-j REJECT"
    assert printed(rule, family) == f"-j REJECT --reject-with {answer}"
    assert effects(rule, family) == (Reject(answer),)


@pytest.mark.parametrize("family", [4, 6])
def test_tcp_reset_needs_tcp(family: int) -> None:
    rule = "-p tcp -j REJECT --reject-with tcp-reset"
    assert printed(rule, family) == rule
    for without in ("", "! -p tcp ", "-p udp "):
        assert refusals(f"{without}-j REJECT --reject-with tcp-reset", family) == [
            "`REJECT` needs `-p tcp` in the same rule"
        ]


@pytest.mark.parametrize(
    ("family", "given"),
    [(4, "icmp-port-unreachablex"), (4, "echo-reply"), (4, "icmp6-no-route"), (4, '""'), (6, "icmp-net-unreachable"),
     (6, "addr-unreachable"), (6, "tcp-rst")],
)  # fmt: skip
def test_no_such_answer(family: int, given: str) -> None:
    assert f"is none of the answers of IPv{family}" in refusals(f"-j REJECT --reject-with {given}", family)[0]


def test_once_and_never_negated() -> None:
    assert refusals("-j REJECT --reject-with net-unreach --reject-with host-unreach") == [
        "`--reject-with` is given twice"
    ]
    assert refusals("-j REJECT ! --reject-with net-unreach") == ["`!` cannot stand before `--reject-with`"]
