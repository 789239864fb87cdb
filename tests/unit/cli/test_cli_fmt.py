"""`policyc fmt`: in place, only looking, standard input, several files, files with errors."""

from __future__ import annotations

import io
import sys

import pytest

UGLY = "zone   wan=interface eth0\nfilter wan->self { drop   tcp ; }\n"


@pytest.fixture
def pretty(policyc, folder) -> str:
    (folder / "a.pol").write_text(UGLY)
    assert policyc("fmt", "a.pol") == (0, "", "1 changed, 0 left as they are\n")
    text = (folder / "a.pol").read_text()
    assert text != UGLY
    return text


def test_formatting_twice_changes_nothing(policyc, folder, pretty) -> None:
    assert policyc("fmt", "a.pol") == (0, "", "0 changed, 1 left as they are\n")
    assert (folder / "a.pol").read_text() == pretty


def test_check_only_looks(policyc, folder, pretty) -> None:
    (folder / "b.pol").write_text(UGLY)
    assert policyc("fmt", "--check", "a.pol").code == 0
    code, out, err = policyc("fmt", "--check", "a.pol", "b.pol")
    assert (code, out) == (1, "")
    assert err == "would change: b.pol\n1 would change, 1 left as they are\n"
    assert (folder / "b.pol").read_text() == UGLY


def test_diff_shows_what_would_change(policyc, folder) -> None:
    (folder / "b.pol").write_text(UGLY)
    code, out, _ = policyc("fmt", "--diff", "b.pol")
    assert code == 1
    assert out.startswith("--- b.pol\n+++ b.pol (formatted)\n@@ ")
    assert "\n-zone   wan=interface eth0\n" in out
    assert "\n+zone wan = interface eth0\n" in out
    assert (folder / "b.pol").read_text() == UGLY


def test_standard_input_goes_to_standard_output(policyc, pretty, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(UGLY.encode())))
    assert policyc("fmt", "-") == (0, pretty, "")


def test_a_file_with_errors_stays_and_the_others_are_formatted(policyc, folder) -> None:
    (folder / "bad.pol").write_text("zone = =\nfrob\n")
    (folder / "good.pol").write_text(UGLY)
    code, out, err = policyc("fmt", "bad.pol", "good.pol")
    assert (code, out) == (2, "")
    assert " --> bad.pol:1:" in err
    assert " --> bad.pol:2:" in err
    assert (folder / "bad.pol").read_text() == "zone = =\nfrob\n"
    assert (folder / "good.pol").read_text() != UGLY


def test_the_files_of_the_config(policyc, folder) -> None:
    (folder / "policyc.toml").write_text('sources = ["*.pol", "rules.v4"]\n')
    (folder / "a.pol").write_text(UGLY)
    assert policyc("fmt", "--check").err == "would change: a.pol\n1 would change, 0 left as they are\n"


def test_what_is_no_policy_is_left_alone(policyc, folder) -> None:
    before = (folder / "rules.v4").read_text()
    code, _, err = policyc("fmt", "rules.v4")
    assert code == 2
    assert "`rules.v4` is no policy" in err
    assert (folder / "rules.v4").read_text() == before
    assert "`.` is a folder" in policyc("fmt", ".").err
