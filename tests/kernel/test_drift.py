"""`policyc diff live POLICY`: a host that holds a shared policy beside rules of others, and what is done to it by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("machine")

POLICY = """\
zone wan = interface eth0
filter any -> self { use baseline }
filter wan -> self { accept ssh as door; otherwise drop }
"""
DIFF = f"{sys.executable} -m policyc diff live door.pol --format json; echo"
LOADED = f"""\
set -e
{sys.executable} -m policyc compile door.pol --family 4 | iptables-nft-restore --noflush
{sys.executable} -m policyc compile door.pol --family 6 | ip6tables-nft-restore --noflush
iptables-nft -A FORWARD -o docker0 -j ACCEPT
set +e
"""


def drift(folder: Path, by_hand: str) -> dict:
    """What is told in a namespace of its own after a command by hand."""
    (folder / "door.pol").write_text(POLICY)
    words = ["unshare", "-n", "sh", "-c", f"{LOADED}{by_hand}\n{DIFF}"]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("by_hand", [":", "iptables-nft -I INPUT -s 192.0.2.9 -j DROP", "iptables-nft -Z"])
def test_what_is_not_ours_is_no_drift(tmp_path: Path, by_hand: str) -> None:
    found = drift(tmp_path, by_hand)
    assert (found["equal"], found["scope"]) == (True, "ours")


def test_a_rule_in_our_chain_is_drift(tmp_path: Path) -> None:
    found = drift(tmp_path, "iptables-nft -I door.wan.self 1 -s 203.0.113.0/24 -j ACCEPT")
    (one,) = found["changes"]
    assert (one["family"], one["from"], one["to"], one["rules"]["a"]["number"]) == (4, "ACCEPT", "DROP", 1)


def test_a_jump_that_is_gone_is_drift(tmp_path: Path) -> None:
    found = drift(tmp_path, "ip6tables-nft -F INPUT")
    assert not found["equal"]
    assert {(one["family"], one["hook"]) for one in found["changes"]} == {(6, "INPUT")}
