"""Every packet that a page of docs/situations asks about is sent for real: the kernel does what the page says."""

from __future__ import annotations

import json

import pytest
from situations import PAGES, commands_of, inputs_of

from policyc.cli.main import run

ASKED = [
    (page, number, words)
    for page in PAGES
    for number, words in enumerate(commands_of(page), 1)
    if words[:2] == ["policyc", "explain"]
]


def _without_format(words: list[str]) -> list[str]:
    if "--format" not in words:
        return words
    at = words.index("--format")
    return words[:at] + words[at + 2 :]


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("page", "words"), [(page, words) for page, _, words in ASKED], ids=[f"{p.stem}-{n}" for p, n, _ in ASKED]
)
def test_the_kernel_does_what_the_page_says(page, words, monkeypatch, capfd) -> None:
    monkeypatch.chdir(inputs_of(page))
    code = run([*_without_format(words[1:]), "--isolated", "--verify", "--format", "json"])
    answer = json.loads(capfd.readouterr().out)
    one_by_one = answer.get("turns") or answer.get("traces") or [answer]
    assert [one["verification"]["differences"] for one in one_by_one] == [[] for _ in one_by_one]
    assert [one["verification"]["reason"] for one in one_by_one] == [None for _ in one_by_one]
    assert code == 0
