"""One table of rule fragments already seen: what a piece such as `-m tcp --dport 80` means, once for all rules.

A dump of 100,000 lines has few distinct pieces beside its addresses; a rule is then a few look-ups. `words` stays the only
truth: a piece is kept only when it means the same in every rule.
"""

from __future__ import annotations

import re

from policyc.netfilter.parts import TARGET_RANK, Part, Target
from policyc.netfilter.quoting import QuoteError, split_words
from policyc.readers.words import Reading, Word, read_rule, rule_problems

# A rule is cut before each short option with its `!`; quoted text is cut by words instead.
_BREAK = re.compile(r" (?=(?:! )?-[a-zA-Z](?: |$))")


class Fragments:
    """The table of one family."""

    __slots__ = ("_seen", "family")

    def __init__(self, family: int) -> None:
        self.family = family
        self._seen: dict[str, tuple[Part, ...] | None] = {}

    def parts(self, text: str) -> tuple[Part, ...] | None:
        """Return the parts of a rule's text in canonical order, or None where it must be read word by word."""
        if '"' in text or "\t" in text or "  " in text or text.startswith(" "):
            return None
        if not text:
            return ()
        seen = self._seen
        found: list[Part] = []
        rank, ordered = -1, True
        for piece in _BREAK.split(text):
            try:
                parts = seen[piece]
            except KeyError:
                parts = seen[piece] = self._understood(piece)
            if parts is None:
                return None
            for part in parts:
                if part.rank <= rank and not part.rank == rank == 6:
                    ordered = False
                rank = part.rank
                found.append(part)
        if not ordered:
            found.sort(key=lambda part: part.rank)
            ranks = [part.rank for part in found if part.rank != 6]
            if len(set(ranks)) != len(ranks):
                return None  # something is given twice: the reader of words says so
        return tuple(found)

    def _understood(self, piece: str) -> tuple[Part, ...] | None:
        words = [Word(word, 0, 0) for word in piece.split(" ")]
        reading = read_rule(words, self.family, exact=True)
        if len(reading.rules) != 1 or reading.spelled or reading.counters is not None:
            return None
        return reading.rules[0]

    def read(self, text: str) -> Reading:
        """Read a rule's text (without `-A CHAIN`), through the table where that is possible; offsets are those of the text."""
        parts = self.parts(text)
        if parts is None or rule_problems(parts, self.family):
            return read_text(text, self.family)
        return Reading((parts,))


def read_text(text: str, family: int) -> Reading:
    """Read a rule's text word by word, with all that can be wrong with it."""
    from policyc.readers.words import Problem  # only a broken rule needs it

    try:
        words = [Word(*word) for word in split_words(text)]
    except QuoteError as error:
        return Reading((), (Problem(str(error), error.at, len(text)),))
    reading = read_rule(words, family)
    for parts in reading.rules:
        messages = rule_problems(parts, family)
        if messages:
            return Reading((), tuple(Problem(m, 0, len(text)) for m in messages), reading.spelled)
    return reading


def has_target(parts: tuple[Part, ...]) -> bool:
    """Whether the last part decides what happens to the packet."""
    return bool(parts) and (isinstance(parts[-1], Target) or parts[-1].rank == TARGET_RANK)
