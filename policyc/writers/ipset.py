"""Ruleset to `ipset restore` text: the sets that a policy makes, before its rules are loaded.

`-exist` leaves a set that is there as it is, its members included: what a set holds is runtime state. Sets of other tools
are not written. Source: ipset(8).
"""

from __future__ import annotations

from policyc.netfilter.ipset import IpSet
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.ruleset import Ruleset

FAMILY = {4: "inet", 6: "inet6"}


def ipset_restore(ruleset: Ruleset) -> str:
    """Return one `create` line for each of our sets and one `add` line for each member, "" where there are no sets."""
    lines = []
    for one in ruleset.sets:
        if one.owner:
            continue
        name = quote_word(one.name)
        lines.append(f"create {name} {create_words(one)} -exist\n")
        lines.extend(f"add {name} {member} -exist\n" for member in one.members)
    return "".join(lines)


def create_words(one: IpSet) -> str:
    """Return what stands behind the name of a set in its `create` line."""
    timeout = "" if one.timeout is None else f" timeout {one.timeout}"
    return f"{one.kind} {one.options}" if one.options else f"{one.kind}{_details(one)}{timeout}"


def _details(one: IpSet) -> str:
    """Return what a kind of set must be told: only hashes have a family, only bitmaps a range."""
    if one.kind.startswith("hash:"):
        return f" family {FAMILY[one.family]}"
    return " range 0-65535" if one.kind == "bitmap:port" else ""
