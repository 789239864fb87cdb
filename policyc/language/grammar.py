"""The grammar of `grammar/policy.lark`, loaded once: LALR tables with one start for each kind of line.

Keywords get a boundary here, so that `from` is no prefix of `fromage`, and win over the text roles that they fit; the
grammar would not be readable with the boundary written at each of them.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from policyc.language.vocabulary import RULE_WORDS

if TYPE_CHECKING:
    from lark import Lark
    from lark.lexer import TerminalDef

STARTS = ("statement", "head", "policy_line", "rule", "docker_line", "test_line", "packet")
BOUNDARY = r"""(?![^\s,;#{}()"'=<>])"""
"""Nothing that a name could go on with."""
TEXT = rf"""(?!(?:{"|".join((*RULE_WORDS, "not"))}){BOUNDARY})(?:[^\s,;#{{}}()"'=<>-]|-(?!>))+"""
"""The grammar's `_TEXT`: one stretch of text that is none of the words by which a rule goes on."""


class Grammar(NamedTuple):
    """The parser, and what its terminals are when they are keywords or punctuation: terminal name to text."""

    parser: Lark
    literals: dict[str, str]


def grammar_text() -> str:
    """Return the text of the grammar: it stands beside this file in a wheel, in `grammar/` in a checkout."""
    here = Path(__file__)
    installed = here.with_name("policy.lark")
    path = installed if installed.exists() else here.parents[2] / "grammar" / "policy.lark"
    return path.read_text(encoding="utf-8")


@cache
def grammar() -> Grammar:
    """Return the parser. It raises `lark.UnexpectedInput` for a line that does not fit its start."""
    from lark import Lark
    from lark.lexer import PatternRE, PatternStr

    literals: dict[str, str] = {}

    def bound(terminal: TerminalDef) -> None:
        if isinstance(terminal.pattern, PatternStr):
            text = terminal.pattern.value
            literals[terminal.name] = text
            if text[-1].isalnum():
                terminal.pattern = PatternRE(re.escape(text) + BOUNDARY)
                terminal.priority = 1

    parser = Lark(
        grammar_text(),
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=False,
        edit_terminals=bound,
    )
    return Grammar(parser, literals)
