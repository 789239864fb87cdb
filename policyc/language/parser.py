"""A text to its syntax tree and all of its errors: lines cut, blocks closed, every line read on its own.

A line with an error is reported and left out, the next one is read as if nothing had happened, so that one run shows all
errors of a file. Bad input never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from lark import UnexpectedInput
from lark.utils import TextSlice

from policyc.collector import resting_collector
from policyc.diagnostics import Diagnostic
from policyc.language import tree as t
from policyc.language.build_definitions import DEFINITIONS, definition
from policyc.language.build_packets import packet, test_line
from policyc.language.build_rules import Node, rule_line
from policyc.language.build_statements import docker_line, policy_line, statement
from policyc.language.comments import attach
from policyc.language.grammar import grammar
from policyc.language.heads import Block, head, start_of
from policyc.language.lines import Line, cut
from policyc.language.literals import Name
from policyc.language.packet import Packet, TestLine
from policyc.language.plain_rules import plain_rule
from policyc.language.problems import Problems
from policyc.language.rules import Comment, Rule, RuleLine
from policyc.language.syntax_errors import report_syntax
from policyc.language.vocabulary import KINDS
from policyc.source import Source

T = TypeVar("T")
Comments = tuple[Comment, ...]
_NAMED = re.compile(rf"({'|'.join(KINDS)}|define)[ \t]+([A-Za-z0-9_-]+)(?=[\s=(]|\Z)")


def parse(source: Source) -> tuple[t.File, list[Diagnostic]]:
    """Return the tree of a text and what is wrong with it, in order of place. Statements with errors are not in the tree.

    A definition with an error leaves a `Broken` behind, so that the uses of its name are not errors too.
    """
    with resting_collector(keep=True):
        parser = _Parser(source)
        file = parser.file()
        return file, sorted(parser.problems.found, key=lambda found: found.sort_key)


def parse_packet(source: Source, *, wide: bool = False) -> tuple[Packet | None, list[Diagnostic]]:
    """Return the packet that a text of one line describes, as `explain` takes it, and what is wrong with it.

    `wide`: it describes many, so that its ends may be networks, ranges and port ranges.
    """
    problems = Problems(source)
    lines = cut(problems)
    if len(lines) != 1 or lines[0].close not in {"", "\n"}:
        hint = "write `tcp 203.0.113.9 -> 198.51.100.1:443 in eth0`"
        problems.report("syntax-error", "expected one packet", 0, len(source.text), hint)
        return None, problems.found
    node = _tree("packet", lines[0], problems)
    found = packet(node, problems, wide=wide) if node else None
    return (None if problems.found else found), problems.found


def _tree(start: str, line: Line, problems: Problems) -> Node | None:
    """Return the parse tree of a line; None after a report, and for a line that has one already."""
    if not line.sound:
        return None
    text = TextSlice(problems.source.text, line.start, line.end)
    try:
        return grammar().parser.parse(text, start=start)
    except UnexpectedInput as error:
        report_syntax(error, start, line.start, line.end, problems)
        return None


class _Parser:
    """The state of one file: where we are in its lines."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems = Problems(source)
        self.lines, self.comments = attach(cut(self.problems), source)
        self.at = 0

    def file(self) -> t.File:
        """Read all statements."""
        statements: list[t.Statement] = []
        while self.at < len(self.lines):
            line, comments = self.lines[self.at]
            self.at += 1
            found: t.Statement | None = None
            if line.close == "}":
                hint = "no block is open here"
                self.problems.report("syntax-error", "a `}` closes nothing", line.start, line.end, hint)
                continue
            self._after_brace(line)
            found = self._block(line, comments) if line.close == "{" else self._statement(line, comments)
            if found is None:
                found = self._broken(line, comments)
            if found is not None:
                statements.append(found)
        return t.File(self.source, tuple(statements), self.comments)

    def _after_brace(self, line: Line) -> None:
        """Report a statement on the line of the `}` before it."""
        if self.at > 1 and (last := self.lines[self.at - 2][0]).close == "}":
            between = self.source.text[last.end : line.start]
            if "\n" not in between and ";" not in between:
                message = "a statement begins on the line of the `}` before it"
                self.problems.report("syntax-error", message, line.start, line.end, "begin a new line, or write `;`")

    def _statement(self, line: Line, comments: Comments) -> t.Statement | None:
        node = _tree("statement", line, self.problems)
        if node is None:
            return None
        build: Callable[[Node, Comments, Problems], t.Statement | None]
        build = definition if node.data in DEFINITIONS else statement
        return build(node, comments, self.problems)

    def _broken(self, line: Line, comments: Comments) -> t.Broken | None:
        """Return the name of a definition that could not be read."""
        match = _NAMED.match(self.source.text, line.start, line.end)
        if not match:
            return None
        name = Name(match[2], self.source.span(match.start(2), match.end(2)))
        return t.Broken(match[1], name, comments, self.source.span(line.start, line.end))

    def _block(self, line: Line, comments: Comments) -> t.Statement | None:
        """Read a block to its `}`; its lines are read for their errors even where its head is wrong."""
        node = _tree("head", line, self.problems)
        start = start_of(self.source.text[line.start : line.end])
        block = Block(line.start, line.end, comments)
        match start:
            case "rule":
                rules: list[RuleLine] = self._inside(block, self._rule)
                self._otherwise_ends(rules)
                return head(node, block, self.problems, rules=rules)
            case "policy_line":
                policy: list[t.PolicyLine] = self._inside(block, self._reader(start, policy_line))
                self._each_once(policy)
                return head(node, block, self.problems, policy=policy)
            case "docker_line":
                docker: list[t.DockerLine] = self._inside(block, self._reader(start, docker_line))
                return head(node, block, self.problems, docker=docker)
            case "test_line":
                tests: list[TestLine] = self._inside(block, self._reader(start, test_line))
                return head(node, block, self.problems, tests=tests)
            case _:
                self._inside(block, lambda _line, _own: None)
                return None

    def _inside(self, block: Block, read: Callable[[Line, Comments], T | None]) -> list[T]:
        """Read the lines of a block up to its `}`, which is taken; a lost `}` is reported."""
        found: list[T] = []
        lines = self.lines
        while self.at < len(lines):
            line, comments = lines[self.at]
            if line.close == "}":
                self.at += 1
                block.close(line, comments)
                return found
            if line.close == "{":
                if start_of(self.source.text[line.start : line.end], near=False):
                    break
                self._nested(line)
                continue
            self.at += 1
            item = read(line, comments)
            if item is not None:
                found.append(item)
        message = "the block is not closed"
        self.problems.report("syntax-error", message, block.start, block.head_end, "its `}` is missing")
        return found

    def _nested(self, line: Line) -> None:
        """Report a `{` in a block that begins no other one, and pass over what it holds."""
        message = "no block may stand here"
        self.problems.report("syntax-error", message, line.start, line.end, "a line of a block ends without `{`")
        depth = 0
        while self.at < len(self.lines):
            close = self.lines[self.at][0].close
            depth += (close == "{") - (close == "}")
            self.at += 1
            if depth == 0:
                return

    def _reader(
        self, start: str, build: Callable[[Node, Comments, Problems], T]
    ) -> Callable[[Line, Comments], T | None]:
        """Return what reads one line by a start of the grammar and builds its node."""

        def read(line: Line, comments: Comments) -> T | None:
            node = _tree(start, line, self.problems)
            return None if node is None else build(node, comments, self.problems)

        return read

    def _rule(self, line: Line, comments: Comments) -> RuleLine | None:
        problems = self.problems
        before = len(problems.found)
        if line.sound and (rule := plain_rule(line, comments, problems)):
            return rule
        if len(problems.found) > before:
            return None
        node = _tree("rule", line, problems)
        return None if node is None else rule_line(node, comments, problems)

    def _otherwise_ends(self, rules: list[RuleLine]) -> None:
        for rule in rules[:-1]:
            if isinstance(rule, Rule) and rule.otherwise:
                message = "`otherwise` ends a block, but rules follow it"
                hint = "move it to the end: it takes every packet that is left"
                self.problems.report("misplaced-word", message, rule.span.start, rule.span.end, hint)

    def _each_once(self, lines: list[t.PolicyLine]) -> None:
        seen: set[type[t.PolicyLine]] = set()
        for line in lines:
            if type(line) in seen:
                word = line.span.text.split()[0]
                self.problems.report("misplaced-word", f"`{word}` stands twice", line.span.start, line.span.end)
            seen.add(type(line))
