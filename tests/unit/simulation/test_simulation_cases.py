"""What is wrong with the packets of a case is said, all of it at once."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api

HOST = {
    "interfaces": [{"name": "eth0", "addrs": ["203.0.113.2/24"], "mac": "02:00:00:00:00:01"}],
    "routes": [],
    "sysctls": {},
}
GOOD = {"dir": "in", "iface": "eth0", "src": "198.51.100.7", "dst": "203.0.113.2", "proto": "tcp"}


def complaints(*packets: Any) -> list[str]:
    with pytest.raises(api.InputError) as caught:
        api.replay({"topology": HOST, "packets": list(packets)})
    assert {found.name for found in caught.value.diagnostics} == {"bad-packet"}
    return [found.message.removeprefix("packet 0 of the case") for found in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dir": "up"}, ": `dir` is `in` or `out`, not `up`"),
        ({"iface": "eth9"}, ": the host has no interface `eth9`"),
        ({"src": "198.51.100"}, ": `198.51.100` has 3 of the 4 numbers of an IPv4 address"),
        ({"proto": "tpc"}, ": `tpc` is not a protocol name"),
        ({"flags": "SYM"}, ": `SYM` is none of the TCP flags FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, NONE"),
        ({"sport": "http"}, ": `sport` is not a whole number from 0 on: 'http'"),
        ({"dst_mac": "ours"}, ": `ours` is not a MAC address like 02:00:00:00:00:01"),
        ({"conntrack": [{}]}, " has no `orig`"),
        ({"frag": "middle"}, ": `frag` is none of whole, first, later: 'middle'"),
        ({"tcp_options": 4}, ": `tcp_options` is not a list of numbers from 0 to 255: 4"),
        (
            {"src": "fd00::1", "dst": "fd00::2", "headers": ["hip"]},
            ": `hip` is none of the IPv6 headers hop, dst, route, frag, auth",
        ),
        ({"src": 7}, ": a value in it is not of the right kind"),
    ],
)
def test_a_fault(changed: dict[str, Any], message: str) -> None:
    assert complaints({**GOOD, **changed}) == [message]


def test_all_faults_at_once() -> None:
    assert len(complaints({}, {**GOOD, "iface": "eth9"}, GOOD, 7)) == 3


def test_a_case_without_packets_and_one_without_a_host() -> None:
    with pytest.raises(api.InputError, match="packets"):
        api.replay({"topology": HOST})
    with pytest.raises(api.InputError):
        api.replay({"packets": [GOOD]})


def test_a_length_that_is_not_given_is_that_of_the_headers_and_the_payload() -> None:
    rules = "*filter\n:INPUT DROP\n-A INPUT -m length --length 49 -j ACCEPT\nCOMMIT\n"
    packets = [{**GOOD, "payload": 5, "mss": 1000}, {**GOOD, "proto": "udp", "payload": 21}, GOOD]
    answers = api.replay({"topology": HOST, "rules_v4": rules, "packets": packets})
    assert [each["verdict"] for each in answers] == ["LOCAL", "LOCAL", "DROPPED"]
