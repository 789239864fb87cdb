"""What the kernel reads of the packet's connection: its state, its entry, marks, labels, and the helper that expected it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench import judged
from packet_bytes import Described
from packet_site import EXEMPT, HOST, SERVER, SITE, answering, arriving, leaving, ports, states, tcp
from polarity import expect_both

from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
# Connections of these ports get the mark 5, those to 5678 a label; what goes to port 69 is TFTP.
SITE = replace(
    SITE,
    tail={
        "raw": (EXEMPT, "-p udp -m udp --dport 69 -j CT --helper tftp"),
        "mangle": ("-p tcp -m tcp --dport 6000 -j CONNMARK --set-mark 5",),
    },
    more={
        family: f"""*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination {server}:80
-A POSTROUTING -p tcp -m tcp --dport 90 -j SNAT --to-source {HOST[family]}
COMMIT
"""
        for family, server in ((4, SERVER[4]), (6, f"[{SERVER[6]}]"))
    },
)
ROWS = [
    *(f"-m conntrack {mark}--ctstate {state}" for state in STATES for mark in ("", "! ")),
    *(f"-m state {mark}--state {state}" for state in STATES for mark in ("", "! ")),
    "-m conntrack --ctstate NEW,INVALID", "-m conntrack --ctstate SNAT", "-m conntrack ! --ctstate SNAT,INVALID",
    "-m conntrack --ctstate DNAT,UNTRACKED", "-m conntrack ! --ctstate DNAT",
    "-m conntrack --ctproto 6", "-m conntrack ! --ctproto 6",
    "-m conntrack --ctorigsrcport 1000:1001", "-m conntrack ! --ctorigsrcport 1000:1001",
    "-m conntrack --ctorigdstport 80", "-m conntrack ! --ctorigdstport 80",
    "-m conntrack --ctreplsrcport 80", "-m conntrack ! --ctreplsrcport 80",
    "-m conntrack --ctrepldstport 1000", "-m conntrack ! --ctrepldstport 1000",
    "-m conntrack --ctstatus SEEN_REPLY", "-m conntrack ! --ctstatus SEEN_REPLY",
    "-m conntrack --ctstatus ASSURED", "-m conntrack ! --ctstatus ASSURED",
    "-m conntrack --ctstatus CONFIRMED", "-m conntrack ! --ctstatus CONFIRMED",
    "-m conntrack --ctstatus EXPECTED", "-m conntrack ! --ctstatus EXPECTED",
    "-m conntrack --ctstatus NONE", "-m conntrack ! --ctstatus NONE", "-m conntrack --ctstatus ASSURED,EXPECTED",
    "-m conntrack --ctdir ORIGINAL", "-m conntrack --ctdir REPLY",
    "-m conntrack --ctstate INVALID,NEW --ctorigdstport 80", "-m conntrack ! --ctstate NEW ! --ctproto 17",
    "-m conntrack --ctstate UNTRACKED,ESTABLISHED --ctdir REPLY",
    "-m connmark --mark 5", "-m connmark ! --mark 5", "-m connmark --mark 0", "-m connmark --mark 1/1", "-m connmark ! --mark 1/1",
    "-m helper --helper tftp", "-m helper ! --helper tftp", '-m helper --helper ""', "-m helper --helper tftp-69",
    "-m helper --helper ftp",
    "-m connlabel --label 7", "-m connlabel ! --label 7",
    "-p tcp -m tcp --dport 5678 -m connlabel --label 7 --set", "-p tcp -m tcp --dport 5678 -m connlabel ! --label 8 --set",
]  # fmt: skip
BY_FAMILY = {
    4: [
        "-m conntrack --ctorigsrc 198.51.100.7", "-m conntrack ! --ctorigsrc 198.51.100.0/24", "-m conntrack --ctorigdst 192.168.1.9",
        "-m conntrack ! --ctorigdst 192.168.1.9", "-m conntrack --ctreplsrc 192.168.1.9", "-m conntrack ! --ctreplsrc 192.168.1.9",
        "-m conntrack --ctrepldst 198.51.100.7", "-m conntrack ! --ctrepldst 198.51.100.7",
        "-m conntrack ! --ctorigsrc 198.51.100.7 --ctstate NEW",
    ],
    6: [
        "-m conntrack --ctorigsrc 2001:db8:9::7", "-m conntrack ! --ctorigsrc 2001:db8:9::/48", "-m conntrack --ctorigdst fd00:1::9",
        "-m conntrack ! --ctorigdst fd00:1::9", "-m conntrack --ctreplsrc fd00:1::9", "-m conntrack ! --ctreplsrc fd00:1::9",
        "-m conntrack --ctrepldst 2001:db8:9::7", "-m conntrack ! --ctrepldst 2001:db8:9::/48",
        "-m conntrack ! --ctorigsrc 2001:db8:9::7 --ctstate NEW",
    ],
}  # fmt: skip


def packets(family: int) -> list[Described]:
    related = {"ctstate": "RELATED", "helper": "tftp"}
    return [
        *states(family),
        arriving(family, "tcp", **tcp(1300, 6000)),
        answering(family, "tcp", **tcp(6000, 1300, "SYN,ACK", seq=5000, ack=1001)),
        leaving(family, "tcp", **tcp(1301, 6000)),
        arriving(family, "tcp", **tcp(1304, 8080, seq=1000), dst=HOST[family]),
        answering(family, "tcp", **tcp(80, 1304, "SYN,ACK", seq=5000, ack=1001)),
        arriving(family, "tcp", **tcp(1304, 8080, "ACK", seq=1001, ack=5001), dst=HOST[family]),
        arriving(family, "tcp", **tcp(1305, 90, seq=1000)),
        answering(family, "tcp", **tcp(90, 1305, "SYN,ACK", seq=5000, ack=1001), dst=HOST[family]),
        arriving(family, "tcp", **tcp(1310, 5678, seq=1000)),
        answering(family, "tcp", **tcp(5678, 1310, "SYN,ACK", seq=5000, ack=1001)),
        arriving(family, "tcp", **tcp(1310, 5678, "ACK", seq=1001, ack=5001)),
        arriving(family, "tcp", **tcp(1311, 5678, "SYN,FIN")),
        # A read request (RFC 1350), and the data that the helper expects from another port of the server.
        arriving(family, "udp", **ports(2300, 69, data=b"\0\1a\0octet\0")),
        answering(family, "udp", **ports(4444, 2300), **related),
        arriving(family, "udp", **ports(2300, 4444)),
    ]


NO_ENTRY = "match without entry: there is no entry to look at"
# What the packets cannot show: rules that begin so, and why. The first that fits holds.
IMPOSSIBLE = {
    "-m conntrack --ctstate NEW,INVALID": "",
    "-m conntrack --ctstate INVALID,NEW": "",
    "-m conntrack --ctstate UNTRACKED,ESTABLISHED": "",
    "-m conntrack --ctstate SNAT": NO_ENTRY,
    "-m conntrack --ctstate DNAT,UNTRACKED": "",
    "-m conntrack ! --ctstate DNAT": "no match without entry: what has no entry is not translated",
    "-m conntrack ! --ctstate SNAT,INVALID": "",
    "-m conntrack ! --ctstate NEW ! --ctproto": "no match without entry: NEW has an entry",
    **{
        f"-m {match} {mark}--{option} {state}": f"{how} {'without' if has_entry else 'with'} entry: {state} says whether there is one"
        for match, option in (("conntrack", "ctstate"), ("state", "state"))
        for mark, how in (("", "match"), ("! ", "no match"))
        for states, has_entry in ((STATES[:3], True), (STATES[3:], False))
        for state in states
    },
    "-m conntrack --ctstatus NONE": "match with entry, match without entry: the kernel asks for any of no bits",
    "-m conntrack ! --ctstatus NONE": "no match with entry, match without entry: the kernel asks for any of no bits",
    "-m conntrack": NO_ENTRY,
    "-m connmark": NO_ENTRY,
    "-m helper ! --helper tftp": "no match without entry: no helper expects what has no entry",
    "-m helper --helper ftp": "match with entry, match without entry: the helper here is tftp",
    "-m helper": NO_ENTRY,
    "-m connlabel ! --label": "no match without entry: there is no entry to look at",
    "-m connlabel --label": NO_ENTRY,
    "-p tcp -m tcp --dport 5678 -m connlabel ! --label": "match with entry: the label is set and then found",
    "-p tcp -m tcp --dport 5678 -m connlabel --label": NO_ENTRY,
}


def lacks(rows: list[str]) -> dict[str, str]:
    """What no packet can show of each rule."""
    found = {row: next((why for start, why in IMPOSSIBLE.items() if row.startswith(start)), "") for row in rows}
    return {row: why for row, why in found.items() if why}


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_connections(namespace: Namespace, family: int, backend: Backend) -> None:
    rows = [*ROWS, *BY_FAMILY[family]]
    answers = judged(namespace, backend, family, SITE, rows, packets(family))
    expect_both(answers, lacks(rows))
