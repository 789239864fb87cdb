"""Native nftables: it loads, reads back as it was loaded, and does to packets what the rules of iptables do.

A run has new random rules. A failure names its seed; POLICYC_SEED=N repeats that case alone.
"""

from __future__ import annotations

import gzip
import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from random_cases import random_case

from policyc import api
from policyc.diagnostics import Severity
from policyc.host.host import Host
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program
from policyc.kernel.replica import observe
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.save import read_save
from policyc.readers.topology import host_of_topology
from policyc.source import Source
from policyc.writers.nft import nft_translation

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
NOT_HERE = {"queue"}  # this kernel may have no queues
SOURCES = [
    *sorted((ROOT / "examples").glob("*.pol")),
    *(path for path in sorted((GOLDEN / "lowering").glob("*.pol")) if not path.stem.startswith("errors-")),
    *(path for path in sorted((GOLDEN / "nft").glob("*.rules")) if path.stem not in NOT_HERE),
]
NO_FORM = {"lists", "matches", "no-form", "verbs"}  # a set and a chain of others, `string`; and what is there for it
EVERY = 4  # of the recorded cases one is sent again
RANDOM_CASES = 12
MOST_TRIES = 12
_MOST_CASES = 99

Packet = Mapping[str, Any]


def nft(namespace: Namespace, *words: str, text: str = "") -> str:
    outcome = namespace.run([program("nft", "nftables"), *words], text)
    assert (outcome.code, outcome.err) == (0, ""), text
    return outcome.out


def as_loaded(namespace: Namespace) -> tuple[str, list[str]]:
    """The rules as nft lists them, and as the kernel has them."""
    code = nft(namespace, "--debug=netlink", "-s", "list", "ruleset")
    instructions = [line for line in code.splitlines() if line.startswith("  [") and "counter" not in line]
    return nft(namespace, "-s", "list", "ruleset"), instructions


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_source_loads_and_reads_back_equal(namespace: Namespace, path: Path) -> None:
    made = nft_translation(api.load(path))
    errors = [found for found in made.findings if found.severity is Severity.ERROR]
    if errors:
        assert path.parent != ROOT / "examples"
        assert path.stem in NO_FORM
        return
    nft(namespace, "-f", "-", text=made.text)
    listed, code = as_loaded(namespace)
    nft(namespace, "-f", "-", text=made.text)
    assert as_loaded(namespace) == (listed, code), "loading it again changes it"
    with Namespace() as other:
        nft(other, "-f", "-", text=listed)
        assert as_loaded(other) == (listed, code), "what nft lists is not what was loaded"


def test_a_text_replaces_the_one_before_as_a_whole(namespace: Namespace) -> None:
    first, second = (
        nft_translation(api.load(GOLDEN / "nft" / f"{name}.rules")).text for name in ("targets", "matches")
    )
    nft(namespace, "-f", "-", text="table inet other {\n}\n")
    nft(namespace, "-f", "-", text=first)
    before = as_loaded(namespace)
    broken = namespace.run([program("nft", "nftables"), "-f", "-"], second.replace("accept", "jump nowhere", 1))
    assert broken.code
    assert as_loaded(namespace) == before
    nft(namespace, "-f", "-", text=second)
    assert "table inet other" in as_loaded(namespace)[0]
    assert "mangle" not in as_loaded(namespace)[0]


# ---------------------------------------------------------------- packets
def outcome(packet: Packet, found: Mapping[str, Any]) -> tuple[Any, ...]:
    """What became of a packet; nft's trace does not tell a reject from a drop, its answer does.

    A SYN without the option for the segment size gets one from TCPMSS and none from nft (PC821).
    """
    fields = {name: value for name, value in (found.get("fields") or {}).items() if name != "mss" or packet.get("mss")}
    verdict = "DROPPED" if found["verdict"] == "REJECTED" else found["verdict"]
    ends = found.get("out_iface"), found.get("in_iface"), found.get("also_local")
    answers = [sorted(answer.items()) for answer in found.get("kernel_replies", ())]
    return (
        verdict,
        *ends,
        found.get("final"),
        fields,
        found.get("mark"),
        answers,
        found.get("ctstate"),
        found.get("ctdir"),
    )


def native(case: Mapping[str, Any], host: Host) -> tuple[dict[int, str], str]:
    """The case's rules without those that have no form, and the same for nft."""
    texts, made = {}, ""
    for family in (4, 6):
        text = case[f"rules_v{family}"]
        if not text:
            continue
        while errors := [
            f for f in nft_translation(ruleset(text, family, host), family).findings if f.severity is Severity.ERROR
        ]:
            refused = {found.span.line for found in errors if found.span}
            text = "\n".join(line for number, line in enumerate(text.split("\n"), 1) if number not in refused)
        texts[family] = text
        made += nft_translation(ruleset(text, family, host), family).text
    return texts, made


def ruleset(text: str, family: int, host: Host) -> Ruleset:
    return replace(read_save(Source("rules", text), family), host=host)


@pytest.mark.parametrize("number", range(0, _MOST_CASES, EVERY))
def test_recorded_packets_meet_the_same_fate(machine: None, shared: Path, number: int) -> None:
    files = sorted((shared / "truth" / "kernel" / "cases").glob("*.json.gz"))
    if not files:
        pytest.skip("no recorded packets beside this checkout")
    cases = [case for file in files for case in json.loads(gzip.decompress(file.read_bytes()))["cases"]]
    case = cases[number % len(cases)]
    host = host_of_topology(case["topology"], case.get("ipsets"), case["family"])
    texts, text = native(case, host)
    if any(texts[family] != case[f"rules_v{family}"] for family in texts):
        pytest.skip(f"{case['id']} has rules without a form")
    kernel = observe({}, host, "", case["packets"], nft=text)
    for packet, wanted, found in zip(case["packets"], case["expect"], kernel, strict=True):
        # The recorded answers do not say what became of packets that nobody waited for.
        assert outcome(packet, found)[:7] == outcome(packet, wanted)[:7], (case["id"], packet, wanted, found)


def test_random_rules_do_the_same_to_random_packets(machine: None) -> None:
    given = os.environ.get("POLICYC_SEED")
    for seed in [int(given)] if given else [random.randrange(2**32) for _ in range(RANDOM_CASES)]:
        print(f"POLICYC_SEED={seed}")
        engine = Backend.LEGACY if seed % 2 else Backend.NFT
        case = random_case(seed, legacy=engine is Backend.LEGACY)
        host = host_of_topology(case["topology"], case["ipsets"], case["family"])
        texts, text = native(case | {f"rules_v{case['family']}": comparable(case)}, host)
        packets = case["packets"]

        def by_iptables(
            texts: dict[int, str] = texts, host: Host = host, case: Any = case, engine: Backend = engine
        ) -> Any:
            return observe(texts, host, case["ipsets"] or "", case["packets"], backend=engine)

        def by_nft(text: str = text, host: Host = host, packets: Sequence[Packet] = packets) -> Any:
            return observe({}, host, "", packets, nft=text)

        differing = agreed(packets, by_iptables, by_nft)
        assert not differing, f"iptables-{engine.value}\n{texts}\n{text}\n{differing}"


def comparable(case: Mapping[str, Any]) -> str:
    """The rules without those that differ, as docs/nft.md says.

    What TCPMSS adds to a SYN is seen by rules behind it; from whom nft asks for a route of IPv6 matters to routing rules.
    """
    lines = (case[f"rules_v{case['family']}"] or "").split("\n")
    by_source = case["family"] == 6 and any("from " in rule for rule in case["topology"].get("ip_rules", ()))
    return "\n".join(line for line in lines if "TCPMSS" not in line and not (by_source and "-m addrtype" in line))


def agreed(packets: Sequence[Packet], one: Any, other: Any) -> list[Any]:
    """Packets of which the two ways never say the same. A port that translation chooses by chance is another every time."""
    seen: list[tuple[list[Any], list[Any]]] = [([], []) for _ in packets]
    left: list[int] = []
    for _ in range(MOST_TRIES):
        for side, results in enumerate((one(), other())):
            for place, (packet, found) in enumerate(zip(packets, results, strict=True)):
                seen[place][side].append(outcome(packet, found))
        left = [place for place, (ours, theirs) in enumerate(seen) if not any(each in theirs for each in ours)]
        if not left:
            break
    return [(packets[place], seen[place]) for place in left if not by_chance(*seen[place])]


def by_chance(ours: list[Any], theirs: list[Any]) -> bool:
    """Whether both sides draw a port anew each time and agree on all else."""
    drawn = all(len({json.dumps(each[4]) for each in side}) > 1 for side in (ours, theirs))
    return drawn and without_ports(ours[0]) == without_ports(theirs[0])


def without_ports(found: tuple[Any, ...]) -> tuple[Any, ...]:
    ends = {name: value for name, value in (found[4] or {}).items() if not name.endswith("port")}
    return (*found[:4], ends, *found[5:])
