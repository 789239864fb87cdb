"""The answers about a running kernel, made of values written by hand: their JSON keeps its schema, their text says what is so."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
from pydantic import BaseModel

from policyc.netfilter.ruleset import Ruleset
from policyc.observation.doctor.examine import examine
from policyc.observation.doctor.measured import Measurement
from policyc.observation.tally import tally
from policyc.observation.traced import Event, TracedPacket, Traces, Watch
from policyc.readers.save import read_save
from policyc.report.counters import counters_json, counters_text
from policyc.report.doctor import doctor_json
from policyc.report.schemas import LIVE, schema_text
from policyc.report.style import PLAIN, Style
from policyc.report.trace import packet_text, summary_text, trace_json
from policyc.source import Source

SOURCE = """\
*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p udp -m udp --dport 5353 -j DNAT --to-destination 192.0.2.1:53
COMMIT
*filter
:INPUT DROP [0:0]
-A INPUT -p udp -m udp --dport 53 -j ACCEPT
-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT
COMMIT
"""
LIVE_RULES = """\
*nat
:PREROUTING ACCEPT [1:84]
[2:80] -A PREROUTING -p udp -m udp --dport 5353 -j DNAT --to-destination 192.0.2.1:53
COMMIT
*filter
:INPUT DROP [7:700]
[3:300] -A INPUT -s 198.51.100.0/24 -j DROP
[5:250] -A INPUT -p udp -m udp --dport 53 -j ACCEPT
COMMIT
"""


def udp(dst: int, dport: int) -> bytes:
    """The headers of a datagram from 192.0.2.9:1000, as the kernel tells them."""
    head = bytes([0x45, 0, 0, 33, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 9, 192, 0, 2, dst])
    return head + (1000).to_bytes(2, "big") + dport.to_bytes(2, "big") + bytes([0, 13, 0, 0])


BEGIN = Event(
    7,
    1,
    "policyc_trace_1",
    "received",
    "rule",
    "continue",
    watch=Watch.RECEIVED,
    begins=True,
    packet=udp(1, 5353),
    entry="eth0",
)
DNAT = Event(7, 4, "nat", "PREROUTING", "rule", "accept", number=1, packet=udp(1, 5353), entry="eth0", state="NEW")
ACCEPT = Event(7, 4, "filter", "INPUT", "rule", "accept", number=2, packet=udp(1, 53), entry="eth0", state="NEW")
DROP = Event(7, 4, "filter", "INPUT", "policy", "drop", packet=udp(1, 5353), entry="eth0", state="NEW")
DELIVERED = Event(
    7, 1, "policyc_trace_1", "delivered", "policy", "accept", watch=Watch.DELIVERED, packet=udp(1, 53), entry="eth0"
)


def rules(text: str, name: str) -> Ruleset:
    return read_save(Source(name, text), 4)


def traced(*events: Event, source: Ruleset | None = None) -> TracedPacket:
    traces = Traces(rules(LIVE_RULES, "kernel"), source)
    assert traces.add(events, 0.0) == []
    (packet,) = traces.quiet(1.0)
    return packet


def answers() -> dict[str, str]:
    source = rules(SOURCE, "host.rules")
    packets = [traced(BEGIN, DNAT, ACCEPT, DELIVERED, source=source), traced(BEGIN, DROP), traced(BEGIN)]
    measured = Measurement("boot", 1, 1.0, {"conntrack.drop": 3}, {"net.ipv4.tcp_syncookies": "0"})
    return {
        "counters": counters_json(tally(source, rules(LIVE_RULES, "kernel"), "nft", 4)),
        "doctor": doctor_json(examine(measured)),
        "trace": trace_json(packets, ["something"]),
    }


def extras(model: BaseModel) -> list[str]:
    found = [f"{type(model).__name__}.{key}" for key in model.model_extra or {}]
    for value in model.__dict__.values():
        for item in value if isinstance(value, list) else [value]:
            found += extras(item) if isinstance(item, BaseModel) else []
    return found


@pytest.mark.parametrize("command", LIVE)
def test_an_answer_fits_its_schema_and_says_nothing_else(command: str) -> None:
    answer: dict[str, Any] = json.loads(answers()[command])
    assert next(iter(answer)) == "format_version"
    jsonschema.validate(answer, json.loads(schema_text(command)))
    assert extras(LIVE[command].model_validate(answer)) == []


# ---------------------------------------------------------------------- counters
def test_counters_as_text() -> None:
    assert counters_text(tally(rules(SOURCE, "host.rules"), rules(LIVE_RULES, "kernel"), "nft", 4), Style()) == """\
packets  bytes
      2     80  host.rules:3  -A PREROUTING -p udp -m udp --dport 5353 -j DNAT --to-destinati…
      5    250  host.rules:7  -A INPUT -p udp -m udp --dport 53 -j ACCEPT
      -      -  host.rules:8  -A INPUT -p tcp -m tcp --dport 22 -j ACCEPT  not in the kernel
      7    700  host.rules:6  policy of filter/INPUT, IPv4: DROP
      1     84  host.rules:2  policy of nat/PREROUTING, IPv4: ACCEPT

3 lines, 0 never hit; 2 rules in the kernel (rules of iptables-nft)
in the source, not in the kernel: 1 rule
  host.rules:8  IPv4  filter/INPUT #2  -p tcp -m tcp --dport 22 -j ACCEPT
in the kernel, not in the source: 1 rule
  3 packets  IPv4  filter/INPUT #1  -s 198.51.100.0/24 -j DROP
iptables-legacy has 4 rules too, and a packet meets both: `--rules-of legacy` shows those
"""  # fmt: skip


def test_rates_and_rules_that_were_loaded_anew() -> None:
    source = rules(SOURCE, "host.rules")
    before = tally(source, rules(LIVE_RULES, "kernel"), "nft")
    later = tally(source, rules(LIVE_RULES.replace("[5:250]", "[9:450]").replace("[2:80]", "[0:0]"), "kernel"), "nft")
    lines = counters_text(later, PLAIN, before, 2.0).splitlines()
    assert lines[0].split() == ["packets", "bytes", "packets/s", "bytes/s"]
    assert lines[1].split()[:4] == ["0", "0", "-", "-"]
    assert lines[2].split()[:4] == ["9", "450", "2.0", "100.0"]


# ---------------------------------------------------------------------- trace
def test_a_traced_packet_as_text() -> None:
    assert packet_text(1, traced(BEGIN, DNAT, ACCEPT, DELIVERED, source=rules(SOURCE, "host.rules")), Style()) == """\
1  udp 192.0.2.9:1000 → 192.0.2.1:5353  in eth0, NEW
  PREROUTING  nat       #1  -p udp -m udp --dport 5353 -j DNAT --to-destination 192.0.2.1:53
                                                                              accept    host.rules:3
                        ≈ now dport 53 (was 5353)
  INPUT       filter    #2  -p udp -m udp --dport 53 -j ACCEPT                ✓ accept  host.rules:7
                        delivered to this host                                ■ ACCEPT
"""  # fmt: skip


def test_in_ascii_too() -> None:
    text = packet_text(1, traced(BEGIN, DNAT, ACCEPT, DELIVERED), Style(ascii_only=True))
    assert text.isascii()
    assert "~ now dport 53" in text


def test_a_policy_decides() -> None:
    packet = traced(BEGIN, DROP, source=rules(SOURCE, "host.rules"))
    assert (packet.outcome, packet.hook) == ("dropped", "INPUT")
    assert packet.deciding is not None
    assert packet.deciding.name == "filter/INPUT policy"
    assert packet.deciding.origin is not None
    assert packet.deciding.origin.line == "host.rules:6"


def test_a_packet_of_which_nothing_more_is_heard() -> None:
    packet = traced(BEGIN)
    assert (packet.outcome, packet.hook) == ("gone", "PREROUTING")
    assert "■ GONE" in packet_text(1, packet, PLAIN)


def test_the_packets_of_another_trace_are_not_ours() -> None:
    traces = Traces(Ruleset(), None)
    traces.add([DNAT, ACCEPT, DELIVERED], 0.0)
    assert traces.rest() == []


def test_a_number_that_the_kernel_uses_again_is_another_packet() -> None:
    traces = Traces(rules(LIVE_RULES, "kernel"), None)
    finished = traces.add([BEGIN, DROP, BEGIN, DNAT], 0.0)
    assert [packet.outcome for packet in finished] == ["dropped"]
    assert [packet.outcome for packet in traces.rest()] == ["gone"]


def test_rules_newer_than_the_trace() -> None:
    packet = traced(BEGIN, Event(7, 4, "filter", "INPUT", "rule", "drop"))
    assert packet.steps[0].place is None
    assert "a rule newer than the trace" in packet_text(1, packet, PLAIN)


def test_ipv6_options_between_the_headers_are_not_read_as_transport() -> None:
    head = bytes([0x60, 0, 0, 0, 0, 36, 0, 1]) + bytes(15) + b"\1" + b"\xff\2" + bytes(13) + b"\x16"
    told = Event(
        7, 1, "t", "sent", "rule", "continue", watch=Watch.SENT, begins=True, packet=head + b"\x8f" + bytes(19)
    )
    packet = traced(told)
    assert packet.first.sport is None
    assert packet_text(1, packet, PLAIN).startswith("1  ipv6 ::1 → ff02::16  from this host")


def test_what_a_trace_could_not_see_is_said() -> None:
    assert summary_text(1, ["lost"], PLAIN) == "1 packet traced\nlost\n"
