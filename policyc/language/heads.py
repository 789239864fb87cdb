"""Parse trees of block heads to blocks: the line that begins a block, joined with the lines that were read inside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policyc.language import tree as t
from policyc.language.build_rules import Node, item, items, pair, part, parts, place, tokens
from policyc.language.lines import Line
from policyc.language.packet import TestBlock, TestLine
from policyc.language.problems import Problems, suggestion
from policyc.language.read_names import name, string
from policyc.language.rules import Comment, RuleLine
from policyc.language.vocabulary import TABLES

_START_OF = {
    **dict.fromkeys((*TABLES, "define"), "rule"),
    "policy": "policy_line",
    "docker": "docker_line",
    "test": "test_line",
}
_FIRST_WORD = re.compile(r"[\w-]+")
_NEAR = re.compile(r"did you mean `(.*)`")


def start_of(text: str, *, near: bool = True) -> str | None:
    """Return which start of the grammar reads the lines of a block with that head; `near` allows a mistyped word."""
    word = _FIRST_WORD.match(text)
    if not word:
        return None
    guess = _NEAR.match(suggestion(word[0], _START_OF)) if near and word[0] not in _START_OF else None
    return _START_OF.get(guess[1] if guess else word[0])


@dataclass(slots=True)
class Block:
    """Where a block stands: its head's offsets, its end, and its comments: above, beside the head, beside the `}`."""

    start: int
    head_end: int
    comments: tuple[Comment, ...]
    end: int = 0

    def close(self, line: Line, comments: tuple[Comment, ...]) -> None:
        """Take the line of the `}`."""
        self.end = line.end
        self.comments += comments


def head(
    node: Node | None,
    block: Block,
    problems: Problems,
    *,
    rules: Sequence[RuleLine] = (),
    policy: Sequence[t.PolicyLine] = (),
    docker: Sequence[t.DockerLine] = (),
    tests: Sequence[TestLine] = (),
) -> t.Statement | None:
    """Build the block of a head and the lines inside it; None when something was reported about the head."""
    if node is None:
        return None
    span = problems.source.span(block.start, block.end or block.head_end)
    comments = block.comments
    head_span = place(node, problems)
    if node.data == "docker_head":
        return t.DockerBlock(tuple(docker), comments, head_span, span)
    if node.data == "rules_head":
        table, pair_node = part(node, "table"), part(node, "pair")
        assert table, "the grammar gives a block of rules a table"
        assert pair_node, "the grammar gives a block of rules a pair"
        sides = pair(pair_node, problems)
        if sides is None:
            return None
        return t.RuleBlock(str(tokens(table)[0]), sides, tuple(rules), comments, head_span, span)
    if node.data == "test_head":
        title = string(*items(node)[0], problems)
        return None if title is None else TestBlock(title, tuple(tests), comments, head_span, span)
    called = name(*item(tokens(node)[0]), problems)
    if called is None:
        return None
    if node.data == "policy_head":
        return t.PolicyBlock(called, tuple(policy), comments, head_span, span)
    parameters = _parameters(node, problems)
    return None if parameters is None else t.Define(called, parameters, tuple(rules), comments, head_span, span)


def _parameters(node: Node, problems: Problems) -> tuple[t.Parameter, ...] | None:
    listed = part(node, "parameters")
    found: dict[str, t.Parameter] = {}
    before = len(problems)
    for child in parts(listed, "parameter") if listed else ():
        text, start = items(child)[0]
        kind = part(child, "kind")
        assert kind, "the grammar gives every parameter a kind"
        called = name(text.rstrip(": \t"), start, problems)
        if called is None:
            continue
        if called.text in found:
            message = f"the parameter `{called.text}` stands twice"
            problems.report("duplicate-name", message, start, start + len(called.text))
        found[called.text] = t.Parameter(called, str(tokens(kind)[0]), place(child, problems))
    return tuple(found.values()) if len(problems) == before else None
