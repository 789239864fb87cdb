"""What a text is, told by its content: a policy, a dump, a snapshot, or something that policyc does not read.

A dump shows itself by a line that only dumps have (`*filter`, `COMMIT`, `-A CHAIN …`), a snapshot by its JSON, a policy by
a statement that begins with a word of the language. The file's name decides only where the content says nothing.
"""

from __future__ import annotations

import re
from enum import Enum

from policyc.diagnostics import InputError
from policyc.readers.files import refusal
from policyc.source import Source


class Kind(Enum):
    """The kinds of source; the value is the word of `--as`."""

    POLICY = "policy"
    DUMP = "dump"
    SNAPSHOT = "snapshot"


_DUMP = re.compile(r"^[ \t]*(?:\*[a-z][a-z0-9]*|COMMIT|:\S+ (?:-|[A-Z]+) \[\d+:\d+\])[ \t]*\r?$", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:\[\d+:\d+\] )?-(?:A|I|P|N)[ \t]+\S", re.MULTILINE)
_HEADER = re.compile(r"^# (?:Generated|Completed) by ip6?tables", re.MULTILINE)
_POLICY = re.compile(
    r"^[ \t]*(?:policy|zone|address|service|set|limit|log|mark|schedule|filter|nat|mangle|raw|publish|notrack|synproxy"
    r"|tproxy|netmap|clamp|define|docker|test|include|require|use)\b",
    re.MULTILINE,
)

_OTHERS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"^[ \t]*(?:table (?:ip6?|inet|bridge|arp|netdev)\b|(?:add|flush) (?:table|ruleset)\b)", re.MULTILINE),
     "an nftables ruleset", "policyc reads iptables: take `iptables-save > FILE`"),
    (re.compile(r"^[ \t]*(?:sudo )?(?:\S*/)?ip6?tables[ \t]+-", re.MULTILINE),
     "a script of iptables commands", "load it in a network namespace and check what `iptables-save` prints there"),
    (re.compile(r"^(?:create \S+ (?:hash|bitmap|list):|add \S+ \S+$)", re.MULTILINE),
     "an ipset dump, which has no rules", "give the dump of the rules that refer to the sets"),
    (re.compile(r"^services:[ \t]*$", re.MULTILINE), "a compose file", "policyc reads policy files and iptables-save dumps"),
)  # fmt: skip


def kind_of(source: Source) -> Kind:
    """Return what a text is; raise InputError where it is nothing that policyc reads, with what it seems to be."""
    text = source.text
    if _DUMP.search(text) or _HEADER.search(text):
        return Kind.DUMP
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return Kind.SNAPSHOT
    if source.name.endswith(".pol") and _POLICY.search(text):
        return Kind.POLICY
    for pattern, what, hint in _OTHERS:
        if pattern.search(text):
            raise _unknown(source, f"`{source.name}` is {what}", hint)
    if _POLICY.search(text) or source.name.endswith(".pol"):
        return Kind.POLICY
    if _RULE.search(text):
        return Kind.DUMP
    hint = "if it is one of them, say so: `--as policy` or `--as dump`"
    raise _unknown(source, f"`{source.name}` is neither a policy nor an iptables-save dump", hint)


def _unknown(source: Source, message: str, hint: str) -> InputError:
    return refusal(source.name, message, hint)
