"""What `iptables-save` printed just now becomes a Ruleset, with what it could not print said. Step one of counters and traces."""

from __future__ import annotations

import re
from collections.abc import Mapping

from policyc.netfilter.ruleset import Ruleset
from policyc.readers.joining import joined
from policyc.readers.save import read_save
from policyc.source import Source

NAME = "kernel"
"""What a rule's place calls the source, which nobody sees."""

# "is incompatible, use 'nft' tool", or "contains incompatible base-chains": iptables-nft-save prints nothing else of it.
_INCOMPATIBLE = re.compile(r"^# Table `(\S+)' ", re.MULTILINE)


def live_rules(texts: Mapping[int, str]) -> tuple[Ruleset, tuple[str, ...]]:
    """Return the rules of both families, and a sentence for each table that iptables cannot print."""
    found = [
        read_save(Source(NAME, text), family) for family, text in texts.items() if re.search(r"^\*", text, re.MULTILINE)
    ]
    remarks = tuple(
        f"table {name} of IPv{family} has chains or rules that only `nft` shows; iptables does not print it"
        for family, text in texts.items()
        for name in _INCOMPATIBLE.findall(text)
    )
    return (joined(found) if found else Ruleset()), remarks
