"""Rule lines read without the grammar: a regular expression for the verb, one for each word, in any order.

A file of 100,000 rules is read this way. Whatever does not fit is left to the grammar, which reads the line or says
what is wrong with it; a test demands that both ways agree. What the words mean stands in `read_words`, for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from policyc.language import words as w
from policyc.language.grammar import TEXT
from policyc.language.literals import MarkValue, Name, ServiceValue, String
from policyc.language.problems import Problems
from policyc.language.read_amounts import mark
from policyc.language.read_names import foreign, name, string
from policyc.language.read_services import service
from policyc.language.read_words import NEGATABLE, SINGLE, Item, in_order, read_all, read_word
from policyc.language.rules import Comment, Rule, Verb
from policyc.language.vocabulary import RULE_WORDS
from policyc.source import Span

_LIST = rf"{TEXT}(?:[ \t]*,[ \t]*{TEXT})*"
_STRING = r""""[^"\n]*"|'[^'\n]*'"""
_HEAD = re.compile(
    r"(otherwise[ \t]+)?"
    r"(?:(accept|drop|reject|return|masquerade|snat|dnat|redirect)"
    rf"|(mark|helper|log|jump)[ \t]+({TEXT}|{_STRING}))"
    rf"(?:[ \t]+({_LIST}))?(?=[ \t]|\Z)",
)
_WORD = re.compile(rf"[ \t]+({'|'.join(RULE_WORDS)})[ \t]+(not[ \t]+)?({_LIST}|{_STRING})(?=[ \t]|\Z)")
_ITEM = re.compile(r"[^,\s]+")


def plain_rule(start: int, end: int, comments: tuple[Comment, ...], problems: Problems) -> Rule | None:
    """Read the rule between two offsets; None after a report, or without one where the grammar must read the line."""
    source, found = problems.source, problems.found
    text = source.text
    head = _HEAD.match(text, start, end)
    if not head:
        return None
    otherwise, plain, with_argument, argument, services_text = head.groups()
    before = len(found)
    verb: Verb | None
    if plain:
        verb = Verb(plain, None, Span(source, head.start(2), head.end(2)))
    elif argument[0] in "\"'" and with_argument != "jump":
        return None
    else:
        verb = verb_with(with_argument, (argument, head.start(4)), head.start(3), problems)
    services: tuple[ServiceValue, ...] | None = ()
    if services_text:
        services = read_all(service, _items(services_text, head.start(5)), problems)
    words: list[w.Word | None] = []
    position = head.end()
    while position < end:
        match = _WORD.match(text, position, end)
        if not match or not _fits(*match.groups()):
            del found[before:]
            return None
        word, negation, values = match.groups()
        at = match.start(3)
        items = [(values, at)] if word == "match" else _items(values, at)
        position = match.end()
        span = Span(source, match.start(1), position)
        words.append(read_word(word, items, problems, span, negated=negation is not None))
    if len(found) > before:
        return None
    span = Span(source, start, end)
    return rule(verb, services, words, problems, otherwise=otherwise is not None, comments=comments, span=span)


def _fits(word: str, negation: str | None, values: str) -> bool:
    """Whether the grammar would take these values after that word; what is rare is left to it."""
    if values[0] in "\"'":
        return word == "match" and not negation
    if negation and word not in NEGATABLE:
        return False
    return word not in SINGLE or (word not in {"match", "balance"} and "," not in values)


def _items(text: str, start: int) -> list[Item]:
    if "," not in text:
        return [(text, start)]
    return [(item[0], start + item.start()) for item in _ITEM.finditer(text)]


def rule(
    verb: Verb | None,
    services: tuple[ServiceValue, ...] | None,
    words: Sequence[w.Word | None],
    problems: Problems,
    *,
    otherwise: bool,
    comments: tuple[Comment, ...],
    span: Span,
) -> Rule | None:
    """Put a rule together from its parts; None when one of them is missing or stands where it must not."""
    ordered = in_order(words, problems)
    if verb is None or services is None or ordered is None:
        return None
    if otherwise and (services or any(word.word in w.MATCHES for word in ordered)):
        message = "`otherwise` takes every packet that is left: no services and no match may follow it"
        hint = f"leave `otherwise` out, or end the block with `otherwise {verb.name}`"
        problems.report("misplaced-word", message, span.start, span.end, hint)
        return None
    return Rule(verb, services, ordered, otherwise, comments, span)


def verb_with(word: str, argument: Item, start: int, problems: Problems) -> Verb | None:
    """Read a verb that has an argument: mark, helper, log or jump."""
    text, at = argument
    read: Name | MarkValue | String | None
    if text[0] in "\"'":
        read = string(text, at, problems)
    elif word == "mark":
        read = mark(text, at, problems)
    elif word == "log":
        read = name(text, at, problems)
    else:
        read = foreign(text, at, problems)
    return None if read is None else Verb(word, read, Span(problems.source, start, at + len(text)))
