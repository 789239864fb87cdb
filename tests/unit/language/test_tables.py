"""The grammar's tables in a file: the same parser, and left aside when they belong to another grammar."""

from __future__ import annotations

from pathlib import Path

from policyc.language.grammar import built_grammar, grammar_text
from policyc.language.tables import read_tables, write_tables


def test_the_tables_are_the_grammar(tmp_path: Path) -> None:
    path = tmp_path / "tables"
    write_tables(path)
    read = read_tables(path, grammar_text())
    assert read is not None
    built = built_grammar()
    assert read.literals == built.literals
    line = "accept ssh from 10.0.0.0/8 as here"
    assert read.parser.parse(line, start="rule") == built.parser.parse(line, start="rule")


def test_tables_of_another_grammar_are_left_aside(tmp_path: Path) -> None:
    path = tmp_path / "tables"
    write_tables(path)
    assert read_tables(path, grammar_text() + "\n") is None
    path.write_bytes(b"no pickle")
    assert read_tables(path, grammar_text()) is None
    assert read_tables(tmp_path / "missing", grammar_text()) is None
