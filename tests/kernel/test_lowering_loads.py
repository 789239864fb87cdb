"""The golden policies of the lowering load with both kinds of iptables in both families, and read back as written."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program
from policyc.netfilter.ruleset import Ruleset
from policyc.writers.ipset import ipset_restore
from policyc.writers.shared import Jumps, shared_text

FOLDER = Path(__file__).parents[1] / "golden" / "lowering"
POLICIES = [path for path in sorted(FOLDER.glob("*.pol")) if not path.stem.startswith("errors-")]
# What the policies expect of others: the chains of other tools, a set of another tool.
OTHERS = "*filter\n:DOCKER-USER - [0:0]\n:OTHER-CHAIN - [0:0]\n{}COMMIT\n"
SETS = "create f2b-sshd hash:ip family inet\n"


def restore(namespace: Namespace, backend: Backend, family: int, text: str, *flags: str) -> None:
    outcome = namespace.run([backend.tool(family, "restore"), *flags], text)
    assert (outcome.code, outcome.err) == (0, "")


def saved(namespace: Namespace, backend: Backend, family: int) -> Ruleset:
    return api.load(namespace.run([backend.tool(family, "save")]).out, family=family)


def our_chains(ruleset: Ruleset, policy: Ruleset, family: int) -> dict[tuple[str, str], list[str]]:
    """The rules of the chains that the policy has, base chains left out where they are the host's."""
    return {
        (table.name, chain.name): [rule.text for rule in found.rules]
        for table in policy.family(family)
        for chain in (table.user_chains if policy.shared else table.chains)
        if not chain.owner and (here := ruleset.table(family, table.name)) and (found := here.chain(chain.name))
    }


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_loads_and_reads_back_equal(namespace: Namespace, path: Path, backend: Backend) -> None:
    policy = api.load(path)
    assert namespace.run([program("ipset", "ipset"), "restore"], ipset_restore(policy) + SETS).err == ""
    for family in policy.families:
        restore(namespace, backend, family, OTHERS.format(""))
        text = api.iptables_save(policy, family)
        restore(namespace, backend, family, text, *["--noflush"] * policy.shared)
        wanted = our_chains(policy, policy, family)
        assert wanted
        assert our_chains(saved(namespace, backend, family), policy, family) == wanted


FOREIGN = [
    "-A INPUT -p tcp -m tcp --dport 9999 -j DROP",
    "-A INPUT -j OTHER-CHAIN",
    "-A FORWARD -j DOCKER-USER",
    "-A DOCKER-USER -j RETURN",
    "-A OTHER-CHAIN -s 10.0.0.1/32 -j ACCEPT",
]


def jumps_and_others(ruleset: Ruleset, family: int) -> dict[str, list[str]]:
    table = ruleset.table(family, "filter")
    assert table
    names = ("INPUT", "FORWARD", "DOCKER-USER", "OTHER-CHAIN")
    return {name: [rule.text for rule in chain.rules] for name in names if (chain := table.chain(name))}


@pytest.mark.parametrize("last", [False, True], ids=["first", "last"])
@pytest.mark.parametrize("backend", list(Backend))
def test_a_shared_policy_is_loaded_again_and_again(namespace: Namespace, backend: Backend, last: bool) -> None:
    policy = api.load(
        "policy edge { family ip; ownership shared" + "; place last" * last + " }\n"
        "zone wan = interface eth0\n"
        "zone apps = interface docker0 owner docker\n"
        "filter wan -> self { accept ssh }\n"
        "filter wan -> apps { otherwise drop }\n"
    )
    restore(namespace, backend, 4, OTHERS.format("".join(f"{line}\n" for line in FOREIGN)))
    others = jumps_and_others(saved(namespace, backend, 4), 4)
    once = {
        "INPUT": [*others["INPUT"], "-j edge.input"] if last else ["-j edge.input", *others["INPUT"]],
        "FORWARD": others["FORWARD"],
        "DOCKER-USER": ["-j edge.forward", "-j RETURN"],  # behind the RETURN nothing would be reached
        "OTHER-CHAIN": others["OTHER-CHAIN"],
    }
    for jumps in (Jumps.INSERT, Jumps.KEEP, Jumps.RENEW, Jumps.KEEP, Jumps.RENEW):
        restore(namespace, backend, 4, shared_text(policy, 4, jumps), "--noflush")
        now = saved(namespace, backend, 4)
        assert jumps_and_others(now, 4) == once, jumps
        assert our_chains(now, policy, 4) == our_chains(policy, policy, 4)
