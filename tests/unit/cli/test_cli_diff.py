"""`policyc diff`: two sources, formats, exit codes."""

from __future__ import annotations

import json

import pytest

A = "*filter\n:INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"


@pytest.fixture
def files(folder):
    """Two dumps that differ, one that reads otherwise and is equal to the first, one that no walk ends in."""
    (folder / "a.rules").write_text(A)
    (folder / "b.rules").write_text(A.replace("22", "23"))
    (folder / "same.rules").write_text(A.replace("-A", "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n-A", 1))
    (folder / "round.rules").write_text(
        A.replace("-j ACCEPT", "-j one").replace("COMMIT", ":one - [0:0]\n-A one -j one\nCOMMIT")
    )
    return folder


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["a.rules", "b.rules"], 1),
        (["a.rules", "same.rules"], 0),
        (["-4", "a.rules", "-4", "b.rules"], 1),
        (["a.rules", "b.rules", "--no-exit-code"], 0),
        (["a.rules", "round.rules"], 2),
        (["a.rules"], 2),
        (["a.rules", "b.rules", "same.rules"], 2),
        (["a.rules", "nowhere.rules"], 2),
    ],
)
def test_exit_codes(policyc, files, words, code) -> None:
    assert policyc("diff", *words).code == code


def test_json(policyc, files) -> None:
    answer = json.loads(policyc("diff", "a.rules", "b.rules", "--format", "json").out)
    assert next(iter(answer)) == "format_version"
    assert answer["equal"] is False
    assert {(one["from"], one["to"], one["witness"]["packet"]["dport"]) for one in answer["changes"]} == {
        ("ACCEPT", "DROP", 22), ("DROP", "ACCEPT", 23),
    }  # fmt: skip


def test_one_line_each(policyc, files) -> None:
    lines = policyc("diff", "a.rules", "b.rules", "--format", "concise").out.splitlines()
    assert lines[-1] == "different: 2 differences for packets"
    assert all(line.startswith("filter INPUT: ") for line in lines[:-1])


def test_the_answer_says_what_it_rests_on(policyc, files) -> None:
    assert (
        policyc("diff", "a.rules", "same.rules").out
        == "equal: no packet in any state meets another fate in the rules\n"
    )
    assert "undecided: not known whether" in policyc("diff", "a.rules", "round.rules").out
