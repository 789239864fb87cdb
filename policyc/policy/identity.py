"""Ids, names and descriptions: what a rule is called by, from what the user wrote beside it and nothing else.

An id is a hash of the statement's text, so that edits elsewhere in a policy change no id.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b

from policyc.diagnostics import Related
from policyc.language.literals import Name
from policyc.language.print_rules import BREAK, rule_text
from policyc.language.rules import Comment, Rule
from policyc.policy.defined import MAX_COMMENT
from policyc.policy.findings import Findings
from policyc.policy.model import comment
from policyc.source import Span

LENGTH = 8
_LETTERS = bytes(97 + number % 26 for number in range(256))
_ADDRESS = r"\d+\.\d+\.\d+\.\d+(?:/(?:0|[1-9]\d?))?"
_PLAIN = re.compile(rf"(?:accept|drop|reject)(?: (?:tcp|udp)/[1-9]\d*)?(?: from {_ADDRESS})?(?: to {_ADDRESS})?")
"""Rules whose text is canonical as it stands; the others are printed from the tree, which takes ten times as long."""


def canonical_text(rule: Rule) -> str:
    """Return a rule as `fmt` prints it on one line."""
    span = rule.span
    if _PLAIN.fullmatch(span.source.text, span.start, span.end):
        return span.text
    return rule_text(rule).replace(BREAK, " ")


def description(comments: tuple[Comment, ...]) -> str:
    """Return the comments of a statement, one a line, but for those that speak to policyc."""
    return "\n".join(comment.text for comment in comments if not comment.text.startswith("policyc:"))


@dataclass(slots=True)
class Identities:
    """The ids and names that a policy has given so far."""

    findings: Findings
    counts: dict[str, int] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    names: dict[str, Span] = field(default_factory=dict)

    def identifier(self, text: str) -> str:
        """Return eight letters for a text; the same text again gets others, and so on."""
        count = self.counts.get(text, 0)
        self.counts[text] = count + 1
        salted = f"{text}\0{count}" if count else text
        while True:
            digest = blake2b(salted.encode(), digest_size=LENGTH).digest()
            found = digest.translate(_LETTERS).decode("ascii")
            if found not in self.taken:
                self.taken.add(found)
                return found
            salted += "\0"

    def name(self, name: Name, path: tuple[str, ...] = (), *, preset: bool = False) -> str:
        """Return the full name of a rule called `name` within these calls.

        Two rules of one name are an error; a rule of a `define` has one name however often it is used, and a preset may say
        the same in two hooks.
        """
        full = ".".join((*path, name.text))
        first = self.names.setdefault(full, name.span)
        if first != name.span and not preset:
            related = [Related(f"`{full}` is the name of this rule", first)]
            self.findings.report("duplicate-name", f"two rules are called `{full}`", name.span, related=related)
        if len(comment("x" * LENGTH, full).encode()) > MAX_COMMENT:
            message = f"the name does not fit the {MAX_COMMENT} characters of the rule's comment"
            self.findings.report("too-long", message, name.span)
        return full
