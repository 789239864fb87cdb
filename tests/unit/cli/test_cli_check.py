"""`policyc check`: sources, formats, exit codes."""

from __future__ import annotations

import json
import os

import pytest

from policyc.config import FORMATS


def codes(outcome) -> list[str]:
    return [finding["code"] for finding in json.loads(outcome.out)["diagnostics"]]


def test_a_warning_is_shown_and_does_not_fail(policyc) -> None:
    code, out, err = policyc("check", "rules.v4")
    assert (code, err) == (0, "")
    assert out.startswith("warning[PC104]: ")
    assert " --> rules.v4:6:1\n" in out
    assert out.endswith("\nfound 1 warning in 1 file (4 rules: 4 exact)\n")


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("info", 1), ("never", 0)])
def test_fail_on_decides_the_exit_code(policyc, level, code) -> None:
    assert policyc("check", "rules.v4", "--fail-on", level).code == code


def test_no_finding_is_said_so(policyc) -> None:
    assert policyc("check", "rules.v6") == (0, "no findings in 1 file (4 rules: 4 exact)\n", "")


@pytest.mark.parametrize("format_name", FORMATS)
def test_same_input_same_bytes(policyc, format_name) -> None:
    first = policyc("check", "rules.v4", "--format", format_name)
    assert first == policyc("check", "rules.v4", "--format", format_name)
    assert "\x1b" not in first.out


@pytest.mark.parametrize(
    "words", [["--select", "PC104"], ["--select", "unreachable-chain"], ["--select", "PC1"], ["--select", "PC1xx,PC8"]]
)
def test_select_takes_codes_names_and_beginnings(policyc, words) -> None:
    assert codes(policyc("check", "rules.v4", "--format", "json", *words)) == ["PC104"]


@pytest.mark.parametrize(
    "words",
    [["--ignore", "PC104"], ["--ignore", "all"], ["--select", "PC0"], ["--select", "PC104", "--ignore", "PC10"]],
)
def test_what_is_not_asked_for_is_not_shown(policyc, words) -> None:
    assert codes(policyc("check", "rules.v4", "--format", "json", "--fail-on", "info", *words)) == []


def test_an_unknown_code_is_a_usage_error_with_a_suggestion(policyc) -> None:
    code, out, err = policyc("check", "rules.v4", "--ignore", "unreachable-chian")
    assert (code, out) == (2, "")
    assert "--ignore: no code or name `unreachable-chian`; did you mean `unreachable-chain`?" in err


def test_invalid_input_is_reported_in_the_format_asked_for_and_exits_2(policyc, folder) -> None:
    (folder / "bad.rules").write_text(
        "*filter\n:INPUT DROP [0:0]\n-A INPUT --sprot 1\n-A INPUT -s host -j DROP\nCOMMIT\n"
    )
    outcome = policyc("check", "bad.rules", "--format", "json", "--fail-on", "never")
    answer = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (2, "")
    assert [finding["location"]["line"] for finding in answer["diagnostics"]] == [3, 4]
    assert answer["exactness"] == {"rules": 0, "exact": 0, "opaque": 0, "nondeterministic": 0}
    assert answer["summary"] == {"error": 2, "warning": 0, "info": 0}


def test_both_families_are_one_ruleset(policyc) -> None:
    answer = json.loads(policyc("check", "-4", "rules.v4", "-6", "rules.v6", "--format", "json").out)
    assert answer["exactness"]["rules"] == 8


def test_the_option_decides_the_family_of_a_dump(policyc, folder) -> None:
    (folder / "bare").write_text("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n")
    assert codes(policyc("check", "bare", "--format", "json")) == ["PC806"]
    assert codes(policyc("check", "-6", "bare", "--format", "json")) == []


def test_a_table_that_comes_in_two_dumps_is_reported(policyc) -> None:
    answer = json.loads(policyc("check", "rules.v4", "-4", "rules.v6", "--format", "json").out)
    repeated = answer["diagnostics"][-1]
    assert repeated["code"] == "PC803"
    assert (repeated["location"]["file"], repeated["related"][0]["location"]["file"]) == ("rules.v6", "rules.v4")


def test_the_report_can_go_to_a_file(policyc, folder) -> None:
    assert policyc("check", "rules.v4", "--format", "concise", "-o", "report.txt", "--color", "always") == (0, "", "")
    assert (folder / "report.txt").read_text().startswith("rules.v4:6:1: warning[PC104]: ")


def test_colour_only_when_asked(policyc, monkeypatch) -> None:
    assert "\x1b[1;33mwarning" in policyc("check", "rules.v4", "--color", "always").out
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" in policyc("check", "rules.v4").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in policyc("check", "rules.v4").out


@pytest.mark.skipif(os.geteuid() == 0, reason="only without root is there something to refuse")
def test_the_kernel_is_not_asked_without_privilege(policyc) -> None:
    assert policyc("check", "rules.v4", "--kernel").code == 4


def test_foreign_text_cannot_reach_the_terminal(policyc, folder) -> None:
    (folder / "\x1b[31mred").write_text(
        '*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment "\x1b]0;x\x07"\nCOMMIT\n'
    )
    outcome = policyc("check", "\x1b[31mred")
    assert outcome.code == 2
    assert "\\x1b[31mred:3:" in outcome.out
    assert "\x1b" not in outcome.out
