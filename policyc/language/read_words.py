"""The words of a rule from their texts: the table of what may follow each word, for both ways through a rule line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from policyc.language import words as w
from policyc.language.literals import Name, Number, NumberRange, Ports, ServiceValue, String
from policyc.language.problems import Problems, one_of, suggestion
from policyc.language.read_addresses import address_value, endpoint, interface
from policyc.language.read_amounts import account, mark
from policyc.language.read_names import foreign, name, string, zone
from policyc.language.read_services import ports, service
from policyc.language.vocabulary import FAMILIES, STATES
from policyc.source import Span

Item = tuple[str, int]
"""A text and the offset where it begins."""
T = TypeVar("T")


def read_all(
    read: Callable[[str, int, Problems], T | None], items: Sequence[Item], problems: Problems
) -> tuple[T, ...] | None:
    """Read a list; None when one of its items is wrong, after all of them were read."""
    if len(items) == 1:
        value = read(*items[0], problems)
        return None if value is None else (value,)
    values = [read(text, start, problems) for text, start in items]
    good = tuple(value for value in values if value is not None)
    return good if len(good) == len(values) else None


def families(items: Sequence[Item], problems: Problems) -> tuple[int, ...] | None:
    """Read the families after `family`: 4 and 6, ascending."""
    found = set()
    for text, start in items:
        if text in FAMILIES:
            found.add(FAMILIES[text])
            continue
        hint = {"ipv4": "write `ip`", "ip4": "write `ip`", "ipv6": "write `ip6`"}.get(text, f"write {one_of(FAMILIES)}")
        problems.report("bad-literal", f"`{text}` is not a family", start, start + len(text), hint)
    return tuple(sorted(found)) if found.issuperset(FAMILIES.get(text, 0) for text, _ in items) else None


def state(text: str, start: int, problems: Problems) -> Name | None:
    """Read a connection state in any case; it is kept in lower case."""
    if text.lower() in STATES:
        return Name(text.lower(), Span(problems.source, start, start + len(text)))
    hint = suggestion(text, STATES) or f"the states are {one_of(STATES)}"
    problems.report("bad-literal", f"`{text}` is not a connection state", start, start + len(text), hint)
    return None


def _limit(text: str, start: int, problems: Problems) -> Name | None:
    """Read the name of a limit; a rate may stand in a definition only."""
    if not text[0].isdecimal():
        return name(text, start, problems)
    hint = f"define it, `limit few = {text}`, and write `limit few` here"
    problems.report("bad-literal", f"`{text}` is not the name of a limit", start, start + len(text), hint)
    return None


def _account(text: str, start: int, problems: Problems) -> Name | Number | NumberRange | String | None:
    return (string if text[0] in "\"'" else account)(text, start, problems)


def _source_port(text: str, start: int, problems: Problems) -> ServiceValue | Ports | None:
    return (ports if text[0].isdecimal() and "/" not in text else service)(text, start, problems)


_Reader = Callable[[str, int, Problems], object]

_NEGATABLE: dict[str, tuple[Callable[..., w.Word], _Reader]] = {
    "from": (w.From, address_value),
    "to": (w.To, address_value),
    "in": (w.In, interface),
    "out": (w.Out, interface),
    "state": (w.State, state),
    "marked": (w.Marked, mark),
    "user": (w.User, _account),
    "group": (w.Group, _account),
    "during": (w.During, name),
}
_LISTS: dict[str, tuple[Callable[..., w.Word], _Reader]] = {
    "sport": (w.Sport, _source_port),
    "published": (w.Published, service),
    "becomes": (w.Becomes, endpoint),
    "hairpin": (w.Hairpin, zone),
}
_SINGLES: dict[str, tuple[Callable[..., w.Word], _Reader]] = {
    "limit": (w.Limit, _limit),
    "over": (w.Over, _limit),
    "match": (w.Match, string),
    "mark": (w.Mark, mark),
    "log": (w.Log, name),
    "with": (w.With, foreign),
    "as": (w.As, name),
}

NEGATABLE = tuple(_NEGATABLE)
SINGLE = frozenset((*_SINGLES, "balance"))


_ORDER = {kind: number for number, kind in enumerate(w.WORDS)}


def in_order(words: Sequence[w.Word | None], problems: Problems) -> tuple[w.Word, ...] | None:
    """Return the words in canonical order; None when one could not be read, or stands twice, which is reported."""
    if len(words) < 2:
        return None if None in words else tuple(words)  # type: ignore[arg-type]
    found: dict[type[w.Word], w.Word] = {}
    for word in words:
        if word is None:
            return None
        if type(word) in found:
            span = word.span
            hint = "a list goes with one word: `a, b`"
            problems.report("misplaced-word", f"`{word.word}` stands twice", span.start, span.end, hint)
        found[type(word)] = word
    if len(found) < len(words):
        return None
    return tuple(found[kind] for kind in sorted(found, key=_ORDER.__getitem__))


def read_word(
    word: str, items: Sequence[Item], problems: Problems, span: Span, *, negated: bool = False
) -> w.Word | None:
    """Read one word of a rule with its items; None when something was reported. `items` has one member for a single."""
    if row := _NEGATABLE.get(word):
        values = read_all(row[1], items, problems)
        return None if values is None else row[0](negated, values, span)
    if row := _LISTS.get(word):
        values = read_all(row[1], items, problems)
        return None if values is None else row[0](values, span)
    text, start = items[0]
    if row := _SINGLES.get(word):
        value: Any = row[1](text, start, problems)
        return None if value is None else row[0](value, span)
    if word == "family":
        found = families(items, problems)
        return None if found is None else w.Family(found, span)
    return w.Balance(text, span)
