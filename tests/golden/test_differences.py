"""What `policyc diff` says about the rulesets in `differences/`, in its formats for people and for scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from policyc import api
from policyc.report.json import json_text
from policyc.report.packet_changes import changes_concise, changes_full
from policyc.report.style import Style

HERE = Path(__file__).parent / "differences"
Golden = Callable[[Path, str], None]


def found():
    return api.diff(*(api.load(HERE / name, name=name) for name in ("before.rules", "after.rules")))


def test_changes_for_people(golden: Golden) -> None:
    golden(HERE / "changes.full", changes_full(found()))


def test_changes_line_by_line(golden: Golden) -> None:
    golden(HERE / "changes.concise", changes_concise(found(), Style(ascii_only=True)))


def test_changes_for_scripts(golden: Golden) -> None:
    golden(HERE / "changes.json", json_text(found().to_dict()))


def test_colour_says_nothing_that_words_do_not() -> None:
    coloured = changes_full(found(), Style(colour=True))
    assert "\x1b[31mDROP\x1b[0m → \x1b[32mACCEPT" in coloured
