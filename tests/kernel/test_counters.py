"""What packets count in the kernel stands at the lines of the policy that made the rules, with both kinds of iptables."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from snapshots import load, run

from policyc import api
from policyc.kernel.namespace import Namespace

POLICY = """\
log noted = "noted"
zone net = interface lo
filter net -> self {
  accept udp/7 as echo
  drop udp/9 log noted as discard
  accept ssh as door
  otherwise drop
}
"""
SEND = """
import socket
for address, family in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
    s = socket.socket(family, socket.SOCK_DGRAM)
    for port in (7, 9, 9): s.sendto(b"12345", (address, port))
"""


@pytest.fixture
def host(namespace: Namespace, tmp_path) -> Namespace:
    run(namespace, "ip link set lo up")
    return namespace


def write(tmp_path, text: str = POLICY) -> str:
    path = tmp_path / "host.pol"
    path.write_text(text)
    return str(path)


def load_policy(namespace: Namespace, path: str, backend: str) -> None:
    ruleset = api.load(path)
    for family in (4, 6):
        load(namespace, backend, api.iptables_save(ruleset, family), family)


def send(namespace: Namespace) -> None:
    done = namespace.run([sys.executable, "-c", SEND])
    assert done.code == 0, done.err


def counters(namespace: Namespace, *words: str, code: int = 0) -> str:
    done = namespace.run([sys.executable, "-m", "policyc", "counters", *words])
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    return done.out if code == 0 else done.err


def answer(namespace: Namespace, *words: str) -> dict[str, Any]:
    return json.loads(counters(namespace, *words, "--format", "json"))


@pytest.mark.parametrize("backend", ["nft", "legacy"])
def test_each_statement_has_what_its_rules_of_both_families_counted(host: Namespace, tmp_path, backend: str) -> None:
    path = write(tmp_path)
    load_policy(host, path, backend)
    send(host)
    found = answer(host, path)
    assert found["backend"] == backend
    by_name = {line["name"]: line for line in found["lines"] if line["name"]}
    echo, discard = by_name["echo"], by_name["discard"]
    assert (echo["packets"], echo["location"]["line"]) == (2, 4)
    assert echo["bytes"] == 20 + 8 + 5 + 40 + 8 + 5
    assert discard["packets"] == 4, "a LOG before its DROP does not count once more"
    assert sum(rule["packets"] for rule in discard["rules"]) > 4
    assert by_name["door"]["never_hit"]
    assert found["summary"] | {"never_hit": 0, "lines": 0, "rules": 0} == {
        "lines": 0, "never_hit": 0, "rules": 0, "not_in_kernel": 0, "not_in_source": 0,
    }  # fmt: skip


def test_what_is_on_one_side_only_is_said(host: Namespace, tmp_path) -> None:
    path = write(tmp_path)
    load_policy(host, path, "nft")
    run(
        host,
        "iptables-nft -I INPUT -s 192.0.2.1 -j DROP; iptables-nft -D host.net.self 1; iptables-nft -A host.net.self -j LOG",
    )
    found = answer(host, path)
    assert [rule["text"] for rule in found["not_in_source"]] == ["-s 192.0.2.1/32 -j DROP", "-j LOG"]
    (missing,) = [place for line in found["lines"] for place in line["not_in_kernel"]]
    assert (missing["family"], missing["chain"], missing["number"]) == (4, "host.net.self", 1)
    text = counters(host, path)
    assert "of others, with whom the policy shares the tables: 1 rule\n" in text
    assert "in the kernel, not in the source: 1 rule\n  0 packets  IPv4  filter/host.net.self #5  -j LOG\n" in text
    assert "in the source, not in the kernel: 1 rule\n" in text
    assert "accept udp/7 as echo  1 rule of it not in the kernel" in text


def test_an_older_policy_is_in_the_kernel(host: Namespace, tmp_path) -> None:
    load_policy(host, write(tmp_path, POLICY.replace("  accept ssh as door\n", "  accept tcp/23 as telnet\n")), "nft")
    found = answer(host, write(tmp_path))
    assert [line["name"] for line in found["lines"] if line["not_in_kernel"]] == ["door"]
    assert all("--dport 23" in rule["text"] for rule in found["not_in_source"])


def test_the_lines_of_a_dump(host: Namespace, tmp_path) -> None:
    dump = tmp_path / "host.rules"
    dump.write_text("*filter\n:INPUT DROP [0:0]\n-A INPUT -p udp --dport 7 -j ACCEPT\n-A INPUT -p udp --dport 9 -j DROP\n"
                    "-A INPUT -p udp --dport 9 -j DROP\nCOMMIT\n")  # fmt: skip
    load(host, "nft", dump.read_text())
    send(host)
    lines = answer(host, "-4", str(dump))["lines"]
    assert [(line["location"]["line"], line["packets"]) for line in lines] == [(3, 1), (4, 2), (5, 0)]
    text = counters(host, "-4", str(dump))
    assert "host.rules:2  policy of filter/INPUT, IPv4: DROP" in text


def test_both_kinds_of_iptables_hold_rules(host: Namespace, tmp_path) -> None:
    path = write(tmp_path)
    load_policy(host, path, "legacy")
    load(host, "nft", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p udp -j ACCEPT\nCOMMIT\n")
    found = answer(host, path)
    assert (found["backend"], found["rules_of_other_backend"]) == ("legacy", 1)
    assert "iptables-nft has 1 rule too" in counters(host, path)
    assert answer(host, path, "--rules-of", "nft")["backend"] == "nft"


def test_nothing_is_in_the_kernel(host: Namespace, tmp_path) -> None:
    found = answer(host, write(tmp_path))
    assert found["backend"] is None
    assert all(line["not_in_kernel"] and not line["never_hit"] for line in found["lines"])
    assert "iptables-legacy" in counters(host, write(tmp_path), "--rules-of", "legacy", code=2)


def test_a_table_that_iptables_cannot_print(host: Namespace, tmp_path) -> None:
    path = write(tmp_path)
    load_policy(host, path, "nft")
    run(host, "nft insert rule ip filter INPUT ct mark set 1 counter")
    found = answer(host, path)
    assert found["remarks"] == [
        "table filter of IPv4 has chains or rules that only `nft` shows; iptables does not print it"
    ]
    assert {place["family"] for line in found["lines"] for place in line["not_in_kernel"]} == {4}


def test_watching_tells_rates(host: Namespace, tmp_path) -> None:
    path = write(tmp_path)
    load_policy(host, path, "nft")
    out = counters(host, "--watch", "0.2", "--times", "2", path)
    first, second = out.split("\n\n")[0], out.split("\n\n")[2]
    assert "packets/s" not in first.splitlines()[0]
    assert "packets/s" in second.splitlines()[0]
    assert counters(host, "--watch", "--times", "1", path)


def test_on_a_terminal_the_table_redraws(host: Namespace, tmp_path) -> None:
    import os
    import pty
    import subprocess

    path = write(tmp_path)
    load_policy(host, path, "nft")
    send(host)
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as screen:
        done = subprocess.Popen(
            ["nsenter", f"--net=/proc/{host.pid}/ns/net", sys.executable, "-m", "policyc", "counters", "--watch", "0.1", "--times", "2", path],
            stdout=theirs, env={**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        )  # fmt: skip
        os.close(theirs)
        drawn = b""
        while True:
            try:
                piece = screen.read(65536)
            except OSError:  # EIO: the other end is closed
                break
            if not piece:
                break
            drawn += piece
        assert done.wait() == 0
    assert b"packets/s" in drawn
    assert drawn.count(b"accept udp/7 as echo") >= 2
    assert b"\x1b[1A" in drawn, "the cursor goes up to draw again"


def test_reading_resets_nothing(host: Namespace, tmp_path) -> None:
    path = write(tmp_path)
    load_policy(host, path, "nft")
    send(host)
    before = run(host, "iptables-nft-save -c | grep -v '^#'")
    counters(host, path)
    assert run(host, "iptables-nft-save -c | grep -v '^#'") == before


def test_without_privilege(host: Namespace) -> None:
    done = host.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", sys.executable, "-m", "policyc", "counters", "live"]
    )
    assert done.code == 4, done.err


@pytest.mark.parametrize(
    "words", [("--watch", "--format", "json", "live"), ("--times", "2", "live"), ("--netns", "a", "--pid", "1", "live")]
)
def test_wrong_usage(host: Namespace, words: tuple[str, ...]) -> None:
    counters(host, *words, code=2)
