"""`policyc test`: sources, formats, coverage, exit codes."""

from __future__ import annotations

import json

import pytest

HEAD = """\
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24
filter any -> self { use baseline }
filter wan -> self { accept ssh as door; otherwise drop }
"""
GOOD = HEAD + 'test "door" { accept tcp 203.0.113.9 -> self:22 in wan by door }\n'
BAD = HEAD + 'test "window" { accept tcp 203.0.113.9 -> self:23 in wan }\n'
UNSURE = 'set f2b = address owner fail2ban name "f"\n' + GOOD.replace("{ accept ssh", "{ drop from f2b; accept ssh")
PROOF = HEAD + 'test "all" { never wan -> self tcp except door }\n'
BREACH = HEAD + 'test "all" { never wan -> self ssh }\n'


@pytest.fixture
def files(folder):
    """Policies of every outcome."""
    for name, text in {
        "good": GOOD,
        "bad": BAD,
        "unsure": UNSURE,
        "proof": PROOF,
        "breach": BREACH,
        "none": HEAD,
    }.items():
        (folder / f"{name}.pol").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["good.pol"], 0),
        (["bad.pol"], 1),
        (["unsure.pol"], 1),  # what hangs on another tool's set is no passed test
        (["proof.pol"], 0),
        (["breach.pol"], 1),
        (["good.pol", "bad.pol"], 1),
        (["good.pol", "none.pol"], 0),
        (["none.pol"], 2),
        (["rules.v4"], 2),
        (["nowhere.pol"], 2),
        (["good.pol", "--min-coverage", "50"], 0),
        (["good.pol", "--min-coverage", "50.1"], 1),
        (["good.pol", "--min-coverage", "101"], 2),
    ],
)
@pytest.mark.usefixtures("files")
def test_the_exit_code(policyc, words, code) -> None:
    assert policyc("test", *words).code == code


@pytest.mark.usefixtures("files")
def test_nothing_to_test_is_said(policyc) -> None:
    code, out, err = policyc("test", "none.pol", "rules.v4")
    assert (code, out) == (2, "")
    assert "nothing to test: no `test` block in `none.pol`, `rules.v4`" in err


@pytest.mark.usefixtures("files")
def test_results_go_to_stdout_and_talk_to_stderr(policyc) -> None:
    code, out, err = policyc("test", "good.pol", "--min-coverage", "80")
    assert (code, err) == (1, "coverage: 50.0 % of the statements, less than the 80 % asked for\n")
    assert out == "good.pol: door\n  passed    accept tcp 203.0.113.9 -> self:22 in wan by door\n\n1 test: 1 passed\n"


@pytest.mark.usefixtures("files")
def test_several_policies_are_one_answer(policyc) -> None:
    answer = json.loads(policyc("test", "good.pol", "bad.pol", "proof.pol", "--format", "json").out)
    assert answer["summary"] == {
        "passed": 1, "failed": 1, "undecided": 0, "proofs_proved": 1, "proofs_refuted": 0, "proofs_undecided": 0,
    }  # fmt: skip
    assert [one["location"]["file"] for one in answer["tests"]] == ["good.pol", "bad.pol"]
    assert answer["coverage"]["statements"] == {"total": 6, "exercised": 2}


@pytest.mark.usefixtures("files")
def test_a_refuted_proof_shows_the_packet_against_it(policyc) -> None:
    (proof,) = json.loads(policyc("test", "breach.pol", "--format", "json").out)["proofs"]
    assert (proof["state"], proof["reason"]) == ("refuted", "a packet is accepted by `door`")
    shown = proof["counterexample"]
    assert (shown["verdict"], shown["final"]["dport"]) == ("LOCAL", 22)
    assert policyc("explain", "breach.pol", shown["sentence"], "--expect", "accept").code == 0


@pytest.mark.usefixtures("files")
def test_the_json_answer_says_what_happened_instead(policyc) -> None:
    answer = json.loads(policyc("test", "bad.pol", "--format", "json").out)
    assert next(iter(answer)) == "format_version"
    (found,) = answer["tests"]
    assert (found["state"], found["expected"]) == ("failed", {"verdict": "accept", "by": None})
    (course,) = found["courses"]
    assert (course["verdict"], course["outcome"], course["faults"]) == ("drop", "DROPPED", ["expected accept"])
    assert (course["decided_by"]["chain"], course["decided_by"]["location"]["line"]) == ("bad.wan.self", 4)
    assert answer["coverage"]["unexercised"][0]["location"]["line"] == 4


@pytest.mark.parametrize("format_name", ["full", "concise", "json", "junit"])
@pytest.mark.usefixtures("files")
def test_same_input_same_bytes(policyc, format_name) -> None:
    words = ("test", "good.pol", "bad.pol", "unsure.pol", "--format", format_name, "--coverage")
    assert policyc(*words) == policyc(*words)


def test_a_packet_that_says_too_little_is_an_error_at_its_place(policyc, folder) -> None:
    (folder / "two.pol").write_text(
        "zone a = interface eth0\nzone b = interface eth1\nfilter a -> b { accept ssh }\n"
        'test "t" {\n  accept tcp 192.0.2.9 -> 198.51.100.9:22\n  accept tcp 192.0.2.9 -> 198.51.100.9:22 in a\n}\n'
    )
    code, out, err = policyc("test", "two.pol")
    assert (code, out) == (2, "")
    assert "two.pol:5:10" in err
    assert "say it: `in a`, `in b`" in err
    assert "two.pol:6:10" in err
    assert "say it: `out a`, `out b`" in err


def test_foreign_text_is_harmless(policyc, folder) -> None:
    (folder / "odd.pol").write_text(GOOD.replace('"door"', '"<b>\u202e&"'), encoding="utf-8")
    assert "\u202e" not in policyc("test", "odd.pol").out
    junit = policyc("test", "odd.pol", "--format", "junit").out
    assert "<b>" not in junit
    assert "\u202e" not in junit
