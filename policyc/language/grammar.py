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

TABLES = Path(__file__).with_name("grammar.tables")
"""Where the build of a wheel leaves the finished tables; a checkout that was never installed has none."""

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
    """Return the parser. It raises `lark.UnexpectedInput` for a line that does not fit its start.

    Building the tables costs more than a small check; an installed policyc has them beside this file.
    """
    from policyc.language.tables import read_tables

    return read_tables(TABLES, grammar_text()) or built_grammar()


def built_grammar() -> Grammar:
    """Return the parser built from the grammar's text."""
    from lark import Lark

    parser = Lark(
        grammar_text(),
        parser="lalr",
        start=list(STARTS),
        propagate_positions=True,
        maybe_placeholders=False,
        edit_terminals=bind_keyword,
    )
    literals = {terminal.name: text for terminal in parser.terminals if (text := _literal(terminal)) is not None}
    return Grammar(parser, literals)


def bind_keyword(terminal: TerminalDef) -> None:
    """Give a keyword its boundary and let it win over the text roles that it fits; its text stays as the pattern's `raw`."""
    from lark.lexer import PatternRE, PatternStr

    if isinstance(terminal.pattern, PatternStr) and terminal.pattern.value[-1].isalnum():
        text = terminal.pattern.value
        terminal.pattern = PatternRE(re.escape(text) + BOUNDARY, raw=text)
        terminal.priority = 1


def _literal(terminal: TerminalDef) -> str | None:
    """Return the text of a keyword or of punctuation, None for a terminal that fits many texts."""
    from lark.lexer import PatternStr

    pattern = terminal.pattern
    if isinstance(pattern, PatternStr):
        return str(pattern.value)
    return pattern.raw if pattern.raw is not None and pattern.value == re.escape(pattern.raw) + BOUNDARY else None
