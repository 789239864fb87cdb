"""The sets of a ruleset as the text that `ipset restore` loads, before the rules that refer to them (ipset(8), "restore")."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.netfilter.ipset import IpSet
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.ruleset import Ruleset

_FAMILIES = {4: "inet", 6: "inet6"}


def ipset_restore(ruleset: Ruleset) -> str:
    """Return the commands that make our sets, "" where there are none; those of other tools are never created.

    A set that exists already stays as it is, with its members: `-exist`.
    """
    return "".join(f"{line}\n" for item in ruleset.sets if not item.owner for line in _commands(item))


def _commands(item: IpSet) -> Iterator[str]:
    name = quote_word(item.name)
    family = f" family {_FAMILIES[item.family]}" if item.kind.startswith("hash:") and item.kind != "hash:mac" else ""
    timeout = "" if item.timeout is None else f" timeout {item.timeout}"
    yield f"create {name} {item.kind}{family}{timeout} -exist"
    for member in item.members:
        yield f"add {name} {member} -exist"
