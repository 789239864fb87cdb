"""What the checks call refused, the kernel refuses; what their pages write instead, it takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from policyc import api
from policyc.diagnostics import CATALOGUE
from policyc.kernel.check import kernel_check

pytestmark = pytest.mark.usefixtures("machine")

REFUSED = Path(__file__).parents[1] / "golden" / "checks" / "refused.rules"
CODES = ("PC020", "PC021", "PC022", "PC023")
BLOCK = re.compile(r"```iptables\n(.*?)```", re.DOTALL)


def lines(found) -> set[int]:
    return {one.span.line for one in found if one.span}


def test_every_rule_that_is_called_refused_is_refused() -> None:
    ruleset = api.load(REFUSED)
    said = {one for one in api.check(ruleset, select=CODES).diagnostics if one.severity.label == "error"}
    assert lines(said) == lines(kernel_check(ruleset))


@pytest.mark.parametrize("code", [*CODES, "PC028", "PC701"])
def test_the_kernel_refuses_the_example_of_a_page(code: str) -> None:
    assert kernel_check(api.load(blocks(code)[0]))


@pytest.mark.parametrize("code", [item.code for item in CATALOGUE if len(BLOCK.findall(item.page())) == 2])
def test_the_kernel_takes_what_a_page_writes_instead(code: str) -> None:
    assert not [one for one in kernel_check(api.load(blocks(code)[1])) if one.code != "PC702"]


def blocks(code: str) -> list[str]:
    page = next(item for item in CATALOGUE if item.code == code).page()
    return BLOCK.findall(page)
