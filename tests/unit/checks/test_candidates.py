"""A catalogue of faults in rulesets, each with one that has it and one that has not: each fault in reach is found in the first only.

The catalogue stands beside the checkout; docs/adr/0011-findings.md tells in our own words what each candidate is about.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from policyc import api
from policyc.diagnostics import CATALOGUE
from policyc.host.host import Host, Interface, InterfaceAddress
from policyc.host.sysctls import Sysctls
from policyc.loading import Given, rulesets_of
from policyc.net.addresses import parse_address
from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.ipset import IpSet
from policyc.readers.kinds import Kind
from policyc.source import Source

SHARED = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[4] / "shared"))
LINTS = SHARED / "anchors" / "lints.md"
EXAMPLE = re.compile(r"^## (PL\d+) .*?```\n# fires\n(.*?)# clean\n(.*?)```", re.MULTILINE | re.DOTALL)

FOUND = {
    "PL102": "locked-out", "PL103": "loopback-blocked", "PL104": "loopback-by-address", "PL105": "tunnel-leak",
    "PL110": "open-router", "PL111": "decorative-policy", "PL112": "sensitive-port-open", "PL113": "spoofable-source",
    "PL114": "stateless-return", "PL120": "family-asymmetry", "PL121": "ipv6-open", "PL122": "nd-blocked",
    "PL130": "unknown-interface", "PL131": "wide-interface-pattern", "PL201": "rule-after-terminal",
    "PL202": "redundant-rule", "PL203": "shadowed-rule", "PL204": "negations-take-all", "PL205": "unreachable-chain",
    "PL206": "contradicted-rule", "PL207": "never-matches", "PL208": "established-syn", "PL209": "rule-after-terminal",
    "PL210": "no-return-path", "PL211": "invalid-not-dropped", "PL212": "new-without-syn", "PL213": "untracked-mismatch",
    "PL214": "untracked-one-way", "PL215": "out-of-context", "PL216": "old-state-match", "PL217": "late-established",
    "PL220": "limit-without-drop", "PL221": "limit-counts-packets", "PL222": "limit-after-established",
    "PL223": "limit-shared-by-all", "PL224": "time-past-midnight", "PL225": "host-name", "PL226": "host-bits",
    "PL227": "list-never-filled", "PL230": "path-mtu-blocked", "PL231": "mss-clamped-one-way", "PL232": "unreadable-line",
    "PL233": "tunnel-without-clamp", "PL240": "own-program-waits", "PL241": "misleading-reject", "PL242": "unlimited-log",
    "PL243": "prefix-runs-on", "PL244": "shadowed-rule", "PL245": "packet-socket", "PL301": "dnat-not-admitted",
    "PL302": "port-tested-before-translation", "PL303": "no-hairpin", "PL304": "unscoped-masquerade",
    "PL305": "client-port-range", "PL306": "uneven-shares", "PL307": "redirected-port-closed",
    "PL308": "foreign-source-address", "PL309": "nat-does-not-block", "PL310": "rule-after-terminal",
    "PL311": "unscoped-dnat", "PL312": "target-not-attached", "PL313": "own-traffic-untranslated",
    "PL401": "forwarding-off", "PL402": "dnat-to-loopback", "PL403": "tproxy-without-mark",
    "PL404": "marks-and-reverse-path", "PL405": "mark-collision", "PL406": "mark-too-late", "PL411": "few-ports",
    "PL413": "related-without-helper", "PL414": "related-too-wide", "PL501": "published-port-bypasses-input",
    "PL502": "host-port-in-docker-user", "PL503": "docker-user-drops-replies", "PL504": "loopback-publish-reachable",
    "PL505": "bans-miss-containers", "PL507": "bridge-not-filtered",
    "PL508": "unscoped-masquerade", "PL510": "unknown-name", "PL512": "synproxy-incomplete", "PL603": "long-list",
    "PL605": "wrong-hook", "PL607": "too-long", "PL608": "set-directions",
}  # fmt: skip
ELSEWHERE = {
    "PL101", "PL410", "PL415", "PL416", "PL420", "PL421", "PL430", "PL506", "PL509", "PL520", "PL521", "PL522", "PL523", "PL601",
    "PL602", "PL604", "PL606",
}  # fmt: skip
"""Not decided by a look at rules; docs/adr/0011-findings.md says what decides them, or why nothing does."""


def many(block: str) -> str:
    """Return a block with its list of addresses made as long as lists have to be, to be worth a word."""
    start = next((line for line in block.splitlines() if re.search(r"-s \S+ -j DROP", line)), None)
    if start is None:
        return block
    long = "\n".join(re.sub(r"-s \S+", f"-s 198.51.100.{number}", start) for number in range(3, 110))
    return block.replace(start, f"{start}\n{long}", 1)


def with_drop(block: str) -> str:
    """Return a block whose INPUT drops what no rule accepts, without which its limit limits nothing."""
    return f"P INPUT DROP\n{block}"


def by_docker(block: str) -> str:
    """Return a block whose published ports stand where Docker writes them, in a chain that PREROUTING jumps to."""
    jump = "nat:N DOCKER\nnat:-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
    return jump + block.replace("nat:-A PREROUTING -p", "nat:-A DOCKER ! -i docker0 -p").replace("nat:N DOCKER\n", "")


ADAPTED: dict[str, Callable[[str], str]] = {
    "PL217": many, "PL603": many, "PL223": with_drop, "PL502": by_docker, "PL504": by_docker, "PL505": by_docker,
}  # fmt: skip
ON_A_HOST = {"PL130", "PL308", "PL312"}


@cache
def examples() -> dict[str, tuple[str, str]]:
    return {found[1]: (found[2], found[3]) for found in EXAMPLE.finditer(LINTS.read_text(encoding="utf-8"))}


def texts_of(block: str) -> dict[int, str]:
    """Return the dumps of a block's rules: prefixes name family and table, `P` sets a policy, `N` makes a chain."""
    tables: dict[tuple[int, str], tuple[dict[str, str], list[str]]] = {}
    for written in block.splitlines():
        line = re.sub(r"^# (?=-A |N )", "", written)
        if line.startswith("#") or not line.strip():
            continue
        line = line.partition("   (")[0]
        family, table = 4, "filter"
        while found := re.match(r"(v6|nat|raw|mangle):", line):
            family, table = (6, table) if found[1] == "v6" else (family, found[1])
            line = line[found.end() :]
        chains, rules = tables.setdefault((family, table), (dict.fromkeys(BASE_CHAINS[table], "ACCEPT"), []))
        match line.split():
            case ["P", chain, policy]:
                chains[chain] = policy
            case ["N", chain]:
                chains[chain] = "-"
            case _:
                rules.append(line)
    dumps: dict[int, str] = {}
    for (family, table), (chains, rules) in tables.items():
        head = "".join(f":{name} {policy} [0:0]\n" for name, policy in chains.items())
        dumps[family] = dumps.get(family, "") + f"*{table}\n{head}" + "\n".join([*rules, "COMMIT", ""])
    return dumps


def host_of(block: str, *, known: bool) -> Host | None:
    """Return the host that a block's comments set up; `known` even where they say nothing."""
    settings = dict(re.findall(r"sysctl ([\w.-]+)=(\d+)", block))
    if not settings and not known:
        return None
    addresses = {
        "eth0": ("198.51.100.9", 24),
        "wan": ("192.0.2.1", 24),
        "lan": ("192.168.100.1", 24),
        "br0": ("10.88.0.254", 24),
    }
    own = tuple(
        Interface(name, (InterfaceAddress(4, parse_address(text, 4), prefix),))
        for name, (text, prefix) in addresses.items()
    )
    return Host((Interface("lo"), *own), sysctls=Sysctls(settings))


def names_found(block: str, *, known: bool = False) -> set[str]:
    """Return the names of the findings about a block."""
    sets = tuple(IpSet(name, kind, 4) for name, kind in re.findall(r"ipset create (\S+) (\S+)", block))
    dumps = texts_of(block)
    try:
        if not dumps:
            required = re.findall(r"sysctl ([\w.]+)=(\d+)", block)
            text = "policy p { default input accept, forward accept, output accept }\n"
            text += "".join(f"require sysctl {name} = {value}\n" for name, value in required)
            (ruleset,) = rulesets_of([Given(Source("p.pol", text), None, Kind.POLICY)])
        else:
            (ruleset,) = rulesets_of(
                [Given(Source(f"v{family}", text), family, Kind.DUMP) for family, text in dumps.items()]
            )
            ruleset = replace(ruleset, sets=sets, host=host_of(block, known=known))
        return {found.name for found in api.check(ruleset).diagnostics}
    except api.InputError as error:
        return {found.name for found in error.diagnostics}


def test_the_names_are_of_the_catalogue() -> None:
    assert set(FOUND.values()) <= {entry.name for entry in CATALOGUE}
    assert not FOUND.keys() & ELSEWHERE


@pytest.mark.skipif(not LINTS.exists(), reason="no catalogue of faults beside this checkout (POLICYC_SHARED)")
def test_every_candidate_has_an_answer() -> None:
    assert examples().keys() == FOUND.keys() | ELSEWHERE


@pytest.mark.skipif(not LINTS.exists(), reason="no catalogue of faults beside this checkout (POLICYC_SHARED)")
@pytest.mark.parametrize("candidate", FOUND)
def test_a_candidate_is_found_in_its_first_ruleset_only(candidate: str) -> None:
    adapt = ADAPTED.get(candidate, str)
    faulty, sound = (names_found(adapt(block), known=candidate in ON_A_HOST) for block in examples()[candidate])
    assert FOUND[candidate] in faulty
    assert FOUND[candidate] not in sound
