"""What reading a rule passes on: words with their places, problems, and the rules that came out. Values of `readers`."""

from __future__ import annotations

from typing import NamedTuple

from policyc.frozen import frozen
from policyc.netfilter.parts import Part


class Word(NamedTuple):
    """A word and where it stands: offsets in its line, end not included."""

    text: str
    start: int
    end: int


@frozen
class Problem:
    """What is wrong with a rule, from offset `start` to `end` of its line; `code` names the diagnostic."""

    message: str
    start: int
    end: int
    code: str = "unreadable-line"
    help: str = ""


@frozen
class Reading:
    """A rule's words understood: one or more rules (lists of addresses multiply), or problems; `spelled` are old spellings."""

    rules: tuple[tuple[Part, ...], ...] = ()
    problems: tuple[Problem, ...] = ()
    spelled: tuple[Problem, ...] = ()
    counters: tuple[int, int] | None = None
