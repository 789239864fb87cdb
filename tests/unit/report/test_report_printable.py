"""Foreign text in a terminal: nothing that it would obey, and marks under the right columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyc.report.excerpt import Mark, excerpt
from policyc.report.printable import laid_out, printable, width
from policyc.report.style import Style, wants_colour
from policyc.source import Source


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b[2J", r"\x1b[2J"),
        ("a\tb\r\n", r"a\x09b\x0d\x0a"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202eevil", r"\u202eevil"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("\U000e0041", r"\U000e0041"),
        (b"caf\xe9".decode("utf-8", "surrogateescape"), r"caf\xe9"),
        ("日本 ümlaut", "日本 ümlaut"),
    ],
)
def test_what_a_terminal_would_obey_is_spelled_out(text, shown) -> None:
    assert printable(text) == shown


@given(st.text())
def test_printable_text_is_one_line_that_any_utf8_stream_takes(text) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(f"{shown}|".splitlines()) == 1
    assert not any(character < " " or "\x7f" <= character <= "\x9f" for character in shown)
    assert printable(text, ascii_only=True).isascii()


@given(st.text(alphabet=st.characters(exclude_characters="\n\r")))
def test_columns_are_those_of_the_text_before_each_character(line) -> None:
    shown, columns = laid_out(line)
    assert len(columns) == len(line) + 1
    assert columns == sorted(columns)
    assert columns[-1] == width(shown)
    for at in range(len(line)):
        assert columns[at] == width(laid_out(line[:at])[0])


@given(st.text(min_size=1, max_size=400), st.data())
def test_an_excerpt_of_any_text_has_a_mark(text, data) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    lines = excerpt([Mark(Source("x", text).span(start, end), "", primary=True, role="error")], Style(), 3)
    assert len(lines) == 3
    assert "^" in lines[2]
    assert all(len(line.splitlines()) == 1 for line in lines)


@pytest.mark.parametrize(
    ("choice", "terminal", "environment", "wanted"),
    [
        ("auto", True, {}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("auto", False, {"FORCE_COLOR": "1"}, True),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_when_to_colour(choice, terminal, environment, wanted) -> None:
    assert wants_colour(choice, terminal=terminal, environment=environment) is wanted
