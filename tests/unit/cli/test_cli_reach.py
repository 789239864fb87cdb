"""`policyc reach`: words for sides, answers, exit codes; every packet that it prints does what it says when `explain` is asked."""

from __future__ import annotations

import json

import pytest

POLICY = """\
policy edge { ownership exclusive; default input drop, forward drop, output accept }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24
address server = 10.0.0.5
set f2b = address owner fail2ban name "f2b"
filter any -> self, any { use baseline }
publish wan -> self tcp/8080 becomes 10.0.0.5:80 family ip as site
filter wan -> self { accept ssh as door; accept tcp/25 from f2b as mail; otherwise drop }
filter wan -> lan { otherwise drop }
filter lan -> wan { otherwise accept }
"""
HOST = {
    "interfaces": [
        {"name": "eth0", "addrs": ["198.51.100.7/24"], "mac": "02:00:00:00:00:01", "peer_mac": "02:00:00:00:00:02"},
        {"name": "eth1", "addrs": ["10.0.0.1/24"], "mac": "02:00:00:00:01:01", "peer_mac": "02:00:00:00:01:02"},
    ],
    "routes": [{"dst": "default", "via": "198.51.100.1", "dev": "eth0"}],
    "sysctls": {"net.ipv4.ip_forward": 1},
}


@pytest.fixture
def edge(folder):
    (folder / "edge.pol").write_text(POLICY)
    (folder / "host.json").write_text(json.dumps(HOST))
    return folder


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["--from", "wan", "--to", "self"], True),
        (["--from", "wan", "--to", "self", "--service", "tcp/23"], False),
        (["--from", "wan", "--to", "self", "--service", "tcp/23", "--service", "ssh"], True),
        (["--from", "wan", "--to", "lan"], True),
        (["--from", "wan", "--to", "server", "--service", "tcp/8080"], False),  # the server has port 80
        (["--from", "203.0.113.0/24", "--to", "10.0.0.5", "--service", "http"], True),
        (["--from", "203.0.113.1-203.0.113.9", "--to", "10.0.0.6"], False),
        (["--from", "eth0", "--to", "eth1", "--service", "udp"], False),
        (["--from", "2001:db8::/32", "--to", "lan"], False),
        (["--from", "lan", "--to", "wan"], True),
        (["--from", "self"], True),
        (["--from", "wan", "--to", "self", "--host", "host.json"], True),
        (["--from", "wan", "--to", "198.51.100.7", "--service", "ssh", "--host", "host.json"], True),
        (["--from", "wan", "--to", "198.51.100.8", "--service", "ssh", "--host", "host.json"], False),
        (["--from", "wan", "--to", "lan", "--service", "udp/53"], False),
        (
            ["--from", "wan", "--to", "lan", "--service", "udp", "--any-packet"],
            True,
        ),  # what answers a packet from inside
        (["--from", "wan", "--to", "self", "--service", "udp/53", "--any-packet"], True),
    ],
)
@pytest.mark.usefixtures("edge")
def test_an_answer_is_a_packet_or_none(policyc, words, answer) -> None:
    outcome = policyc("reach", "edge.pol", *words, "--format", "json")
    found = json.loads(outcome.out)
    assert (outcome.code, found["reachable"], found["exact"]) == (0, answer, True)
    expected = "reachable" if answer else "unreachable"
    assert policyc("reach", "edge.pol", *words, "--expect", expected).code == 0
    assert policyc("reach", "edge.pol", *words, "--expect", "un" * answer + "reachable").code == 1
    if answer and "--any-packet" not in words:
        host = ("--host", "host.json") if "--host" in words else ()
        asked = policyc("explain", "edge.pol", found["witness"]["sentence"], "--format", "json", *host)
        seen = json.loads(asked.out)
        seen = [seen, *seen["alternatives"]]
        assert found["witness"]["verdict"] in {one["verdict"] for one in seen}
        assert found["path"]


@pytest.mark.usefixtures("edge")
def test_a_condition_is_named(policyc) -> None:
    found = json.loads(
        policyc("reach", "edge.pol", "--from", "wan", "--to", "self", "--service", "tcp/25", "--format", "json").out
    )
    assert (found["reachable"], found["exact"]) == (True, False)
    assert found["because"] == ["`-m set --match-set f2b src` holds"]
    text = policyc("reach", "edge.pol", "--from", "wan", "--to", "self", "--service", "tcp/25").out
    assert text.startswith("reachable, under a condition\n")
    assert "  if `-m set --match-set f2b src` holds\n" in text


@pytest.mark.usefixtures("edge")
def test_all_that_is_wrong_with_a_question_is_said(policyc) -> None:
    code, out, err = policyc("reach", "edge.pol", "--from", "wam", "--to", "eht1", "--service", "tcp/http")
    assert (code, out) == (2, "")
    assert "did you mean `wan`?" in err
    assert "did you mean `eth1`?" in err
    assert "--service:1" in err


def test_a_dump_is_asked_by_interfaces_and_addresses(policyc, folder) -> None:
    (folder / "host.rules").write_text(
        "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i eth0 -p tcp -m tcp --dport 443 -j DNAT --to-destination 10.1.0.2:8443\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -d 10.1.0.2/32 -i eth0 -p tcp -m tcp --dport 8443 -j ACCEPT\nCOMMIT\n"
    )
    words = ("reach", "host.rules", "--from", "eth0", "--to", "10.1.0.2", "--format", "concise")
    assert policyc(*words).out.startswith("reachable: tcp 203.0.113.9:40000 -> ")
    assert policyc(*words, "--service", "tcp/443").out.startswith("unreachable: ")
    assert policyc(*words[:3], "eth1", *words[4:]).code == 2  # no rule knows that interface
