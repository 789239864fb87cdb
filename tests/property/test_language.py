"""What holds of every policy: it reads and prints to itself, both ways through a rule agree, no text makes a traceback."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lark.utils import TextSlice
from policies import VERBS, policies, rules

from policyc.language.build_rules import rule_line
from policyc.language.format import format_text
from policyc.language.grammar import grammar
from policyc.language.lines import cut
from policyc.language.parser import parse
from policyc.language.plain_rules import plain_rule
from policyc.language.problems import Problems
from policyc.language.suppressions import suppressions
from policyc.language.tree import File
from policyc.source import Source


def read(text: str) -> File:
    file, errors = parse(Source("p", text))
    assert not errors
    return file


@given(policies())
@settings(max_examples=150, deadline=None)
def test_layout_keeps_the_tree_and_is_stable(text: str) -> None:
    laid_out = format_text(Source("p", text))
    assert read(laid_out) == read(text)
    assert format_text(Source("p", laid_out)) == laid_out


@given(st.sampled_from(tuple(VERBS)).flatmap(rules))
@settings(max_examples=300, deadline=None)
@example("log edge ssh from a")
@example("accept from not a,b as x limit l")
@example("accept ssh balance nth")
@example("otherwise log edge")
@example("otherwise  mark 0x1/0xff  log edge")
@example("save-mark 0xff tcp/80,udp  from a")
@example("restore-mark tcp/80 published tcp/1,\n  tcp/2 hairpin a, self")
@example("jump 'ACCEPT # from \"x\"' ssh match \"-m x; to y\" user 'a b', 7 from a")
@example('accept ssh,# from "b\n http\tfrom\ta ,b')
@example("otherwise reject with tcp-reset")
def test_both_ways_through_a_rule_agree(text: str) -> None:
    """Every well-formed rule goes the short way, and is what the grammar makes of it, places included."""
    problems = Problems(Source("r", text))
    short = plain_rule(cut(problems)[0], (), problems)
    assert short is not None
    long = rule_line(grammar().parser.parse(text, start="rule"), (), problems)
    assert not problems.found
    assert short == long
    assert all_spans(short) == all_spans(long)


def all_spans(node: object) -> list[tuple[int, int]]:
    """The places of a node and everything in it."""
    if isinstance(node, tuple):
        return [span for item in node for span in all_spans(item)]
    if not hasattr(node, "__dataclass_fields__"):
        return []
    own = [(node.span.start, node.span.end)] if hasattr(node, "span") else []
    return own + [
        span
        for name, field in node.__dataclass_fields__.items()
        if field.compare
        for span in all_spans(getattr(node, name))
    ]


JUNK = (
    *"{}();,#\"'=<>-\\\n\t\r\0:/[]0",
    "->",
    "<->",
    "not ",
    "from ",
    "{\n",
    "}\n",
    "otherwise ",
    "\ufeff",
    "٣",
    "\u3000",
)


@st.composite
def damaged(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with characters deleted, inserted, doubled or exchanged."""
    text = draw(texts)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(text) - 1)))
        to = at + draw(st.integers(0, 12))
        put = draw(
            st.sampled_from(("", text[at:to] * 2, text[at:to][::-1])) | st.text(max_size=3) | st.sampled_from(JUNK)
        )
        text = text[:at] + put + text[to:]
    return text


@given(damaged(st.sampled_from(tuple(VERBS)).flatmap(rules)))
@settings(max_examples=400, deadline=None)
@example("jump (a")
@example("accept ssh user from")
@example("accept ssh user a\u3000b")
@example("helper ftp, tcp/21")
@example("log from a")
def test_the_short_way_takes_no_rule_that_the_grammar_refuses(text: str) -> None:
    problems = Problems(Source("r", text))
    for line in cut(problems):
        if line.sound and (short := plain_rule(line, (), problems)):
            tree = grammar().parser.parse(TextSlice(text, line.start, line.end), start="rule")
            assert rule_line(tree, (), problems) == short


@given(
    damaged(policies())
    | st.text(max_size=60)
    | st.text(st.sampled_from("".join(JUNK) + "filter a accept"), max_size=60)
)
@settings(max_examples=400, deadline=None)
def test_no_text_makes_a_traceback(text: str) -> None:
    source = Source("p", text)
    file, errors = parse(source)
    suppressions(file)
    for error in errors:
        assert error.span is not None
        assert 0 <= error.span.start <= error.span.end <= len(text)
        assert "\n" not in error.message
    if not errors:
        laid_out = format_text(source)
        assert read(laid_out) == file
