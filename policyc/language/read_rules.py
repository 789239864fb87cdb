"""A rule from its parts: what both ways through a rule line have in common. What the words mean stands in `read_words`."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.language import words as w
from policyc.language.literals import MarkValue, Name, ServiceValue, String
from policyc.language.problems import Problems
from policyc.language.read_amounts import mark
from policyc.language.read_names import foreign, name, string
from policyc.language.read_words import Item, in_order
from policyc.language.rules import Comment, Rule, Verb
from policyc.source import Span


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
