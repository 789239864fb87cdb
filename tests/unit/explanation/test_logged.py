"""A line of the kernel log leads back to the rule that wrote it and to the packet before NAT."""

from __future__ import annotations

import random

import pytest
from router import filter_table, router

from policyc import api
from policyc.explanation.logged import Logged, logged
from policyc.readers.logline import read_logline
from policyc.source import Source

NAT = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -d 203.0.113.1/32 -i w0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.0.2.15:8443
COMMIT
"""
FORWARDED = "IN=w0 OUT=d0 MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=203.0.113.9 DST={} LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=51000 DPT={} WINDOW=64240 RES=0x00 SYN URGP=0"


def read(dump: str, line: str) -> Logged:
    return logged(api.load(dump), read_logline(Source("LOG", line)), line, router())


def test_the_rule_with_the_prefix_on_the_way() -> None:
    dump = filter_table('FORWARD -p udp -j LOG --log-prefix "gone: "', 'FORWARD -p tcp -j LOG --log-prefix "gone: "')
    found = read(dump, "[12.5] gone: " + FORWARDED.format("10.0.2.15", 22))
    assert found.by is not None
    assert (found.by.name, found.by.line) == ("filter/FORWARD #2", "<text>:6")
    assert found.explanation.deciding is not None
    assert found.explanation.deciding.name == "filter/FORWARD policy"


def test_the_packet_before_its_destination_was_translated() -> None:
    dump = NAT + filter_table('FORWARD -j LOG --log-prefix "gone: "')
    found = read(dump, "gone: " + FORWARDED.format("10.0.2.15", 8443))
    assert found.by is not None
    assert found.explanation.sent.text == "tcp 203.0.113.9:51000 -> 203.0.113.1:443"
    assert found.explanation.sent.ttl == 64


def test_a_packet_that_went_there_directly_is_not_taken_for_a_translated_one() -> None:
    dump = NAT + filter_table('FORWARD -m conntrack ! --ctstate DNAT -j LOG --log-prefix "gone: "')
    found = read(dump, "gone: " + FORWARDED.format("10.0.2.15", 8443))
    assert found.by is not None
    assert found.explanation.sent.destination == "10.0.2.15:8443"


def test_a_prefix_that_logs_elsewhere_only() -> None:
    found = read(filter_table('INPUT -j LOG --log-prefix "gone: "'), "gone: " + FORWARDED.format("10.0.2.15", 22))
    assert found.by is None
    assert [one.name for one in found.candidates] == ["filter/INPUT #1"]


def test_a_prefix_that_nobody_writes() -> None:
    found = read(filter_table(), "[UFW BLOCK] " + FORWARDED.format("10.0.2.15", 22))
    assert (found.by, found.candidates) == (None, ())
    assert found.explanation.word == "drop"


@pytest.mark.parametrize("seed", range(50))
def test_lines_lead_back_to_their_line_of_the_source(seed: int) -> None:
    """Fifty logging rules, each with a prefix of its own; a line that one of them writes names that one."""
    draw = random.Random(seed)
    ports = draw.sample(range(1, 65536), 25)
    rules = [
        rule
        for number, port in enumerate(ports)
        for rule in (
            f'FORWARD -p tcp -m tcp --dport {port} -j LOG --log-prefix "pc:F{number} "',
            f"FORWARD -p tcp -m tcp --dport {port} -j DROP",
        )
    ]
    wanted = draw.randrange(len(ports))
    found = read(filter_table(*rules), f"[pc:F{wanted}]"[1:-1] + " " + FORWARDED.format("10.0.2.15", ports[wanted]))
    assert found.by is not None
    assert found.by.number == 2 * wanted + 1
    assert found.by.line == f"<text>:{5 + 2 * wanted}"
    assert found.explanation.deciding is not None
    assert found.explanation.deciding.number == 2 * wanted + 2
