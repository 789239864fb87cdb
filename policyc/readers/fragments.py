"""One table of rule fragments already seen: what a piece such as `-m tcp --dport 80` means, once for all rules.

A dump of 100,000 lines has few distinct pieces beside its addresses, ports and comments; a rule is then a few look-ups.
`words` stays the only truth: a piece is kept only when it means the same in every rule, and a new value of a known shape
(`-m tcp --dport` and a word) goes through the same argument and the same extension.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from policyc.frozen import frozen
from policyc.net.addresses import ALL_ONES, AddressError, Network, parse_address
from policyc.netfilter.extension import Extension, Given, Option, Options
from policyc.netfilter.extensions import match_extension, target_extension
from policyc.netfilter.parts import MATCH_RANK, Match, Part, Selector, Target
from policyc.netfilter.quoting import QuoteError, split_words
from policyc.readers.building import built, option_problems, rule_problems
from policyc.readers.reading import Problem, Reading, Word
from policyc.readers.words import read_rule

# A rule is cut before each short option with its `!`.
_BREAK = re.compile(r" (?=(?:! )?-[a-zA-Z](?: |$))")
_ADDRESS = re.compile(r"-([sd]) ([0-9.]+)/(32|24|16|8)")
_MASKS = {str(length): ALL_ONES[4] ^ (ALL_ONES[4] >> length) for length in (32, 24, 16, 8)}
_HIDDEN_BLANK = "\x01"  # stands for a blank inside quotes while a rule is cut; control characters are refused before


class _Piece(NamedTuple):
    """A piece understood: its parts, the protocol of a positive `-p`, and the parts that look at the rest of their rule."""

    parts: tuple[Part, ...]
    protocol: int | None
    watchful: tuple[Part, ...]


@frozen
class _Shape:
    """A piece but for its last word: one extension with one option."""

    extension: Extension
    option: Option
    negated: bool


class Fragments:
    """The table of one family."""

    __slots__ = ("_seen", "_shapes", "family")

    def __init__(self, family: int) -> None:
        self.family = family
        self._seen: dict[str, _Piece | None] = {}
        self._shapes: dict[str, _Shape | None] = {}

    def parts(self, text: str) -> tuple[Part, ...] | None:
        """Return the parts of a rule's text in canonical order, or None where it must be read word by word."""
        if '"' in text:
            hidden = _hide_quoted_blanks(text)
            if hidden is None:
                return None
            text = hidden
        if not text:
            return ()
        seen = self._seen
        found: list[Part] = []
        watchful: tuple[Part, ...] = ()
        protocol: int | None = None
        rank, ordered = -1, True
        for text_piece in _BREAK.split(text):
            try:
                piece = seen[text_piece]
            except KeyError:
                piece = seen[text_piece] = self._understood(text_piece)
            if piece is None:
                return None
            parts, known, careful = piece
            if known is not None:
                protocol = known
            if careful:
                watchful += careful
            for part in parts:
                here = part.rank
                if here <= rank and (here != MATCH_RANK or rank != MATCH_RANK):
                    ordered = False
                rank = here
                found.append(part)
        if watchful and not _content(watchful, protocol):
            return None
        whole = tuple(found)
        return whole if ordered else _in_order(whole)

    def read(self, text: str) -> Reading:
        """Read a rule's text (without `-A CHAIN`), by the table where that is possible; offsets are those of the text."""
        parts = self.parts(text)
        return read_text(text, self.family) if parts is None else Reading((parts,))

    def _understood(self, piece: str) -> _Piece | None:
        found = _ADDRESS.fullmatch(piece) if self.family == 4 else None
        if found is not None:
            try:
                address, mask = parse_address(found[2], 4), _MASKS[found[3]]
            except AddressError:
                return None
            if address & mask == address:  # spelled as it will be printed
                rank = 0 if found[1] == "s" else 1
                return _Piece((Selector(rank, piece, piece[:2], Network(4, address, mask)),), None, ())
        head, _, value = piece.rpartition(" ")
        try:
            shape = self._shapes[head]
        except KeyError:
            shape = self._shapes[head] = self._shape(head)
        parts = self._shaped(shape, value) if shape is not None else self._read(piece)
        return None if parts is None else _piece(parts)

    def _read(self, piece: str) -> tuple[Part, ...] | None:
        words = [Word(_bare(word), 0, 0) for word in piece.split(" ")]
        if any(not word.text for word in words):
            return None
        reading = read_rule(words, self.family, exact=True)
        if len(reading.rules) != 1 or reading.spelled or reading.counters is not None:
            return None
        return reading.rules[0] or None  # `-i +` says nothing, but a second `-i` beside it is an error

    def _shape(self, head: str) -> _Shape | None:
        """Return the shape of a piece without its last word; only a lone option of a known extension has one."""
        words = head.split(" ")
        if len(words) not in {3, 4} or words[0] not in {"-m", "-j"} or not words[-1].startswith("--"):
            return None
        if len(words) == 4 and words[2] != "!":
            return None
        extension = _extension(words[0], words[1])
        if extension is None or self.family not in extension.families:
            return None
        option = next((o for o in extension.options if o.name == words[-1][2:] or words[-1][2:] in o.aliases), None)
        negated = len(words) == 4
        if (
            option is None
            or option.argument is None
            or option.argument.words != 1
            or (negated and not option.negatable)
        ):
            return None
        if option_problems(extension, Options((Given(option.name, None, negated),))):
            return None
        return _Shape(extension, option, negated)

    def _shaped(self, shape: _Shape, value: str) -> tuple[Part, ...] | None:
        assert shape.option.argument is not None
        word = _bare(value)
        if word == "!":
            return None
        try:
            given = Given(shape.option.name, shape.option.argument.read((word,), self.family), shape.negated)
        except ValueError:
            return None
        options = Options((given,))
        if any(shape.extension.check(options, self.family)):
            return None
        return (built(shape.extension, options, self.family),)


def _piece(parts: tuple[Part, ...]) -> _Piece:
    protocol = None
    watchful = []
    for part in parts:
        if isinstance(part, Selector):
            if part.option == "-p" and not part.negated and isinstance(part.value, int):
                protocol = part.value
        elif part.protocols is not None or (
            isinstance(part, Match | Target) and part.extension is not None and part.extension.demand is not None
        ):
            watchful.append(part)
    return _Piece(parts, protocol, tuple(watchful))


def _content(watchful: tuple[Part, ...], protocol: int | None) -> bool:
    """Whether parts that need a protocol have it; one that looks at more of its rule is read word by word."""
    for part in watchful:
        if isinstance(part, Selector) or part.protocols is None or protocol not in part.protocols:
            return False
        if isinstance(part, Match | Target) and part.extension is not None and part.extension.demand is not None:
            return False
    return True


def _in_order(parts: tuple[Part, ...]) -> tuple[Part, ...] | None:
    """Return the parts in canonical order; None where something is given twice, which the reader of words explains."""
    once = [part.rank for part in parts if part.rank != MATCH_RANK]
    return tuple(sorted(parts, key=lambda part: part.rank)) if len(set(once)) == len(once) else None


def _extension(option: str, name: str) -> Extension | None:
    return match_extension(name) if option == "-m" else target_extension(name)


def _hide_quoted_blanks(text: str) -> str | None:
    """Return the text with blanks inside quotes hidden, None where quotes are anything but whole words."""
    if "\\" in text or _HIDDEN_BLANK in text:
        return None
    pieces = text.split('"')
    if len(pieces) % 2 == 0:
        return None
    for index in range(1, len(pieces), 2):
        if pieces[index - 1][-1:] != " " or (pieces[index + 1][:1] or " ") != " ":
            return None
        pieces[index] = pieces[index].replace(" ", _HIDDEN_BLANK)
    return '"'.join(pieces)


def _bare(word: str) -> str:
    return word[1:-1].replace(_HIDDEN_BLANK, " ") if word[:1] == '"' else word


def read_text(text: str, family: int) -> Reading:
    """Read a rule's text word by word, with all that can be wrong with it."""
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
