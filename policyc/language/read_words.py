"""The words of a rule from their texts: the table of what may follow each word, for both ways through a rule line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

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


def _taken(text: str, _start: int, _problems: Problems) -> str:
    """Take a word that the grammar has looked at."""
    return text


def _source_port(text: str, start: int, problems: Problems) -> ServiceValue | Ports | None:
    return (ports if text[0].isdecimal() and "/" not in text else service)(text, start, problems)


class Row(NamedTuple):
    """How a word is made: its class, the reader of its values, whether `not` may stand before them, whether it takes a list.

    A class with `not` takes `negated`, then its values; a list is a tuple.
    """

    kind: Callable[..., w.Word]
    read: Callable[[str, int, Problems], object]
    negatable: bool = False
    single: bool = False


ROWS = {
    "from": Row(w.From, address_value, negatable=True),
    "to": Row(w.To, address_value, negatable=True),
    "in": Row(w.In, interface, negatable=True),
    "out": Row(w.Out, interface, negatable=True),
    "sport": Row(w.Sport, _source_port),
    "published": Row(w.Published, service),
    "state": Row(w.State, state, negatable=True),
    "marked": Row(w.Marked, mark, negatable=True),
    "user": Row(w.User, _account, negatable=True),
    "group": Row(w.Group, _account, negatable=True),
    "during": Row(w.During, name, negatable=True),
    "limit": Row(w.Limit, _limit, single=True),
    "over": Row(w.Over, _limit, single=True),
    "match": Row(w.Match, string, single=True),
    "becomes": Row(w.Becomes, endpoint),
    "hairpin": Row(w.Hairpin, zone),
    "balance": Row(w.Balance, _taken, single=True),
    "ports": Row(w.SourcePorts, _taken, single=True),
    "mark": Row(w.Mark, mark, single=True),
    "log": Row(w.Log, name, single=True),
    "with": Row(w.With, foreign, single=True),
    "as": Row(w.As, name, single=True),
}
"""Every word but `family`, whose value is the list itself."""


def read_word(row: Row, items: Sequence[Item], problems: Problems, span: Span, negated: bool) -> w.Word | None:
    """Read one word of a rule with its items; None when something was reported. `items` has one member for a single."""
    kind, read, negatable, single = row
    if len(items) > 1:
        values = read_all(read, items, problems)
    else:
        text, start = items[0]
        value = read(text, start, problems)
        if single:
            return None if value is None else kind(value, span)
        values = None if value is None else (value,)
    if values is None:
        return None
    return kind(negated, values, span) if negatable else kind(values, span)


def read_families(items: Sequence[Item], problems: Problems, span: Span) -> w.Family | None:
    """Read `family` with its list."""
    found = families(items, problems)
    return None if found is None else w.Family(found, span)


_ORDER = {kind: number for number, kind in enumerate(w.WORDS)}


def in_order(words: Sequence[w.Word | None], problems: Problems) -> tuple[w.Word, ...] | None:
    """Return the words in canonical order; None when one could not be read, or stands twice, which is reported."""
    last = -1
    for word in words:
        if word is None or (number := _ORDER[type(word)]) <= last:
            return _sorted(words, problems)
        last = number
    return tuple(words)  # type: ignore[arg-type]


def _sorted(words: Sequence[w.Word | None], problems: Problems) -> tuple[w.Word, ...] | None:
    found: dict[type[w.Word], w.Word] = {}
    for word in words:
        if word is None:
            return None
        if type(word) in found:
            span = word.span
            hint = "a list goes with one word: `a, b`"
            problems.report("misplaced-word", f"`{word.word}` stands twice", span.start, span.end, hint)
        found[type(word)] = word
    return tuple(found[kind] for kind in sorted(found, key=_ORDER.__getitem__)) if len(found) == len(words) else None
