"""plan, apply, confirm, rollback, status and uninstall as a person calls them, in a network namespace with rules of others."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from changing import EXCLUSIVE, SHARED, Machine

from policyc.kernel.namespace import Namespace
from policyc.kernel.snapshot import take


@dataclass
class Terminal:
    """Commands typed inside the namespace, in a folder of their own."""

    machine: Machine
    folder: Path

    def __call__(self, *words: str, code: int = 0, **environment: str) -> str:
        """Run policyc and return what it prints; the exit code must be `code`."""
        done = subprocess.run(
            ["nsenter", f"--net=/proc/{self.machine.namespace.pid}/ns/net", sys.executable, "-m", "policyc", *words,
             "--state-dir", str(self.folder / "state")],
            cwd=self.folder, capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def write(self, text: str, name: str = "edge.pol") -> str:
        (self.folder / name).write_text(text)
        return name

    def others(self) -> list[str]:
        """What is not ours, as iptables-save prints it; Docker is not there in IPv6, so that its chain is ours."""
        backend = self.machine.backend
        four, six = (self.machine.run(f"{tool}-{backend}-save").splitlines() for tool in ("iptables", "ip6tables"))
        lines = [*four, *(line for line in six if "DOCKER-USER" not in line)]
        return [line.partition(" [")[0] for line in lines if not line.startswith("#") and "edge." not in line]


def at_a_terminal(folder: Path, backend: str) -> Iterator[Terminal]:
    with Namespace() as namespace:
        machine = Machine(namespace, folder / "unused", backend)
        machine.load()
        yield Terminal(machine, folder)


@pytest.fixture
def terminal(machine: None, tmp_path: Path) -> Iterator[Terminal]:
    yield from at_a_terminal(tmp_path, "nft")


@pytest.fixture(params=("nft", "legacy"))
def either(machine: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """A terminal for what the two kinds of iptables might do in different ways."""
    yield from at_a_terminal(tmp_path, request.param)


def test_others_keep_every_byte_through_apply_change_rollback_and_uninstall(either: Terminal) -> None:
    old, others = either.machine.state(), either.others()
    either("apply", either.write(SHARED))
    first = either.machine.state()
    assert either.others() == others
    either("apply", either.write(SHARED.replace("accept ssh", "accept ssh, http")))
    assert either.machine.state() != first
    assert either.others() == others
    either("rollback")
    assert either.machine.state() == first
    either("uninstall")
    assert either.machine.state() == old


def test_our_jumps_stand_first(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED))
    lines = terminal.machine.run(f"iptables-{terminal.machine.backend}", "-S").splitlines()
    assert next(line for line in lines if line.startswith("-A INPUT")) == "-A INPUT -j edge.input"
    assert next(line for line in lines if line.startswith("-A DOCKER-USER")) == "-A DOCKER-USER -j edge.forward"
    assert next(line for line in lines if line.startswith("-A FORWARD")) == "-A FORWARD -j DOCKER-USER"


def test_exclusive_tables_are_replaced_and_come_back(either: Terminal) -> None:
    old = either.machine.state()
    policy = either.write(EXCLUSIVE)
    said = either("apply", policy, code=3)
    assert "17 rules that policyc has not made are taken away" in said
    assert "docker" in said
    assert either.machine.state() == old
    either("apply", policy, "--yes")
    assert not any("DOCKER" in line for line in either.machine.state())
    either("rollback")
    assert either.machine.state() == old


def test_an_exclusive_policy_leaves_accepting_tables(either: Terminal) -> None:
    either("apply", either.write(EXCLUSIVE), "--yes")
    either("uninstall")
    text = either.machine.run(f"iptables-{either.machine.backend}-save")
    assert "-A" not in text
    assert ":INPUT ACCEPT" in text
    assert ":FORWARD ACCEPT" in text


@pytest.mark.parametrize(
    ("first", "second"), [(SHARED, EXCLUSIVE), (EXCLUSIVE, SHARED)], ids=["to exclusive", "to shared"]
)
def test_the_ownership_may_change(terminal: Terminal, first: str, second: str) -> None:
    terminal("apply", terminal.write(first), "--yes")
    before = terminal.machine.state()
    terminal("apply", terminal.write(second), "--yes")
    assert "nothing changes" in terminal("plan", "edge.pol")
    terminal("status")
    terminal("rollback", "--yes")
    assert terminal.machine.state() == before


def test_what_nobody_confirms_is_taken_back(either: Terminal) -> None:
    old = either.machine.state()
    said = either("apply", either.write(SHARED), "--confirm", "0.5", "--wait", code=3)
    assert "nobody confirmed it in time" in said
    assert either.machine.state() == old
    assert "taken back: nobody confirmed it" in either("status")
    either("confirm", code=3)


def test_what_is_confirmed_stays(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED), "--confirm", "60")
    new = terminal.machine.state()
    assert "waits" in terminal("status")
    assert "a change waits here already" in terminal("apply", terminal.write(EXCLUSIVE), "--yes", code=3)
    terminal("confirm")
    assert terminal.machine.state() == new
    assert "confirmed" in terminal("status")


def test_a_waiting_change_is_taken_back_on_request(terminal: Terminal) -> None:
    old = terminal.machine.state()
    terminal("apply", terminal.write(SHARED), "--confirm", "60")
    terminal("rollback")
    assert terminal.machine.state() == old
    assert "nothing of policyc is applied" in terminal("status")


def test_a_plan_is_carried_out_as_long_as_the_kernel_holds_what_it_saw(terminal: Terminal) -> None:
    terminal("plan", terminal.write(SHARED), "-o", "edge.plan")
    rule = ["-I", "INPUT", "-s", "192.0.2.9", "-j", "DROP"]
    terminal.machine.run(f"iptables-{terminal.machine.backend}", *rule)
    assert "not those that the plan saw" in terminal("apply", "edge.plan", code=3)
    terminal.machine.run(f"iptables-{terminal.machine.backend}", "-D", *rule[1:])
    terminal("apply", "edge.plan")
    assert any("edge.input" in line for line in terminal.machine.state())
    assert "not those that the plan saw" in terminal("apply", "edge.plan", code=3)


def test_a_plan_file_that_was_tampered_with_is_refused(terminal: Terminal) -> None:
    terminal("plan", terminal.write(SHARED), "-o", "edge.plan")
    path = terminal.folder / "edge.plan"
    text = path.read_text()
    for changed in (text[:-40], text.replace('"seen"', '"sean"'), text.replace("-j DROP", "-j DROP\\n-F")):
        assert changed != text
        path.write_text(changed)
        assert "cannot be read" in terminal("apply", "edge.plan", "--yes", code=2) or changed == text[:-40]


def test_a_dry_run_changes_nothing(terminal: Terminal) -> None:
    old = terminal.machine.state()
    assert "+ INPUT 1: -j edge.input" in terminal("apply", terminal.write(SHARED), "--dry-run")
    assert terminal.machine.state() == old


def test_the_second_time_there_is_nothing_to_do(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED))
    assert "nothing changes" in terminal("apply", "edge.pol", "--confirm", "60")
    assert "waits" not in terminal("status")


def test_docker_restarts_and_our_jump_is_where_it_belongs(terminal: Terminal) -> None:
    """Docker puts its jumps first in FORWARD again; ours stands in DOCKER-USER, which it leaves as it is."""
    terminal("apply", terminal.write(SHARED))
    tool = f"iptables-{terminal.machine.backend}"
    for rule in (["FORWARD", "-j", "DOCKER-FORWARD"], ["FORWARD", "-j", "DOCKER-USER"]):
        terminal.machine.run(tool, "-D", *rule)
        terminal.machine.run(tool, "-I", *rule)
    assert "nothing changes" in terminal("plan", "edge.pol")
    terminal("status")


def test_a_jump_that_was_moved_is_named_and_put_back(either: Terminal) -> None:
    policy = either.write(SHARED.replace("zone apps = interface docker0 owner docker\n", ""))
    either("apply", policy)
    before = either.machine.state()
    tool = f"iptables-{either.machine.backend}"
    either.machine.run(tool, "-D", "FORWARD", "-j", "DOCKER-USER")
    either.machine.run(tool, "-I", "FORWARD", "-j", "DOCKER-USER")
    assert "`-j edge.forward` stands behind 1 rules of others in FORWARD" in either("status", code=1)
    said = either("plan", policy)
    assert "stands behind 1 rules of others" in said
    assert "~ FORWARD 2 -> 1: -j edge.forward" in said
    either("apply", policy)
    assert either.machine.state() == before


def test_before_docker_has_come_its_chain_is_made_for_it(either: Terminal) -> None:
    either.machine.load("*filter\nCOMMIT\n*nat\nCOMMIT\n", "*filter\nCOMMIT\n")
    either("apply", either.write(SHARED))
    rules = either.machine.run(f"iptables-{either.machine.backend}", "-S").splitlines()
    assert "-A FORWARD -j DOCKER-USER" in rules
    assert "-A DOCKER-USER -j edge.forward" in rules
    tool = f"iptables-{either.machine.backend}"
    for words in (
        ["-N", "DOCKER"],
        ["-A", "FORWARD", "-j", "DOCKER"],
        ["-A", "DOCKER-USER", "-j", "RETURN"],
    ):  # Docker comes
        either.machine.run(tool, *words)
    either("apply", either.write(SHARED.replace("accept ssh", "accept ssh, http")))
    either("uninstall")
    left = either.machine.run(tool, "-S").splitlines()
    assert "-N DOCKER-USER" in left
    assert "-A DOCKER-USER -j RETURN" in left
    assert not any("edge" in line for line in left)


def test_two_backends_with_rules_are_not_mixed(either: Terminal) -> None:
    other = "legacy" if either.machine.backend == "nft" else "nft"
    either.machine.run(f"iptables-{other}", "-A", "INPUT", "-s", "192.0.2.1", "-j", "DROP")
    said = either("apply", either.write(SHARED), code=3)
    assert "iptables-nft and iptables-legacy both hold rules" in said
    assert "holds rules too; a packet meets both" in either(
        "apply", "edge.pol", "--backend", f"iptables-{either.machine.backend}"
    )
    assert "edge" not in either.machine.run(f"iptables-{other}-save")


def test_rules_that_the_kernel_refuses_are_named_at_their_line(either: Terminal) -> None:
    old = either.machine.state()
    dump = either.write(
        "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m set --match-set nowhere src -j DROP\nCOMMIT\n", "host.rules"
    )
    said = either("apply", dump, "--yes", code=3)
    assert "host.rules:3" in said
    assert "refused: the kernel does not take the rules" in said
    assert either.machine.state() == old


def test_a_set_with_another_timeout_keeps_its_members_there_and_back(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED))
    terminal.machine.run("ipset", "add", "banned.4", "192.0.2.66", "timeout", "1000")
    terminal("apply", terminal.write(SHARED.replace("timeout 1h", "timeout 2h")), "--confirm", "60")
    assert "timeout 7200" in terminal.machine.run("ipset", "list", "-t", "banned.4")
    assert "192.0.2.66" in terminal.machine.run("ipset", "save", "banned.4")
    terminal("rollback")
    assert "timeout 3600" in terminal.machine.run("ipset", "list", "-t", "banned.4")
    assert "192.0.2.66" in terminal.machine.run("ipset", "save", "banned.4")
    assert sorted(terminal.machine.run("ipset", "list", "-n").split()) == ["banned.4", "banned.6"]


def test_a_set_of_another_kind_is_not_replaced(terminal: Terminal) -> None:
    terminal.machine.run("ipset", "create", "banned.4", "hash:net")
    assert "is there as hash:net" in terminal("apply", terminal.write(SHARED), code=3)


def test_a_rule_of_others_that_enters_our_chains_is_named(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED))
    terminal.machine.run(
        f"iptables-{terminal.machine.backend}", "-A", "INPUT", "-s", "192.0.2.5", "-j", "edge.wan.self"
    )
    assert "-A INPUT -s 192.0.2.5/32 -j edge.wan.self" in terminal("uninstall", code=3)


def test_the_boot_unit_loads_what_was_confirmed(either: Terminal) -> None:
    either("apply", either.write(SHARED))
    new = either.machine.state()
    record = next((either.folder / "state").rglob("confirmed/record.json"))
    text = record.read_text()
    record.write_text(text.replace(json.loads(text)["identity"]["boot"], "the boot before"))
    either.machine.restart()
    assert "is not loaded" in either("status", code=1)
    (either.folder / "edge.pol").unlink()
    either("apply", "--boot")
    rules = [sorted(line for line in state if line.startswith("-A ")) for state in (new, either.machine.state())]
    assert rules[0] == rules[1]
    either("status")


def test_the_boot_unit_makes_dockers_chain_where_docker_comes_later(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED))
    record = next((terminal.folder / "state").rglob("confirmed/record.json"))
    text = record.read_text()
    record.write_text(text.replace(json.loads(text)["identity"]["boot"], "the boot before"))
    terminal.machine.restart()
    terminal.machine.load("*filter\nCOMMIT\n*nat\nCOMMIT\n", "*filter\nCOMMIT\n")
    terminal("apply", "--boot")
    rules = terminal.machine.run(f"iptables-{terminal.machine.backend}", "-S").splitlines()
    assert rules.index("-A FORWARD -j DOCKER-USER") >= 0
    assert "-A DOCKER-USER -j edge.forward" in rules


def test_with_nothing_confirmed_the_boot_unit_loads_nothing(terminal: Terminal) -> None:
    assert "nothing is loaded" in terminal("apply", "--boot")


def test_the_ssh_connection_that_would_lose_access_is_named(terminal: Terminal) -> None:
    machine = terminal.machine
    script = "ip link add eth0 type veth peer name far; ip addr add 192.0.2.1/24 dev eth0; ip link set eth0 up; ip link set far up"
    machine.run("sh", "-ec", f"{script}; ip link set lo up")
    connection = {"SSH_CONNECTION": "192.0.2.9 40000 192.0.2.1 22"}
    locked_out = SHARED.replace("accept ssh; ", "")
    said = terminal("apply", terminal.write(locked_out), code=3, **connection)
    assert "a new ssh connection from 192.0.2.9 would not come in" in said
    assert "warning" not in terminal("apply", terminal.write(SHARED), **connection)
    assert "warning" not in terminal(
        "plan", terminal.write(locked_out), SSH_CONNECTION="192.0.2.9 40000 203.0.113.1 22"
    )


def test_a_line_is_kept_of_who_did_what(terminal: Terminal) -> None:
    terminal("apply", terminal.write(SHARED), SUDO_USER="ann\n; rm")
    log = next((terminal.folder / "state").rglob("audit.log"))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["begun", "confirmed"]
    assert lines[0]["user"] == "ann\n; rm"
    assert lines[0]["uid"] == 0
    assert {oct(path.stat().st_mode & 0o777) for path in log.parent.rglob("*") if path.is_file()} == {"0o600"}


def test_the_json_of_a_plan(terminal: Terminal) -> None:
    out = terminal("plan", terminal.write(SHARED), "--format", "json")
    answer = json.loads(out)
    assert answer["format_version"] == "1.0"
    first = answer["changes"][0]
    assert first == {"kind": "added", "family": 4, "table": "nat", "chain": "POSTROUTING", "number": 1, "was": None,
                     "text": "-j edge.postrouting", "owner": "policyc"}  # fmt: skip
    assert {one["name"]: one["present"] for one in answer["requirements"]}["net.ipv4.ip_forward"] == "is 0"


def test_without_privilege_it_ends_with_4(terminal: Terminal) -> None:
    terminal.write(SHARED)
    for words in (["plan", "edge.pol"], ["apply", "edge.pol"], ["confirm"], ["rollback"], ["status"], ["uninstall"]):
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", sys.executable, "-m", "policyc", *words],
            capture_output=True, text=True, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        assert done.returncode == 4 or "Permission denied" in done.stderr, done.stderr


@pytest.fixture
def named(machine: None) -> Iterator[str]:
    name = f"policyc test {os.getpid()};$(id)"
    subprocess.run(["ip", "netns", "add", name], check=True)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True)


def test_a_namespace_by_its_name(named: str, tmp_path: Path) -> None:
    (tmp_path / "edge.pol").write_text(
        "policy edge { ownership shared }\nzone wan = interface eth0\nfilter wan -> self { accept ssh; drop tcp }\n"
    )

    def policyc(*words: str) -> subprocess.CompletedProcess[str]:
        words = (*words, "--netns", named, "--state-dir", str(tmp_path / "state"))
        return subprocess.run([sys.executable, "-m", "policyc", *words], capture_output=True, text=True, cwd=tmp_path,
                              env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}, stdin=subprocess.DEVNULL)  # fmt: skip

    assert policyc("apply", "edge.pol", "--confirm", "1").returncode == 0
    saved = ["ip", "netns", "exec", named, "iptables-save"]
    assert "edge.input" in subprocess.run(saved, capture_output=True, text=True).stdout
    assert "waits" in policyc("status").stdout
    for _ in range(60):
        if "edge.input" not in subprocess.run(saved, capture_output=True, text=True).stdout:
            break
        time.sleep(0.1)
    assert "nothing of policyc is applied" in policyc("status").stdout
    assert policyc("apply", "edge.pol").returncode == 0
    assert policyc("uninstall").returncode == 0


def test_the_routing_that_a_transparent_proxy_needs_is_named(terminal: Terminal) -> None:
    policy = Path(__file__).parents[2] / "examples" / "transparent-proxy.pol"
    assert "the proxy gets none" in terminal("plan", str(policy))
    mark = re.search(r"ip rule fwmark (\S+):", terminal("plan", str(policy)))
    assert mark is not None
    terminal.machine.run("ip", "rule", "add", "fwmark", mark[1], "lookup", "100")
    assert f"fwmark {mark[1]} lookup 100" in terminal("plan", str(policy))


def test_the_unit_runs_this_policyc(terminal: Terminal) -> None:
    unit = terminal("apply", "--boot-unit")
    assert "Before=network-pre.target" in unit
    assert re.search(r"^ExecStart=/\S+( -m policyc)? apply --boot$", unit, re.MULTILINE)


def test_only_a_new_connection_confirms_where_that_is_demanded(terminal: Terminal) -> None:
    here = {"SSH_CONNECTION": "192.0.2.9 40000 192.0.2.1 22"}
    terminal("apply", terminal.write(SHARED), "--new-connection", "--confirm", "60", **here)
    assert "new ssh connection" in terminal("confirm", code=3, **here)
    terminal("confirm", SSH_CONNECTION="192.0.2.9 40001 192.0.2.1 22")
    terminal("apply", terminal.write(SHARED.replace("accept ssh", "accept http")), "--new-connection", code=2)


def test_only_connections_with_another_translation_are_ended(terminal: Terminal) -> None:
    run = terminal.machine.run
    run("sh", "-ec", "ip link set lo up; ip link add eth0 type veth peer name far; ip addr add 192.0.2.1/24 dev eth0; "
        "ip addr add fd00:2::1/64 dev eth0 nodad; ip link set eth0 up; ip link set far up; echo 1 > /proc/sys/net/ipv4/ip_forward")  # fmt: skip
    published = "policy edge { ownership shared }\nzone wan = interface eth0\npublish wan -> self udp/53 becomes 192.0.2.50:53 family ip as dns\n"
    terminal("apply", terminal.write(published))
    script = """
from pyroute2.netlink.nfnetlink.nfctsocket import NFCTSocket, NFCTAttrTuple as T
from socket import AF_INET6
def add(source, to, port, reply, family=2):
    with NFCTSocket(nfgen_family=family) as ct:
        ct.entry('add', timeout=300,
                 tuple_orig=T(family=family, saddr=source, daddr=to, proto=17, sport=port, dport=53),
                 tuple_reply=T(family=family, saddr=reply, daddr=source, proto=17, sport=53, dport=port))
add('192.0.2.7', '192.0.2.1', 1001, '192.0.2.50')
add('192.0.2.7', '192.0.2.1', 1002, '192.0.2.1')
add('192.0.2.7', '192.0.2.8', 1003, '192.0.2.8')
add('fd00:2::7', 'fd00:2::1', 1004, 'fd00:2::1', AF_INET6)
"""
    run(sys.executable, "-c", script)
    said = terminal("apply", terminal.write(published.replace(".50:53", ".51:53")), "--flush-changed-flows")
    assert "their translation is another one: 2" in said
    left = take(pid=terminal.machine.namespace.pid, conntrack=True)
    assert [port for port in ("1001", "1002", "1003", "1004") if f'"sport": {port}' in left] == ["1003", "1004"]


def test_a_file_name_is_data(terminal: Terminal) -> None:
    name = "-n;$(touch owned) 'x'\x1b[2J.pol"
    said = terminal(
        "apply", "--", f"./{terminal.write(SHARED, name)}", "--state-dir", str(terminal.folder / "state"), code=2
    )
    assert "\x1b" not in said
    said = terminal("apply", f"./{name}")
    assert "\x1b" not in said
    assert "\x1b" not in terminal("status")
    assert not (terminal.folder / "owned").exists()


def test_a_person_at_a_terminal_has_half_a_minute(terminal: Terminal) -> None:
    import pty

    terminal.write(SHARED)
    words = ["nsenter", f"--net=/proc/{terminal.machine.namespace.pid}/ns/net", sys.executable, "-m", "policyc", "apply", "edge.pol",
             "--state-dir", str(terminal.folder / "state")]  # fmt: skip
    child, terminal_end = pty.fork()
    if not child:
        os.chdir(terminal.folder)
        os.execve("/usr/bin/nsenter", words, {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})
    said = b""
    while b"[y/N]" not in said:
        said += os.read(terminal_end, 1000)
    os.write(terminal_end, b"y\n")
    while b"taken back in 30 seconds unless" not in said:
        said += os.read(terminal_end, 1000)
    os.waitpid(child, 0)
    terminal("rollback")
    assert "nothing of policyc" in terminal("status")


def test_settings_that_are_written_along_come_back_too(terminal: Terminal) -> None:
    """net.ipv4.ip_forward writes the forwarding of every interface, and whether redirects are accepted."""
    script = "ip link add eth0 type veth peer name eth1; echo 1 > /proc/sys/net/ipv4/conf/eth0/forwarding; echo 1 > /proc/sys/net/ipv6/conf/eth1/forwarding"
    terminal.machine.run("sh", "-ec", script)
    ask = ("sh", "-c", "grep -H . /proc/sys/net/ipv[46]/conf/*/forwarding /proc/sys/net/ipv4/conf/all/accept_redirects")
    before = terminal.machine.run(*ask)
    terminal("apply", terminal.write(SHARED), "--confirm", "60")
    assert terminal.machine.run(*ask) != before
    terminal("rollback")
    assert terminal.machine.run(*ask) == before
