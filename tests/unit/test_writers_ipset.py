"""The text for `ipset restore`: our sets only, in both families, loaded twice without harm."""

from __future__ import annotations

from policyc.netfilter.ipset import IpSet
from policyc.netfilter.ruleset import Ruleset
from policyc.writers.ipset import ipset_restore

SETS = (
    IpSet("banned.4", "hash:ip", 4, timeout=3600),
    IpSet("banned.6", "hash:ip", 6, timeout=3600),
    IpSet("nets", "hash:net", 4, members=("10.0.0.0/8", "192.0.2.0/24")),
    IpSet("ports", "bitmap:port", 4),
    IpSet("f2b-sshd", "hash:ip", 4, owner="fail2ban"),
)


def test_sets_of_both_families_and_their_members() -> None:
    assert ipset_restore(Ruleset(sets=SETS)) == (
        "create banned.4 hash:ip family inet timeout 3600 -exist\n"
        "create banned.6 hash:ip family inet6 timeout 3600 -exist\n"
        "create nets hash:net family inet -exist\n"
        "add nets 10.0.0.0/8 -exist\n"
        "add nets 192.0.2.0/24 -exist\n"
        "create ports bitmap:port range 0-65535 -exist\n"
    )


def test_no_sets_no_text() -> None:
    assert ipset_restore(Ruleset()) == ""
