"""What `policyc test` says about the policies in `tested/`, in its formats for people and for build servers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policyc import api
from policyc.report.style import Style
from policyc.report.tests_junit import results_junit
from policyc.report.tests_text import results_concise, results_full

HERE = Path(__file__).parent / "tested"
POLICIES = sorted(HERE.glob("*.pol"))
Golden = Callable[[Path, str], None]


def results(file: Path):
    return api.test(api.load(file, name=file.name))


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.stem)
def test_results_for_people(file: Path, golden: Golden) -> None:
    golden(file.with_suffix(".full"), results_full(results(file), with_coverage=True))


def test_results_line_by_line(golden: Golden) -> None:
    golden(HERE / "other-fates.concise", results_concise(results(HERE / "other-fates.pol"), with_coverage=True))


def test_results_for_build_servers(golden: Golden) -> None:
    golden(HERE / "other-fates.junit", results_junit(results(HERE / "other-fates.pol")))


def test_colour_says_nothing_that_words_do_not() -> None:
    found = results(HERE / "other-fates.pol")
    coloured = results_full(found, Style(colour=True), with_coverage=True)
    assert "\x1b[1;31mFAILED" in coloured
    plain = coloured
    for code in ("1;31", "1;33", "1;36", "1", "2", "34", "32", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == results_full(found, with_coverage=True)


@pytest.mark.parametrize("file", POLICIES, ids=lambda file: file.stem)
def test_a_block_of_the_wanted_name_says_what_it_is(file: Path) -> None:
    """Every packet of a block has the fate that the block's name announces."""
    states = {"what does not hold": {"failed"}, "what nobody knows": {"undecided", "passed"}}
    for result in results(file).packets:
        assert result.state in states.get(result.test.block, {"passed"}), result.test.span.text
