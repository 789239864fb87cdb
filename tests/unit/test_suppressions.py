"""Suppression comments: what they cover in policies and in dumps, and what is wrong with them."""

from __future__ import annotations

import pytest

from policyc.diagnostics import Diagnostic, diagnose
from policyc.diagnostics.suppressions import Suppression, of_dump, read_suppression
from policyc.language.parser import parse
from policyc.language.suppressions import suppressions
from policyc.source import Source


def read(text: str) -> Suppression | Diagnostic | None:
    span = Source("p", text).span(0, len(text))
    return read_suppression(span, span)


def test_codes_and_names_are_the_same() -> None:
    found = read("# policyc: allow PC105, unreachable-chain -- ticket 4711")
    assert isinstance(found, Suppression)
    assert found.codes == ("PC105", "PC104")
    assert found.reason == "ticket 4711"


@pytest.mark.parametrize("text", ["# policy: allow PC105", "# allow PC105 -- x", "#", "# see policyc: allow"])
def test_other_comments_are_none(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("# policyc: allow PC105", "the suppression gives no reason"),
        ("# policyc: allow PC105 --", "the suppression gives no reason"),
        ("# policyc: ignore PC105 -- x", "the comment is not a suppression"),
        ("# policyc: allow unreachable-chian -- x", "`unreachable-chian` names no finding"),
    ],
)
def test_badly_said_ones_are_reported(text: str, message: str) -> None:
    found = read(text)
    assert isinstance(found, Diagnostic)
    assert (found.name, found.message) == ("bad-suppression", message)
    assert found.help


def test_a_block_is_covered_from_its_head_to_its_brace() -> None:
    source = Source(
        "p", "# policyc: allow PC105 -- x\nfilter a -> b {\n  accept ssh\n  drop ssh\n}\nfilter b -> a { drop ssh }\n"
    )
    file, _ = parse(source)
    [found], bad = suppressions(file)
    assert not bad
    inner, outer = (source.span(at, at + 4) for at in (source.text.index("drop"), source.text.rindex("drop")))
    assert found.takes(diagnose("PC105", "m", inner))
    assert not found.takes(diagnose("PC104", "m", inner))
    assert not found.takes(diagnose("PC105", "m", outer))
    assert not found.takes(diagnose("PC105", "m"))


def test_a_dump_is_covered_line_by_line() -> None:
    text = "*filter\n# policyc: allow PC105 -- x\n# more\n-A INPUT -j DROP\n-A INPUT -j ACCEPT\n# policyc: allow PC1\nCOMMIT\n"
    [found], [bad] = of_dump(Source("d", text))
    assert found.covers.text == "-A INPUT -j DROP"
    assert bad.name == "bad-suppression"
    assert of_dump(Source("d", "*filter\nCOMMIT\n")) == ((), ())
