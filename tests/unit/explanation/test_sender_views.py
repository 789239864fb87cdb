"""What the sender sees, said from a finished trace; the kernel's side of it is tests/kernel/wire/test_sender.py."""

from __future__ import annotations

import pytest

from policyc.explanation.sender import Seen, SenderView, connect_timeout, sender_views
from policyc.host.sysctls import Sysctls
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.readers.save import read_save
from policyc.readers.topology import host_of_topology
from policyc.simulation.headers import packet_of
from policyc.simulation.state import State
from policyc.simulation.trace import DROPPED, REJECTED, UNSUPPORTED, Step, Trace
from policyc.simulation.walk import Simulation
from policyc.source import Source

SYN, ACK, RST = 2, 16, 4
HOST = {"interfaces": [{"name": "eth0", "addrs": ["192.0.2.1/24", "2001:db8::1/64"]}]}
FAR, HERE = "192.0.2.9", "192.0.2.1"


def seen(rules: str, *, local: bool = False, family: int = 4, **headers: int) -> tuple[SenderView, ...]:
    far, here = (FAR, HERE) if family == 4 else ("2001:db8::9", "2001:db8::1")
    source, target = (here, far) if local else (far, here)
    values = {"proto": 6, "sport": 50000, "dport": 443, **headers}
    if values["proto"] in {1, 58}:
        values = {name: value for name, value in values.items() if name not in {"sport", "dport"}}
    sent = packet_of(Headers(family, parse_address(source, family), parse_address(target, family), **values))
    sent.outgoing, sent.iif = local, None if local else "eth0"
    ruleset = read_save(Source("rules", f"*filter\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n{rules}\nCOMMIT\n"), family)
    trace = Simulation(ruleset, State.of(host_of_topology(HOST))).walk(sent.copy())
    return sender_views(trace, sent)


def test_a_refused_connection_says_which_rule_and_which_answer() -> None:
    assert seen("-A INPUT -j REJECT") == (
        SenderView(
            Seen.REFUSED, "ECONNREFUSED", "`Connection refused` at once", 0.0,
            "rule 1 of filter/INPUT rejects it with icmp-port-unreachable", "connect()",
        ),
    )  # fmt: skip


def test_a_dropped_connection_times_out_after_two_minutes() -> None:
    (view,) = seen(":x -\n-A INPUT -j x\n-A x -j DROP")
    assert (view.kind, view.errno, view.after_seconds) == (Seen.TIMEOUT, "ETIMEDOUT", 131.0)
    assert view.text == "`Connection timed out` after about 2 minutes with Linux's defaults"
    assert view.because == "rule 1 of filter/x drops it"


def test_a_policy_drops() -> None:
    ruleset = read_save(Source("rules", "*filter\n:INPUT DROP\nCOMMIT\n"), 4)
    sent = packet_of(Headers(4, parse_address(FAR, 4), parse_address(HERE, 4), 6, sport=1, dport=2))
    sent.iif = "eth0"
    trace = Simulation(ruleset, State.of(host_of_topology(HOST))).walk(sent.copy())
    assert sender_views(trace, sent)[0].because == "the policy of filter/INPUT drops it"


def test_an_answer_that_output_drops_leaves_a_timeout() -> None:
    (view,) = seen("-A INPUT -j REJECT\n-A OUTPUT -p icmp -j DROP")
    assert view.kind is Seen.TIMEOUT
    assert view.because == (
        "rule 1 of filter/INPUT rejects it with icmp-port-unreachable; "
        "the answer itself is lost: rule 1 of filter/OUTPUT drops the answer"
    )


def test_reject_in_output_rejects_its_own_answer_too() -> None:
    (view,) = seen("-A OUTPUT -p tcp -j REJECT --reject-with tcp-reset", local=True)
    assert view.kind is Seen.TIMEOUT
    assert "the answer itself is lost: rule 1 of filter/OUTPUT rejects the answer with tcp-reset" in view.because
    (view,) = seen(f"-A OUTPUT -d {FAR} -p tcp -j REJECT --reject-with tcp-reset", local=True)
    assert (view.kind, view.errno, view.after_seconds) == (Seen.REFUSED, "ECONNREFUSED", 0.0)


def test_a_local_connection_over_ipv6_learns_of_it_with_its_second_segment() -> None:
    (view,) = seen("-A OUTPUT -p tcp -j REJECT", local=True, family=6)
    assert (view.kind, view.errno, view.after_seconds) == (Seen.REFUSED, "ECONNREFUSED", 1.0)
    (view,) = seen("-A INPUT -p tcp -j REJECT --reject-with icmp6-adm-prohibited", family=6)
    assert (view.kind, view.errno, view.after_seconds) == (Seen.PROHIBITED, "EACCES", 0.0)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("DROP", [("a UDP socket", Seen.TIMEOUT, "")]),
        (
            "REJECT",
            [
                ("a connected UDP socket", Seen.REFUSED, "ECONNREFUSED"),
                ("a UDP socket without connect()", Seen.TIMEOUT, ""),
            ],
        ),
        ("REJECT --reject-with icmp-host-unreachable", [("a UDP socket", Seen.TIMEOUT, "")]),
        (
            "REJECT --reject-with icmp-admin-prohibited",
            [
                ("a connected UDP socket", Seen.PROHIBITED, "EHOSTUNREACH"),
                ("a UDP socket without connect()", Seen.TIMEOUT, ""),
            ],
        ),
    ],
)
def test_udp(rule: str, expected: list[tuple[str, Seen, str]]) -> None:
    assert [(one.program, one.kind, one.errno) for one in seen(f"-A INPUT -j {rule}", proto=17)] == expected


def test_udp_of_this_host() -> None:
    assert [(one.kind, one.errno) for one in seen("-A OUTPUT -j DROP", local=True, proto=17)] == [(Seen.EPERM, "EPERM")]
    both = seen(f"-A OUTPUT -d {FAR} -j REJECT", local=True, proto=17)
    assert [(one.kind, one.errno) for one in both] == [(Seen.EPERM, "EPERM"), (Seen.REFUSED, "ECONNREFUSED")]


def test_pings() -> None:
    assert [(one.kind, one.text) for one in seen("-A INPUT -j REJECT", proto=1, icmp=0x800)] == [
        (Seen.REFUSED, "ping prints `Destination Port Unreachable`")
    ]
    assert [one.kind for one in seen("-A INPUT -j DROP", proto=1, icmp=0x800)] == [Seen.TIMEOUT]
    assert [one.kind for one in seen("-A OUTPUT -j DROP", proto=58, icmp=0x8000, family=6, local=True)] == [
        Seen.EPERM,
        Seen.TIMEOUT,
    ]


def test_packets_that_nobody_waits_for() -> None:
    assert seen("-A INPUT -j DROP", flags=RST)[0].kind is Seen.NOTHING
    assert seen("-A INPUT -j DROP", proto=1, icmp=0)[0].kind is Seen.NOTHING
    assert seen("-A INPUT -j DROP", proto=1, icmp=0x303)[0].kind is Seen.NOTHING


def test_a_connection_that_stands() -> None:
    assert seen("-A INPUT -j DROP", flags=ACK)[0].after_seconds == 924.6
    reset = seen("-A INPUT -p tcp -j REJECT --reject-with tcp-reset", flags=ACK)[0]
    assert (reset.kind, reset.errno) == (Seen.RESET, "ECONNRESET")
    soft = seen("-A INPUT -j REJECT --reject-with icmp-host-prohibited", flags=ACK)[0]
    assert (soft.kind, soft.errno) == (Seen.TIMEOUT, "EHOSTUNREACH")
    assert seen("-A OUTPUT -j DROP", local=True, flags=SYN | ACK)[0].program == "the other end"


def test_other_protocols() -> None:
    assert [(one.kind, one.program) for one in seen("-A INPUT -j DROP", proto=47)] == [(Seen.TIMEOUT, "the sender")]
    assert [one.text for one in seen("-A INPUT -j REJECT", proto=47)] == ["an ICMP error, port-unreachable"]
    assert [one.errno for one in seen("-A OUTPUT -j DROP", proto=47, local=True)] == ["EPERM"]


def test_delivered() -> None:
    (view,) = seen("")
    assert (view.kind, view.because) == (Seen.ANSWER, "")
    assert "if a program listens on port 443" in view.text
    assert "on port 443 gets it" in seen("", proto=17)[0].text
    assert seen("", local=True)[0].text == "it goes on its way: what comes back is up to its receiver"


def test_what_nobody_can_know() -> None:
    sent = packet_of(Headers(4, 1, 2, 6, sport=1, dport=2))
    (view,) = sender_views(Trace(verdict=UNSUPPORTED, reason="the chain tests a string"), sent)
    assert (view.kind, view.because) == (Seen.UNKNOWN, "the chain tests a string")


def test_a_reject_without_answer() -> None:
    sent = packet_of(Headers(4, 1, 2, 17, sport=1, dport=2))
    trace = Trace([Step("filter", "INPUT", 1, "drop")], REJECTED, reject_with="icmp-port-unreachable")
    (view,) = sender_views(trace, sent)
    assert view.kind is Seen.TIMEOUT
    assert view.because.endswith("without an answer: the kernel sends none about such a packet")


def test_no_route_before_and_after_the_first() -> None:
    sent = packet_of(Headers(4, 1, 2, 6, sport=1, dport=2))
    sent.outgoing = True
    first = Trace(verdict="KERNEL_DROP", send_error="ENETUNREACH", reason="there is no way")
    assert sender_views(first, sent)[0].kind is Seen.NO_ROUTE
    second = Trace(verdict="KERNEL_DROP", send_error="EINVAL", reason="there is no way", passed="nat/OUTPUT")
    assert sender_views(second, sent)[0].kind is Seen.TIMEOUT


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ({}, 131),
        ({"tcp_syn_linear_timeouts": "0"}, 127),
        ({"tcp_syn_retries": "1", "tcp_syn_linear_timeouts": "2"}, 5),
        ({"tcp_syn_retries": "8"}, 371),
    ],
)
def test_how_long_connect_waits(given: dict[str, str], seconds: float) -> None:
    assert connect_timeout(Sysctls({f"net.ipv4.{name}": value for name, value in given.items()})) == seconds


def test_the_senders_own_settings_count() -> None:
    sent = packet_of(Headers(4, 1, 2, 6, sport=1, dport=2))
    trace = Trace([Step("filter", "OUTPUT", "policy", "drop")], DROPPED)
    sysctls = Sysctls({"net.ipv4.tcp_syn_retries": "1", "net.ipv4.tcp_syn_linear_timeouts": "0"})
    assert sender_views(trace, sent, sysctls)[0].after_seconds == 131  # those of another host
    sent.outgoing = True
    assert sender_views(trace, sent, sysctls)[0].text == "`Connection timed out` after 3 seconds"
