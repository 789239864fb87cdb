"""-j LOG, NFLOG, ULOG, AUDIT, TRACE, NFQUEUE: what programs and logs are told."""

from __future__ import annotations

import pytest
from reading import effects, printed, refusals

from policyc.netfilter.effect import Note, Verdict


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("LOG", "LOG"),
        ("LOG --log-level warning", "LOG"),
        ("LOG --log-level 4", "LOG"),
        ("LOG --log-level panic", "LOG --log-level 0"),
        ("LOG --log-level error", "LOG --log-level 3"),
        ("LOG --log-level 0x7", "LOG --log-level 7"),
        ('LOG --log-prefix "a b: "', 'LOG --log-prefix "a b: "'),
        ("LOG --log-prefix a-b_1", "LOG --log-prefix a-b_1"),
        ("LOG --log-prefix a.b", 'LOG --log-prefix "a.b"'),
        (
            "LOG --log-macdecode --log-u --log-ip-options --log-tcp-options --log-tcp-sequence --log-level info",
            "LOG --log-level 6 --log-tcp-sequence --log-tcp-options --log-ip-options --log-uid --log-macdecode",
        ),
        ("NFLOG --nflog-group 0 --nflog-threshold 0 --nflog-range 0", "NFLOG"),
        ("NFLOG --nflog-size 0", "NFLOG --nflog-size 0"),
        (
            'NFLOG --nflog-threshold 10 --nflog-size 3 --nflog-group 0x10 --nflog-prefix "a b"',
            'NFLOG --nflog-prefix "a b" --nflog-group 16 --nflog-size 3 --nflog-threshold 10',
        ),
        ("NFLOG --nflog-range 5", "NFLOG --nflog-range 5"),
        ("NFLOG --nflog-prefix " + 64 * "x", "NFLOG --nflog-prefix " + 64 * "x"),
        ("AUDIT --type DROP", "AUDIT --type drop"),
        ("TRACE", "TRACE"),
        ("NFQUEUE", "NFQUEUE --queue-num 0"),
        ("NFQUEUE --queue-bypass", "NFQUEUE --queue-num 0 --queue-bypass"),
        ("NFQUEUE --queue-num 65535", "NFQUEUE --queue-num 65535"),
        ("NFQUEUE --queue-balance :", "NFQUEUE --queue-balance 0:65534"),
        ("NFQUEUE --queue-balance 4:", "NFQUEUE --queue-balance 4:65534"),
        ("NFQUEUE --queue-balance 1:65535", "NFQUEUE --queue-balance 1:65535"),
        (
            "NFQUEUE --queue-cpu-fanout --queue-bypass --queue-balance :4",
            "NFQUEUE --queue-balance 0:4 --queue-bypass --queue-cpu-fanout",
        ),
    ],
)
def test_printed(family: int, given: str, canonical: str) -> None:
    assert printed(f"-j {given}", family) == f"-j {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("ULOG --ulog-nlgroup 1 --ulog-qthreshold 1 --ulog-cprange 0", "ULOG"),
        (
            "ULOG --ulog-qthreshold 50 --ulog-cprange 4294967295 --ulog-nlgroup 32 --ulog-prefix x",
            "ULOG --ulog-prefix x --ulog-nlgroup 32 --ulog-cprange 4294967295 --ulog-qthreshold 50",
        ),
    ],
)
def test_ulog_is_for_ipv4(given: str, canonical: str) -> None:
    assert printed(f"-j {given}") == f"-j {canonical}"
    assert refusals(f"-j {given}", 6) == ["the target `ULOG` does not exist for IPv6"]


@pytest.mark.parametrize(
    "rule",
    [
        *(f"LOG --log-level {level}" for level in ("8", "-1", "DEBUG", "deb", "err", "warn", "5x", '""')),
        'LOG --log-prefix ""',
        "LOG --log-prefix " + 30 * "x",
        "LOG --log-prefix a --log-prefix b",
        "LOG --log-uid --log-uid",
        "LOG ! --log-uid",
        "LOG --log-tcp",
        "LOG --log-prefix",
        "NFLOG --nflog-group 65536",
        "NFLOG --nflog-group -1",
        "NFLOG --nflog-size 4294967296",
        "NFLOG --nflog-threshold 65536",
        "NFLOG --nflog-size 1 --nflog-range 1",
        'NFLOG --nflog-prefix ""',
        "NFLOG --nflog-prefix " + 65 * "x",
        "ULOG --ulog-nlgroup 0",
        "ULOG --ulog-nlgroup 33",
        "ULOG --ulog-qthreshold 0",
        "ULOG --ulog-qthreshold 51",
        "ULOG --ulog-prefix " + 32 * "x",
        "AUDIT",
        "AUDIT --type acc",
        "TRACE --rules",
        "NFQUEUE --queue-num 65536",
        "NFQUEUE --queue-num 4 --queue-balance 0:3",
        "NFQUEUE --queue-cpu-fanout",
        *(f"NFQUEUE --queue-balance {span}" for span in ("4", "4:4", "4:3", "0:65535", ":65535", "0-3", "0:1:2")),
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(f"-j {rule}")


def test_effects() -> None:
    assert effects("-j LOG --log-prefix a") == (Note("log", "a"),)
    assert effects("-j NFLOG --nflog-prefix a") == (Note("nflog", "a"),)
    assert effects("-j AUDIT --type reject") == (Note("audit", "reject"),)
    assert effects("-j TRACE") == (Note("trace"),)
    assert effects("-j NFQUEUE --queue-bypass") == (Note("queue", "--queue-num 0 --queue-bypass"), Verdict("queue"))
    assert effects("-j QUEUE") == (Verdict("queue"),)
