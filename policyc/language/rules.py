"""Rules, calls and what precedes them: the lines of a `TABLE A -> B { }` block, of an intent and of a `define`.

A rule is `VERB services words`; its words stand here in canonical order, however they were written.
"""

from __future__ import annotations

from dataclasses import field
from typing import TypeVar

from policyc.frozen import frozen
from policyc.language import words as w
from policyc.language.literals import MarkValue, Mask, Name, ServiceValue, String, Value
from policyc.source import Span


@frozen
class Comment:
    """A comment's text without `#` and outer blanks."""

    text: str
    span: Span = field(compare=False, repr=False)


@frozen
class Verb:
    """What a rule does, and its argument.

    `mark` has a Name or MarkValue, `save-mark` and `restore-mark` a Mask or None (all bits), `helper` and `log` a Name,
    `jump` a Name (a foreign chain) or a String (target text as iptables spells it). The others have None.
    """

    name: str
    argument: Name | MarkValue | Mask | String | None
    span: Span = field(compare=False, repr=False)


WordT = TypeVar("WordT", bound=w.Word)


@frozen
class Rule:
    """One rule; `otherwise` makes it the block's last, without match words.

    `comments` stand right above it (top to bottom) and then beside it; joined they are the rule's description.
    """

    verb: Verb
    services: tuple[ServiceValue, ...]
    words: tuple[w.Word, ...]
    otherwise: bool
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)

    def find(self, kind: type[WordT]) -> WordT | None:
        """Return the word of that class, None where the rule does not have it."""
        return w.find(self.words, kind)


@frozen
class Use:
    """`use baseline`, `use mail(web, (a, b))`: a preset or a `define` put here; each argument is a list of values."""

    name: Name
    arguments: tuple[tuple[Value, ...], ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


RuleLine = Rule | Use


@frozen
class Pair:
    """`A -> B`: zones, `self` or `any` on both sides; lists are every combination."""

    sources: tuple[Name, ...]
    targets: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)
