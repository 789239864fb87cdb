"""Matches that count: known from a fresh start, unknown from where nobody can follow."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api

HOST = {
    "interfaces": [{"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"}],
    "routes": [],
    "sysctls": {},
}


def verdicts(rules: str, count: int, **packet: Any) -> list[str]:
    """A, D or ? for each of so many packets to INPUT, which drops what no rule accepts."""
    sent = {
        "dir": "in",
        "iface": "eth0",
        "src": "198.51.100.7",
        "dst": "203.0.113.2",
        "proto": "udp",
        "dport": 53,
        "length": 100,
    }
    packets = [{"n": n, "sport": 1000 + n, "fresh": True, **sent, **packet} for n in range(count)]
    case = {"topology": HOST, "rules_v4": f"*filter\n:INPUT DROP\n{rules}\nCOMMIT\n", "packets": packets}
    letters = {"LOCAL": "A", "DROPPED": "D", "UNSUPPORTED": "?"}
    return [letters[verdict["verdict"]] for verdict in api.replay(case)]


@pytest.mark.parametrize(
    ("match", "answers"),
    [
        ("-m limit --limit 1/hour --limit-burst 3", "AAA?"),
        ("-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-name a --hashlimit-mode srcip", "AA??"),
        ("-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-name a --hashlimit-mode srcip", "DD??"),
        (
            "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-name a --hashlimit-mode srcport",
            "AAAA",
        ),
        ("-m statistic --mode nth --every 3 --packet 1", "DADDA"),
        ("-m statistic --mode random --probability 0.5", "??"),
        ("-m statistic --mode random --probability 1", "AA"),
        ("-m quota --quota 250", "AAD"),
        ("-m connlimit --connlimit-upto 1", "AAA"),
        ("-m connbytes --connbytes 1:1 --connbytes-dir both --connbytes-mode packets", "AA"),
        ("-m time --timestart 08:00 --timestop 09:00", "?"),
        ("-m cpu --cpu 0", "?"),
        ("-m recent --name x --rcheck", "DD"),
    ],
)
def test_answers(match: str, answers: str) -> None:
    assert "".join(verdicts(f"-A INPUT {match} -j ACCEPT", len(answers))) == answers


def test_two_rules_have_two_buckets_and_one_hashlimit_name_has_one() -> None:
    limit = "-A INPUT -m limit --limit 1/hour --limit-burst 1 -j ACCEPT"
    assert verdicts(f"{limit}\n{limit}", 2) == ["A", "?"]
    shared = "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 3 --hashlimit-name a"
    assert verdicts(f"-A INPUT {shared}\n-A INPUT {shared} -j ACCEPT", 2) == ["A", "?"]


def test_an_unknown_condition_counts_only_where_all_others_hold() -> None:
    unknown = "-m string --string x --algo bm"
    assert verdicts(f"-A INPUT {unknown} -p udp --dport 54 -j DROP\n-A INPUT -j ACCEPT", 1) == ["A"]
    assert verdicts(f"-A INPUT ! -p udp {unknown} -j DROP\n-A INPUT -j ACCEPT", 1) == ["A"]
    assert verdicts(f"-A INPUT {unknown} -j DROP\n-A INPUT -j ACCEPT", 1) == ["?"]


def test_a_list_is_written_where_a_later_match_of_the_rule_fails() -> None:
    rules = "-A INPUT -m recent --name x --rcheck -j ACCEPT\n-A INPUT -p udp -m recent --name x --set -m udp --dport 54 -j DROP"
    assert verdicts(rules, 2, fresh=False) == ["D", "A"]
    before = "-A INPUT -m recent --name x --rcheck -j ACCEPT\n-A INPUT -p udp -m udp --dport 54 -m recent --name x --set -j DROP"
    assert verdicts(before, 2, fresh=False) == ["D", "D"]


def test_connections_of_one_source_are_counted() -> None:
    limited = "-A INPUT -m connlimit --connlimit-above 2 -j DROP\n-A INPUT -j ACCEPT"
    assert verdicts(limited, 3, fresh=False) == ["A", "A", "D"]


def test_a_set_that_a_rule_writes_is_read_by_the_next_packet() -> None:
    sent = {
        "dir": "in",
        "iface": "eth0",
        "src": "198.51.100.7",
        "dst": "203.0.113.2",
        "proto": "udp",
        "sport": 1,
        "dport": 2,
    }
    rules = "-A INPUT -m set --match-set seen src -j ACCEPT\n-A INPUT -j SET --add-set seen src"
    case = {
        "topology": HOST, "ipsets": "create seen hash:ip family inet\n",
        "rules_v4": f"*filter\n:INPUT DROP\n{rules}\nCOMMIT\n", "packets": [{"n": n, **sent} for n in (0, 1)],
    }  # fmt: skip
    assert [verdict["verdict"] for verdict in api.replay(case)] == ["DROPPED", "LOCAL"]
    unknown = api.replay({**case, "ipsets": None})
    assert [verdict["verdict"] for verdict in unknown] == ["UNSUPPORTED", "UNSUPPORTED"]
