"""One set of findings in every format, and one dump in every drawing: what people and other programs read, byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyc import api
from policyc.diagnostics import Diagnostic, Place, Related, diagnose
from policyc.report.answer import Answer
from policyc.report.chain_graph import table_graphs
from policyc.report.formats import FORMATS, render
from policyc.report.graph_dot import graph_dot
from policyc.report.graph_mermaid import graph_mermaid
from policyc.report.graph_svg import graph_svg
from policyc.report.graph_text import graph_text
from policyc.report.show import show_json, show_text
from policyc.report.style import Style
from policyc.source import Source, Span

HERE = Path(__file__).parent

EDGE = Source(
    "edge.pol",
    "zone wan = interface eth0\n"
    "filter wan -> self {\n"
    "\taccept ssh from 203.0.113.0/24   # 日本\n"
    "\n"
    "  otherwise drop\n"
    "  accept https from \x1b[31mred\x1b[0m, 日本 as caf\udce9\n"
    "}\n",
)
COMMON = Source("lib/common.pol", "address red = 192.0.2.1\n")
LONG = Source("long.rules", "-A INPUT " + "-m comment --comment x " * 9 + "-j NOWHERE " + "# " * 40 + "\n")


def place(source: Source, text: str) -> Span:
    start = source.text.index(text)
    return source.span(start, start + len(text))


def findings() -> tuple[Diagnostic, ...]:
    return (
        diagnose("syntax-error", "expected a verb", Source("empty.pol", "").span(0, 0), help="write a rule"),
        diagnose(
            "rule-after-terminal",
            "`accept https` stands behind a rule that takes every packet",
            place(EDGE, "accept https from \x1b[31mred\x1b[0m, 日本"),
            label="no packet comes here",
            place=Place(6, "filter", "edge.wan.self", 3),
            related=(
                Related("takes every packet", place(EDGE, "otherwise drop"), Place(6, "filter", "edge.wan.self", 2)),
                Related("is defined here", place(COMMON, "red")),
                Related("takes none", place(EDGE, "203.0.113.0/24")),
                Related("jumps here", None, Place(4, "filter", "INPUT", 1)),
            ),
            help="move the rule up\nor delete it",
        ),
        diagnose("undefined-chain", "`NOWHERE` is no chain, 100% sure: a,b\nc", place(LONG, "NOWHERE"), label="here"),
        diagnose("bad-literal", "an endless block", EDGE.span(EDGE.text.index("filter"), len(EDGE.text) - 1)),
        diagnose("guessed-family", 'nothing says <which> family "this" is & why'),
    )  # fmt: skip


def answer() -> Answer:
    exactness = {"rules": 12, "exact": 10, "opaque": 2, "nondeterministic": 0}
    return Answer(findings(), ("empty.pol", "edge.pol", "long.rules", "quiet.pol"), exactness)


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_of_the_same_findings(name, golden) -> None:
    text = render(name, answer())
    assert "\x1b" not in text
    golden(HERE / f"findings.{name}", text.encode("utf-8", "strict").decode())


def test_a_terminal_without_unicode_but_with_colours(golden) -> None:
    text = render("full", answer(), Style(colour=True, ascii_only=True))
    assert text.isascii()
    golden(HERE / "findings.full-ascii-colour", text.replace("\x1b", "<ESC>"))


@pytest.mark.parametrize("name", FORMATS)
def test_no_findings(name, golden) -> None:
    golden(HERE / f"nothing.{name}", render(name, Answer((), ("quiet.pol",), {"rules": 1, "exact": 1})))


DRAWINGS = {
    "text": graph_text,
    "dot": graph_dot,
    "mermaid": graph_mermaid,
    "svg": graph_svg,
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_each_drawing_of_the_same_chains(name, golden) -> None:
    graphs = table_graphs(api.load(HERE / "chains.rules", name="chains.rules"))
    golden(HERE / f"chains.{name}", DRAWINGS[name](graphs))


def test_what_show_prints_of_a_dump(golden) -> None:
    ruleset = api.load(HERE / "chains.rules", name="chains.rules")
    golden(HERE / "chains.show", show_text(ruleset))
    golden(HERE / "chains.show-json", show_json(ruleset))
