"""Text of the user for iptables, `match "…"` and `jump "NFQUEUE …"`, read in the context of its rule.

Words are quoted as in a shell, by `"` or `'`, whichever the policy's string leaves free. What is wrong is reported at its
place inside the string.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policyc.lowering.draft import Draft
from policyc.lowering.pieces import Parts
from policyc.netfilter.parts import TARGET_RANK, Part, Selector, jump
from policyc.policy.model import Jump, Text
from policyc.readers.building import rule_problems
from policyc.readers.reading import Problem, Word
from policyc.readers.words import read_rule
from policyc.source import Span


def match_text(draft: Draft, family: int, text: Text, protocols: Sequence[Parts]) -> list[Parts]:
    """Return the alternatives of match options; none after a report."""
    found = _read(draft, family, text, protocols)
    if any(part.rank == TARGET_RANK for parts in found for part in parts):
        message = "the text after `match` has a target"
        draft.report("bad-literal", message, text.span, help='what the packet goes to is the verb: `jump "…"`')
        return []
    return found


def jump_target(draft: Draft, family: int, to: Jump, protocols: Sequence[Parts]) -> Parts:
    """Return the target of a `jump`; none after a report."""
    if not to.target:
        return (jump(to.text),)
    named = not to.text.lstrip().startswith("-")
    found = _read(draft, family, to, protocols) if named else []
    if not named or len(found) > 1 or any(part.rank != TARGET_RANK for parts in found for part in parts):
        message = "the text after `jump` is a target and its options, as they stand after `-j`"
        draft.report("bad-literal", message, to.span, help='what packets are meant is said by `match "…"`')
        return ()
    return found[0] if found else ()


def _read(draft: Draft, family: int, given: Text | Jump, protocols: Sequence[Parts]) -> list[Parts]:
    """Return the rules that a text makes, without the `-p` that its rule has anyway."""
    text, span = given.text, given.span
    shift = 1 if span.text[:1] in {'"', "'"} else 0

    def report(problems: Sequence[Problem]) -> None:
        for problem in problems:
            place = span
            if shift and problem.end:
                place = Span(span.source, span.start + shift + problem.start, span.start + shift + problem.end)
            draft.report("bad-literal", problem.message, place, help=problem.help)

    words, problem = _words(text)
    if problem or not words:
        report([problem or Problem("the text is empty", 0, len(text))])
        return []
    known: list[Part] = [part for part in protocols[0] if isinstance(part, Selector)] if len(protocols) == 1 else []
    said = [Word(word, 0, 0) for part in known for word in part.text.split()]
    if isinstance(given, Jump):
        said.append(Word("-j", 0, 0))
    reading = read_rule([*said, *words], family)
    if reading.problems:
        report(reading.problems)
        return []
    for parts in reading.rules:
        messages = rule_problems(parts, family)
        report([Problem(message, 0, len(text)) for message in messages])
        if messages:
            return []
    return [tuple(part for part in parts if part not in known) for parts in reading.rules]


def _words(text: str) -> tuple[list[Word], Problem | None]:
    """Return the words of a text with their offsets, or what is wrong with its quotes."""
    words: list[Word] = []
    for word in _split(text):
        if isinstance(word, Problem):
            return [], word
        words.append(word)
    return words, None


def _split(text: str) -> Iterator[Word | Problem]:
    at, length = 0, len(text)
    while at < length:
        if text[at].isspace():
            at += 1
            continue
        start, word = at, ""
        while at < length and not text[at].isspace():
            quote = text[at]
            if quote in "\"'":
                end = text.find(quote, at + 1)
                if end < 0:
                    yield Problem(f"a quote {quote} is opened and not closed", at, length)
                    return
                word += text[at + 1 : end]
                at = end + 1
            else:
                word += quote
                at += 1
        yield Word(word, start, at)
