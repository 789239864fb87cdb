"""policyc.toml and [tool.policyc]: found, read, checked; every mistake at its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyc.config import KEYS, find_config, read_config
from policyc.diagnostics import InputError


def problems(path) -> list[tuple[int, str, str]]:
    with pytest.raises(InputError) as raised:
        read_config(path)
    return [(found.span.line, found.message, found.help) for found in raised.value.diagnostics]


def test_defaults_are_printed_with_their_origin(policyc) -> None:
    code, out, _ = policyc("config")
    assert code == 0
    assert out.startswith("config file: none\n")
    assert 'fail-on  = "error"  default\n' in out
    assert [line.split()[0] for line in out.splitlines()[1:]] == list(KEYS)


def test_values_are_printed_with_their_lines(policyc, folder) -> None:
    (folder / "policyc.toml").write_text('# ours\nfail-on = "warning"\n\n[severity]\nunreachable-chain = "error"\n')
    answer = json.loads(policyc("config", "--format", "json").out)
    assert answer["file"] == "policyc.toml"
    assert answer["settings"]["fail-on"] == {"value": "warning", "origin": "policyc.toml:2"}
    assert answer["settings"]["severity"] == {"value": {"PC104": "error"}, "origin": "policyc.toml:4"}
    assert answer["settings"]["format"] == {"value": "full", "origin": "default"}


def test_the_nearest_file_upward_counts(folder) -> None:
    below = folder / "a" / "b"
    below.mkdir(parents=True)
    (folder / "policyc.toml").write_text("")
    (folder / "a" / "pyproject.toml").write_text("[tool.other]\n")
    assert find_config(below) == folder / "policyc.toml"
    (folder / "a" / "pyproject.toml").write_text("[tool.policyc]\n")
    assert find_config(below) == folder / "a" / "pyproject.toml"
    (folder / "a" / "policyc.toml").write_text("")
    assert find_config(below) == folder / "a" / "policyc.toml"


def test_all_mistakes_are_reported_at_their_lines(folder) -> None:
    path = folder / "policyc.toml"
    path.write_text(
        'fail_on = "error"\n'
        'format = "jsn"\n'
        'select = ["PC104", "unreachable-chian"]\n'
        "ignore = 3\n"
        'sources = ["/etc/fw.pol"]\n'
        "[severity]\n"
        'nat-polcy = "error"\n'
        'PC104 = "fatal"\n'
    )  # fmt: skip
    assert problems(path) == [
        (1, "unknown key `fail_on`", "did you mean `fail-on`?"),
        (2, "`jsn` is no value of `format`", "did you mean `json`?"),
        (3, "`select`: no code or name `unreachable-chian`; did you mean `unreachable-chain`?", ""),
        (4, "`ignore` must be a list of strings", 'write ignore = ["…"]'),
        (5, "`/etc/fw.pol` is an absolute path", "patterns are relative to the folder of the config file"),
        (7, "`severity`: no code or name `nat-polcy`; did you mean `nat-policy`?", ""),
        (8, "`fatal` is no severity", "a severity is one of info, warning, error; to leave a code out, put it into `ignore`"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tool.policyc]\ncolour = 1\n", 2),
        ("[project]\ncolour = 2\n[tool.policyc]\n\ncolour = 1\n", 5),
        ("[tool]\npolicyc.colour = 1\n", 2),
        ("[tool.policyc.colour]\na = 1\n", 1),
    ],
)
def test_keys_are_found_in_every_form_of_a_section(folder, text, line) -> None:
    path = folder / "pyproject.toml"
    path.write_text(text)
    assert problems(path) == [(line, "unknown key `colour`", "did you mean `color`?")]


@pytest.mark.parametrize(
    ("text", "line"), [("fail-on = \n", 1), ('format = "full"\nx', 2), ("[severity\n", 1), ("a = 1\na = 2\n", 2)]
)
def test_what_is_no_toml_is_reported_at_its_line(folder, text, line) -> None:
    path = folder / "policyc.toml"
    path.write_text(text)
    [(found, message, _)] = problems(path)
    assert message.startswith("this is no TOML: ")
    assert found == line


def test_the_config_counts_for_check_and_the_command_line_counts_more(policyc, folder) -> None:
    (folder / "policyc.toml").write_text(
        'sources = ["rules.v4"]\nformat = "concise"\nfail-on = "warning"\n[severity]\nPC104 = "info"\n'
    )
    code, out, _ = policyc("check")
    assert (code, out.split(": ")[1]) == (0, "info[PC104]")
    assert policyc("check", "--fail-on", "info").code == 1
    assert policyc("check", "rules.v4", "--isolated").out.startswith("warning[PC104]: ")


def test_a_wrong_config_stops_every_command_that_reads_it(policyc, folder) -> None:
    (folder / "policyc.toml").write_text("sauces = []\n")
    code, out, err = policyc("check", "rules.v4")
    assert (code, out) == (2, "")
    assert "error[PC902]: unknown key `sauces`\n --> policyc.toml:1:1\n" in err
    assert policyc("check", "rules.v4", "--isolated").code == 0


def test_a_named_config_file(policyc, folder) -> None:
    (folder / "ci.toml").write_text('fail-on = "warning"\n')
    assert policyc("check", "rules.v4", "--config", "ci.toml").code == 1
    assert policyc("check", "rules.v4", "--config", "cj.toml").code == 2
    assert policyc("check", "rules.v4", "--config", "ci.toml", "--isolated").code == 2


def test_sources_that_name_nothing_are_no_silent_success(policyc, folder) -> None:
    (folder / "policyc.toml").write_text("")
    code, out, err = policyc("check")
    assert code == 2
    assert "nothing to check: no file fits `*.pol` beside `policyc.toml`" in out + err


def test_the_documented_file_is_valid_and_names_every_key(folder) -> None:
    page = (Path(__file__).parents[3] / "docs" / "config.md").read_text()
    (folder / "policyc.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    assert set(read_config(folder / "policyc.toml").origins) == set(KEYS)
