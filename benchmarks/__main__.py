"""`python -m benchmarks [SIZE …]`: the ratios of policyc's work to `python -c pass` (P) and iptables-legacy-restore (T).

P and T are measured in the same run and printed, because a machine's speed says nothing about ours. T is
`iptables-legacy-restore --test` of the same rules; for a policy file, of the rules that it compiles to.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.inputs import campus, dump, policy
from benchmarks.timing import cpu, inside, program, python

RECORDED = Path(__file__).parents[2] / "shared/truth/kernel/cases"
"""Recorded packets, where they lie beside the checkout."""
NETWORKS = 92
SIZES = (100, 1_000, 10_000, 100_000)

READ_AND_PRINT = """
import sys, time
from pathlib import Path
from policyc import api
before = time.process_time()
ruleset = api.load(Path(sys.argv[1]))
read = time.process_time()
api.iptables_save(ruleset, 4)
print(read - before, time.process_time() - read)
"""

PARSE = """
import sys, time
from pathlib import Path
from policyc import api
before = time.process_time()
api.load(Path(sys.argv[1]))
print(time.process_time() - before)
"""

CHECK = """
import sys, time
from pathlib import Path
from policyc import api
ruleset = api.load(Path(sys.argv[1]))
before = time.process_time()
api.check(ruleset)
print(time.process_time() - before)
"""

EXPLAIN = """
import sys, time
from pathlib import Path
from policyc import api
ruleset = api.load(Path(sys.argv[1]))
for _ in range(2):
    before = time.process_time()
    api.explain(ruleset, "tcp 203.0.113.9 -> 198.51.100.1:443 in eth0 out eth1")
    print(time.process_time() - before)
"""

REPLAY = """
import gzip, json, sys, time
from policyc import api
cases = [case for name in sys.argv[1:] for case in json.load(gzip.open(name))["cases"]]
before = time.process_time()
packets = sum(len(api.replay(case)) for case in cases)
print((time.process_time() - before) / packets)
"""


COVERS = """
import sys, time
from pathlib import Path
from policyc import api
from policyc.analysis.flat import FlatRun
from policyc.analysis.rules import FamilyRules
from policyc.collector import resting_collector
ruleset = api.load(Path(sys.argv[1]))
before = time.process_time()
with resting_collector():
    rules = FamilyRules(ruleset, 4)
    FlatRun(rules, ruleset.table(4, "filter").chain("FORWARD").rules)
print(time.process_time() - before)
"""


def main(sizes: tuple[int, ...]) -> None:
    """Print the table for these numbers of rules."""
    restore = program("iptables-legacy-restore")
    if restore is None:
        sys.exit("iptables-legacy-restore is not installed (Debian package iptables); `make packages` installs it")
    policyc = str(Path(sys.executable).with_name("policyc"))
    p = python("pass", runs=10)
    print(f"P = python -c pass = {p * 1000:.1f} ms CPU")
    print(f"policyc --version            {cpu([policyc, '--version'], 10) / p:6.2f} P")
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder, "small.pol")
        small.write_text(policy(100))
        print(f"check of 100 policy rules    {cpu([policyc, 'check', '--fail-on', 'never', str(small)], 5) / p:6.2f} P")
        if recorded := sorted(map(str, RECORDED.glob("*.json.gz"))):
            (each,) = inside(REPLAY, *recorded)
            print(f"replay of recorded packets   {p / each:6.0f} packets in one P ({1 / each:.0f} a second)")
        heads = (
            ("rules", 8),
            ("T", 9),
            ("read", 8),
            ("print", 8),
            ("check", 8),
            ("covers", 8),
            ("policy → Ruleset", 18),
            ("explain: first, next", 21),
        )
        print(" ".join(f"{name:>{width}}" for name, width in heads))
        for size in sizes:
            print(row(size, Path(folder), restore))
        print(walked(Path(folder), restore))


def walked(folder: Path, restore: str) -> str:
    """Measure all findings about a ruleset of many user chains and return the line."""
    rules = folder / "campus.rules"
    rules.write_text(campus(NETWORKS))
    t = cpu(["unshare", "--net", restore, "--test"], 3, rules.read_text())
    (checked,) = inside(CHECK, str(rules))
    return f"check of {NETWORKS * 60} rules in {NETWORKS * 2} user chains, T = {t * 1000:.0f} ms: {checked / t:.0f} T"


def row(size: int, folder: Path, restore: str) -> str:
    """Measure one size and return its line of the table."""
    rules, source = folder / f"{size}.rules", folder / f"{size}.pol"
    rules.write_text(dump(size))
    source.write_text(policy(size))
    t = cpu(["unshare", "--net", restore, "--test"], 3, rules.read_text())
    read, written = inside(READ_AND_PRINT, str(rules))
    (checked,) = inside(CHECK, str(rules))
    (covers,) = inside(COVERS, str(rules))
    (parsed,) = inside(PARSE, str(source))
    first, following = inside(EXPLAIN, str(rules))
    from policyc import api

    t_policy = cpu(["unshare", "--net", restore, "--test"], 3, api.iptables_save(api.load(source), 4))
    return (
        f"{size:>8} {t * 1000:>6.0f} ms {read / t:>6.2f} T {written / t:>6.2f} T {checked / t:>6.2f} T {covers / t:>6.2f} T"
        f" {parsed / t_policy:>16.2f} T {first * 1000:>13.0f} ms {following * 1000:>4.0f} ms"
    )


if __name__ == "__main__":
    main(tuple(int(word) for word in sys.argv[1:]) or SIZES)
