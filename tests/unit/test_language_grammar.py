"""The grammar and the Python tables beside it say the same."""

from __future__ import annotations

import re

import pytest

from policyc.language.grammar import STARTS, TEXT, grammar, grammar_text
from policyc.language.syntax_errors import _ROLES
from policyc.language.vocabulary import BLOCKS, ENGINE_WORDS, INTENTS, KINDS, RESERVED, RULE_WORDS, TABLES, VERBS


def test_the_short_way_splits_text_as_the_grammar_does() -> None:
    [pattern] = re.findall(r"^_TEXT: /(.*)/$", grammar_text(), re.MULTILINE)
    assert pattern == TEXT


def test_every_role_has_words_for_error_messages() -> None:
    roles = set(re.findall(r"^([A-Z_]+)(?:\.\d)?: ", grammar_text(), re.MULTILINE))
    unnamed = {"_COMMA", "_TEXT", "CONNECTIONS", "OTHERWISE"}
    assert roles - unnamed == set(_ROLES)


@pytest.mark.parametrize("words", [KINDS, TABLES, INTENTS, BLOCKS, VERBS, RULE_WORDS, ENGINE_WORDS])
def test_every_word_of_the_vocabulary_is_a_keyword(words: tuple[str, ...]) -> None:
    assert set(words) <= set(grammar().literals.values())


def test_words_that_begin_statements_and_rules_are_reserved() -> None:
    assert {*KINDS, *TABLES, *INTENTS, *BLOCKS, *VERBS, *RULE_WORDS} <= RESERVED


@pytest.mark.parametrize("start", STARTS)
def test_every_start_reads_something(start: str) -> None:
    texts = {
        "statement": "clamp mss on wan",
        "head": "docker",
        "policy_line": "place last",
        "rule": "drop",
        "docker_line": "engine 28",
        "test_line": "never a -> b",
        "packet": "10.0.0.1 -> self",
    }
    assert grammar().parser.parse(texts[start], start=start)


def test_a_keyword_is_no_prefix() -> None:
    tree = grammar().parser.parse("accept fromage from tomato to inside", start="rule")
    assert [str(token) for token in tree.scan_values(lambda _: True)] == [
        "accept",
        "fromage",
        "from",
        "tomato",
        "to",
        "inside",
    ]
