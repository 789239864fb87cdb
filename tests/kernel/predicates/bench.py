"""Rules that only count, packets sent for real, and the simulator beside the kernel: which rule holds for which packet where.

Every rule stands in every chain of `raw` and `mangle` that takes it. So each packet asks it without an entry of the
connection table (raw comes before conntrack) and, as a rule, with one. The kernel's counters are read after each packet.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from host_in_namespace import make
from packet_bytes import Described, frame, ip_packet, is_ipv6, with_length

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match

PEER = "02:00:00:00:00:99"  # of everybody outside; no interface here has it, so that what is sent there is gone
HOOKS = {"raw": (Hook.PREROUTING, Hook.OUTPUT), "mangle": tuple(Hook)}
CPUS = sorted(os.sched_getaffinity(0))[:2]
_SENDING = (Hook.OUTPUT, Hook.POSTROUTING)  # their base chains take no `-i`
HAS_ENTRY = "-m conntrack --ctstate NEW,ESTABLISHED,RELATED"

# Sends what it is told and reads the counters of each chain after each packet. The kernel handles a packet on the CPU that
# sends it, in the same call; a counter of all packets proves that it has.
SENDER = """
import ctypes, json, os, re, socket, subprocess, sys, time
tool, packets = json.load(sys.stdin)
libc = ctypes.CDLL(None)
def counters():
    text = subprocess.run([tool, "-c"], capture_output=True, text=True, check=True).stdout
    found, table = {}, ""
    for line in text.splitlines():
        if line.startswith("*"): table = line[1:]
        elif line.startswith("["):
            count, _, chain = re.match(r"\\[(\\d+):(\\d+)\\] -A (\\S+)", line).groups()
            found.setdefault(table + " " + chain, []).append(int(count))
    return found
far, raw, answers = {}, {}, []
def send(p):
    data = bytes.fromhex(p["data"])
    os.sched_setaffinity(0, [p["cpu"]])
    if p["device"]:
        if p["device"] not in far:
            s = far[p["device"]] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); s.bind((p["device"], 0))
        far[p["device"]].send(data)
        return
    libc.setfsgid(p["gid"]); libc.setfsuid(p["uid"])
    kind = socket.AF_INET6 if p["six"] else socket.AF_INET
    s = socket.socket(kind, socket.SOCK_RAW, socket.IPPROTO_RAW)
    libc.setfsuid(0); libc.setfsgid(0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    if p["mark"]: s.setsockopt(socket.SOL_SOCKET, 36, p["mark"])
    if p["six"]: s.setsockopt(41, 36, 1)
    try: s.sendto(data, (p["to"], 0))
    except PermissionError: pass
    s.close()
before = counters()
for p in packets:
    send(p)
    for attempt in range(200):
        after = counters()
        if sum(after[p["first"]]) != sum(before[p["first"]]): break
        time.sleep(0.005)
    else: sys.exit("packet %d was not seen" % p["n"])
    answers.append({chain: [a - b for a, b in zip(after[chain], before[chain])] for chain in after if ".rows" in chain})
    before = after
json.dump(answers, sys.stdout)
"""


@dataclass(frozen=True)
class Bench:
    """A host, the rules that every case of it has beside those that count, and its ipsets.

    `far` names the far end of each interface that packets come in by, `setup` is shell that finishes the host. `tail` are rules
    of PREROUTING and OUTPUT behind the counting ones, by table; `more` is the text of other tables, by family. The `bridges` among the interfaces `setup` makes. `tracking`
    False: nothing may ask for connections.
    """

    topology: Mapping[str, Any]
    far: Mapping[str, str]
    setup: str = ""
    tail: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    more: Mapping[int, str] = field(default_factory=dict)
    ipsets: Mapping[int, str] = field(default_factory=dict)
    bridges: frozenset[str] = frozenset()
    tracking: bool = True

    def macs(self) -> dict[str, str]:
        return {one["name"]: one["mac"] for one in self.topology["interfaces"] if "mac" in one}


@dataclass(frozen=True)
class Answer:
    """What the kernel said of one rule at one place: the packet's number, the chain, with an entry or not, held or not."""

    packet: int
    chain: str
    entry: bool
    held: bool


@cache
def placement_of(rule: str, family: int) -> tuple[frozenset[str], frozenset[Hook]]:
    """The tables and hooks that take a rule, by what its extensions say."""
    text = f"*filter\n:x - [0:0]\n-A x {rule}\nCOMMIT\n"
    (one,) = api.load(text, family=family).table(family, "filter").chain("x").rules
    tables, hooks = frozenset(HOOKS), frozenset(Hook)
    for part in one.parts:
        if isinstance(part, Match):
            tables &= part.placement.tables or tables
            hooks &= part.placement.hooks or hooks
    return tables, hooks


def places(rules: Sequence[str], family: int) -> dict[tuple[str, Hook], list[str]]:
    """The rules of each chain of the bench, in order."""
    found: dict[tuple[str, Hook], list[str]] = {}
    for table, hooks in HOOKS.items():
        for hook in hooks:
            found[table, hook] = [
                rule
                for rule in rules
                if table in placement_of(rule, family)[0] and hook in placement_of(rule, family)[1]
            ]
    return found


def ruleset_of(bench: Bench, rules: Sequence[str], family: int) -> str:
    """The text that both judge. What the far ends hear, and what the kernel says of its own accord, is let pass uncounted."""
    own = ("-i far+", *(("-s fe80::/10", "-s ::/128") if family == 6 else ()))
    lines = []
    for table, hooks in HOOKS.items():
        lines.append(f"*{table}")
        lines += [f":{hook.value} ACCEPT [0:0]" for hook in hooks] + [f":{hook.value}.rows - [0:0]" for hook in hooks]
        for hook in hooks:
            lines += [
                f"-A {hook.value} {one} -j ACCEPT" for one in own if hook not in _SENDING or not one.startswith("-i")
            ]
            lines.append(f"-A {hook.value} -j {hook.value}.rows")
            lines += [f"-A {hook.value}.rows {rule}" for rule in places(rules, family)[table, hook]]
            lines += [
                f"-A {hook.value} {rule}"
                for rule in bench.tail.get(table, ())
                if hook in {Hook.PREROUTING, Hook.OUTPUT}
            ]
        lines.append("COMMIT")
    # Nothing is delivered, so that nobody answers.
    return "\n".join([*lines, "*filter", ":INPUT DROP [0:0]", "COMMIT", bench.more.get(family, "")])


def counted(
    namespace: Namespace,
    backend: Backend,
    family: int,
    bench: Bench,
    rules: Sequence[str],
    packets: Sequence[Described],
) -> list[dict[str, list[int]]]:
    """How often each rule of each chain counted, packet by packet."""
    built = [one for one in bench.topology["interfaces"] if one["name"] not in bench.bridges]
    make(namespace, {**bench.topology, "interfaces": built})
    if bench.setup:
        done = namespace.run(["sh", "-ec", bench.setup])
        assert done.code == 0, done.err
    if family in bench.ipsets:
        done = namespace.run(["ipset", "restore"], bench.ipsets[family])
        assert done.code == 0, done.err
    done = namespace.run([backend.tool(family, "restore")], ruleset_of(bench, rules, family))
    assert done.code == 0, done.err
    macs = bench.macs()
    sent = []
    for n, p in enumerate(packets):
        comes_in = p["dir"] == "in"
        sent.append({
            "n": n, "six": is_ipv6(p), "to": p["dst"], "first": f"raw {'PREROUTING' if comes_in else 'OUTPUT'}.rows",
            "device": bench.far[p.get("port", p["iface"])] if comes_in else "",
            "data": (frame(p, macs[p["iface"]], PEER) if comes_in else ip_packet(p)).hex(),
            "cpu": p.get("cpu", CPUS[0]), "uid": p.get("uid", 0), "gid": p.get("gid", 0), "mark": p.get("mark", 0),
        })  # fmt: skip
    done = namespace.run([sys.executable, "-c", SENDER], json.dumps([backend.tool(family, "save"), sent]))
    assert done.code == 0, done.err
    answers: list[dict[str, list[int]]] = json.loads(done.out)
    return answers


def simulated(
    family: int, bench: Bench, rules: Sequence[str], packets: Sequence[Described]
) -> list[dict[str, list[int]]]:
    """The same of the simulator."""
    placed = places(rules, family)
    case = {
        "topology": bench.topology, f"rules_v{family}": ruleset_of(bench, rules, family), "ipsets": bench.ipsets.get(family),
        "packets": [{"n": n, "fresh": n == 0, "cpu": CPUS[0], **p} for n, p in enumerate(packets)],
    }  # fmt: skip
    found = []
    for n, verdict in enumerate(api.replay(case)):
        assert verdict["verdict"] != "UNSUPPORTED", f"{packets[n]}: {verdict['reason']}"
        counts = {f"{table} {hook.value}.rows": [0] * len(rows) for (table, hook), rows in placed.items() if rows}
        for table, chain, number, _ in verdict["trace"]:
            if chain.endswith(".rows"):
                counts[f"{table} {chain}"][number - 1] += 1
        found.append(counts)
    return found


def judged(
    namespace: Namespace, backend: Backend, family: int, bench: Bench, rows: Sequence[str], packets: Sequence[Described]
) -> dict[str, list[Answer]]:
    """Return what the kernel says of each row; fails where the simulator says anything else."""
    # The first rule counts every packet, the second those with an entry.
    rules = ["", *([HAS_ENTRY] if bench.tracking else []), *rows]
    packets = [{**with_length(p)} for p in packets]
    kernel = counted(namespace, backend, family, bench, rules, packets)
    ours = simulated(family, bench, rules, packets)
    placed = places(rules, family)
    wrong = list(differences(placed, kernel, ours, packets))
    assert not wrong, "\n".join([f"{len(wrong)} answers differ", *wrong[:25]])
    answers: dict[str, list[Answer]] = {row: [] for row in rows}
    for (table, hook), rules_there in placed.items():
        chain = f"{table} {hook.value}.rows"
        for n, counts in enumerate(kernel):
            if not counts.get(chain, [0])[0]:
                continue
            entry = bench.tracking and bool(counts[chain][1])
            for rule, count in zip(rules_there, counts[chain], strict=True):
                if rule in answers:
                    answers[rule].append(Answer(n, f"{table} {hook.value}", entry, bool(count)))
    return answers


def differences(
    placed: Mapping[tuple[str, Hook], Sequence[str]],
    kernel: Sequence[dict[str, list[int]]],
    ours: Sequence[dict[str, list[int]]],
    packets: Sequence[Described],
) -> Iterator[str]:
    for (table, hook), rules in placed.items():
        chain = f"{table} {hook.value}.rows"
        for n, packet in enumerate(packets):
            for rule, theirs, mine in zip(rules, kernel[n].get(chain, ()), ours[n].get(chain, ()), strict=True):
                if theirs != mine:
                    yield f"{table} {hook.value} `{rule}`: the kernel counts {theirs}, the simulator {mine}, for {packet}"
