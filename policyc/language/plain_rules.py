"""Rule lines read without the grammar: split at their words, each piece read by the table of `read_words`.

A file of 100,000 rules is read this way, in a twentieth of the grammar's time. Whatever does not fit is left to the
grammar, which reads the line or says what is wrong with it; a test demands that both ways agree.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from policyc.language import words as w
from policyc.language.lines import Line
from policyc.language.literals import ServiceValue
from policyc.language.problems import Problems
from policyc.language.read_amounts import mask
from policyc.language.read_rules import rule, verb_with
from policyc.language.read_services import service
from policyc.language.read_words import ROWS, Item, read_all, read_families, read_word
from policyc.language.rules import Comment, Rule, Verb
from policyc.language.vocabulary import RULE_WORDS
from policyc.source import Source, Span

_PIECES = re.compile(rf" +(?=(?:{'|'.join(RULE_WORDS)}) )")
_STOP = frozenset((*RULE_WORDS, "not", ""))
"""What is no item of a list."""
_ALONE = {verb: verb for verb in ("accept", "drop", "reject", "return", "masquerade", "snat", "dnat", "redirect")}
_WITH_ARGUMENT = frozenset(("mark", "helper", "log", "jump"))
_WITH_MASK = frozenset(("save-mark", "restore-mark"))
_MASK = re.compile(r"0x[0-9a-fA-F]+|[0-9]+")
_QUOTED = frozenset(("jump", "match", "user", "group"))
_STRING = re.compile(r""""[^"]*"|'[^']*'""")
_SPELT = {"match": _STRING, "balance": re.compile("random|nth"), "ports": re.compile("kept|random")}
_BLANK = str.maketrans("\t\r\n", "   ")
_ODD = re.compile(r"[()=<>]|[^\S ]")


class _UnfitError(Exception):
    """The grammar must read the line."""


def plain_rule(line: Line, comments: tuple[Comment, ...], problems: Problems) -> Rule | None:
    """Read a rule; None after a report, or without one where the grammar must read the line."""
    before = len(problems.found)
    try:
        return _rule(line, comments, problems)
    except _UnfitError:
        del problems.found[before:]
        return None


def _rule(line: Line, comments: tuple[Comment, ...], problems: Problems) -> Rule | None:
    source, start, end = problems.source, line.start, line.end
    text = source.text[start:end]
    if not line.plain:
        text = _masked(text, line)
    pieces = _PIECES.split(text)
    head, at = pieces[0], start
    otherwise = head.startswith("otherwise")
    if otherwise:
        if head == "otherwise" and len(pieces) > 1:  # `otherwise log edge`
            del pieces[0]
            head = pieces[0]
            at += text.find(head, 9)
        else:
            head, at = _after(head, 9, at)
    verb, services = _head(head, at, line, problems)
    at += len(head)
    words: list[w.Word | None] = []
    for piece in pieces[1:]:
        at = start + text.find(piece, at - start)
        words.append(_word(piece, at, line, problems))
    span = Span(source, start, end)
    return rule(verb, services, words, problems, otherwise=otherwise, comments=comments, span=span)


def _masked(text: str, line: Line) -> str:
    """Return the text with other blanks, comments and what strings hold out of the way, every character at its place."""
    for begin, end in line.comments:
        if begin < line.end:
            at, to = begin - line.start, end - line.start
            text = text[:at] + " " * (to - at) + text[to:]
    text = _STRING.sub(lambda found: found[0][0] + "\0" * (len(found[0]) - 2) + found[0][0], text.translate(_BLANK))
    if _ODD.search(text):
        raise _UnfitError
    return text


def _after(text: str, length: int, at: int) -> tuple[str, int]:
    """Return what follows the first `length` characters and at least one blank, with its offset."""
    rest = text[length:].lstrip(" ")
    if not rest or text[length] != " ":
        raise _UnfitError
    return rest, at + len(text) - len(rest)


def _head(text: str, at: int, line: Line, problems: Problems) -> tuple[Verb | None, tuple[ServiceValue, ...] | None]:
    """Read a verb, its argument and the services after it."""
    word, _, rest = text.partition(" ")
    verb: Verb | None
    if known := _ALONE.get(word):
        verb = Verb(known, None, Span(problems.source, at, at + len(word)))
    elif word in _WITH_ARGUMENT:
        argument, begin = _after(text, len(word), at)
        argument, _, rest = argument.partition(" ")
        if "," in argument:
            raise _UnfitError
        [item] = _items(argument, begin, word, line, problems.source)
        verb = verb_with(word, item, at, problems)
    elif word in _WITH_MASK:
        verb = Verb(word, None, Span(problems.source, at, at + len(word)))
        rest = rest.lstrip(" ")
        bits, _, tail = rest.partition(" ")
        if _MASK.fullmatch(bits):
            begin = at + len(text) - len(rest)
            read = mask(bits, begin, problems)
            verb = Verb(word, read, Span(problems.source, at, begin + len(bits))) if read else None
            rest = tail
    else:
        raise _UnfitError
    rest = rest.lstrip(" ")
    if not rest:
        return verb, ()
    return verb, read_all(service, _items(rest, at + len(text) - len(rest), "", line, problems.source), problems)


def _word(text: str, at: int, line: Line, problems: Problems) -> w.Word | None:
    """Read a word with its values."""
    word, _, rest = text.partition(" ")
    end = at + len(text)
    span = Span(problems.source, at, end)
    rest = rest.lstrip(" ")
    negated = rest.startswith("not ")
    if negated:
        rest = rest[4:].lstrip(" ")
    items = _items(rest, end - len(rest), word, line, problems.source)
    if word == "family":
        if negated:
            raise _UnfitError
        return read_families(items, problems, span)
    row = ROWS[word]
    if negated and not row.negatable:
        raise _UnfitError
    if row.single and (len(items) > 1 or (word in _SPELT and not _SPELT[word].fullmatch(rest))):
        raise _UnfitError
    return read_word(row, items, problems, span, negated)


def _items(text: str, at: int, word: str, line: Line, source: Source) -> Sequence[Item]:
    """Return the items of a list that begins at an offset."""
    if line.plain and "," not in text:
        if " " in text or text in _STOP:
            raise _UnfitError
        return ((text, at),)
    items = []
    for part in text.split(","):
        item = part.strip(" ")
        if " " in item or item in _STOP:
            raise _UnfitError
        items.append(_unmasked(item, at + part.find(item), word, source))
        at += len(part) + 1
    return items


def _unmasked(text: str, at: int, word: str, source: Source) -> Item:
    """Return an item with its offset; of a string the text that it has in the source."""
    if '"' not in text and "'" not in text:
        return text, at
    if word not in _QUOTED or not _STRING.fullmatch(text):
        raise _UnfitError
    return source.text[at : at + len(text)], at
