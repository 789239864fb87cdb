"""compile, graph, rule, completion and the program itself: results, wrong words, exit codes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from policyc.cli.main import COMMANDS, LATER, run


def program(*words: str, **more) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "policyc", *words], capture_output=True, text=True, check=False, **more
    )


# ---------------------------------------------------------------- the program
def test_help_lists_what_there_is(policyc) -> None:
    out = policyc("--help").out
    assert all(f"\n  {name} " in out for name in COMMANDS)
    assert not any(f"\n  {name} " in out for name in LATER)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(policyc, name) -> None:
    code, out, _ = policyc(name, "--help")
    assert code == 0
    assert out.startswith(f"Usage: policyc {name} ")


@pytest.mark.parametrize("name", LATER)
def test_a_command_that_is_not_there_yet_says_so(policyc, name) -> None:
    code, out, err = policyc(name, "whatever", "--expect", "accept")
    assert (code, out) == (2, "")
    assert f"`{name}` is not built yet; there are check, " in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["chekc", "x"], "no command `chekc`; did you mean `check`?"),
        (["frobnicate"], "no command `frobnicate`; there are check, explain, test, compile"),
        (["\x1b[31m"], r"no command `\x1b[31m`"),
        (["check", "--fromat", "json"], "Did you mean '--format'?"),
        (["check", "x", "--format", "yaml"], "'yaml' is not one of"),
        (["check", "x", "--fail-on"], "requires an argument"),
        (["--verbose"], "No such option"),
    ],
)
def test_wrong_words(policyc, words, said) -> None:
    code, out, err = policyc(*words)
    assert (code, out) == (2, "")
    assert said in err
    assert "\x1b" not in err


def test_no_word_at_all_shows_the_help(policyc) -> None:
    assert policyc().code == 2


def test_the_version() -> None:
    assert program("--version").stdout.startswith("policyc ")


def test_an_internal_error_is_one_line(policyc, monkeypatch) -> None:
    def fail(*_words, **_more):
        raise RuntimeError("two\nlines \x1b")

    monkeypatch.setattr("policyc.checks.run.run_checks", fail)
    code, _, err = policyc("check", "rules.v4")
    assert code == 2
    assert err.startswith(r"policyc: internal error: RuntimeError: two lines \x1b (at policyc.")
    assert err.count("\n") == 1
    monkeypatch.setenv("POLICYC_TRACEBACK", "1")
    assert "Traceback" in policyc("check", "rules.v4").err


def test_a_reader_that_goes_away_is_no_error(folder) -> None:
    (folder / "big").write_text("*filter\n:INPUT ACCEPT [0:0]\n" + "-A INPUT -i eth0 -j ACCEPT\n" * 20000 + "COMMIT\n")
    command = f'"{sys.executable}" -m policyc show big; echo "code $?" >&2'
    result = subprocess.run(["sh", "-c", f"( {command} ) | head -1"], capture_output=True, text=True, check=False)
    assert (result.stdout.count("\n"), result.stderr) == (1, "code 0\n")


def test_a_small_check_loads_nothing_heavy(folder) -> None:
    asked = (
        "import sys; from policyc.cli.main import run; run(['check', 'rules.v4']);"
        "print(sorted({'pydantic', 'rich', 'networkx', 'lark', 'subprocess', 'socket', 'importlib.metadata'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=folder)
    assert result.stdout.splitlines()[-1] == "[]"


# ---------------------------------------------------------------- compile
def test_compile_prints_what_the_kernel_loads(policyc, folder) -> None:
    code, out, err = policyc("compile", "rules.v4")
    assert (code, err) == (0, "")
    assert out == "# by policyc, for iptables-restore\n" + (folder / "rules.v4").read_text().partition("\n")[2]


def test_both_families_are_never_one_text_by_accident(policyc) -> None:
    both = ["compile", "-4", "rules.v4", "-6", "rules.v6"]
    code, out, err = policyc(*both)
    assert (code, out) == (2, "")
    assert "say --family 4 or --family 6" in err
    texts = [policyc(*both, "--family", family).out for family in ("4", "6", "both")]
    assert texts[0] + texts[1] == texts[2]
    assert "ip6tables-restore" in texts[1]


def test_what_compile_prints_of_both_families_is_read_back_as_such(policyc, folder) -> None:
    policyc("compile", "-4", "rules.v4", "-6", "rules.v6", "--family", "both", "-o", "both")
    assert policyc("compile", "both", "--family", "6").out == policyc("compile", "rules.v6").out


def test_a_family_that_is_not_there(policyc) -> None:
    code, out, err = policyc("compile", "rules.v4", "--family", "6")
    assert (code, out) == (2, "")
    assert "there are no IPv6 rules in this source" in err


def test_nothing_is_compiled_where_there_are_errors(policyc, folder) -> None:
    (folder / "out").write_text("kept")
    (folder / "bad").write_text(
        "*filter\n:INPUT ACCEPT [0:0]\n:a - [0:0]\n-A INPUT -p tcp -j a\n-A a -p tcp -j a\nCOMMIT\n"
    )
    code, out, err = policyc("compile", "bad", "-o", "out")
    assert (code, out) == (1, "")
    assert "error[PC022]" in err
    assert err.endswith("nothing is compiled: found 1 error\n")
    assert (folder / "out").read_text() == "kept"


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(policyc, folder) -> None:
    (folder / "out").write_text("old")
    (folder / "out").chmod(0o640)
    (folder / "link").symlink_to("out")
    assert policyc("compile", "rules.v4", "-o", "link") == (0, "", "")
    assert (folder / "link").is_symlink()
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640
    assert (folder / "out").read_text().startswith("# by policyc")
    assert sorted(path.name for path in folder.iterdir()) == ["link", "out", "rules.v4", "rules.v6"]


def test_a_new_file_has_the_mode_of_the_umask(policyc, folder) -> None:
    before = os.umask(0o027)
    try:
        policyc("compile", "rules.v4", "-o", "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640


def test_a_file_that_cannot_be_written(policyc) -> None:
    code, _, err = policyc("compile", "rules.v4", "-o", "no/such/folder")
    assert code == 2
    assert "`no/such/folder` cannot be written: no such file or directory" in err


def test_compile_takes_one_source(policyc, folder) -> None:
    for name in ("a.pol", "b.pol"):
        (folder / name).write_text("zone wan = interface eth0\n")
    code, _, err = policyc("compile", "a.pol", "b.pol")
    assert code == 2
    assert "one source at a time" in err


# ---------------------------------------------------------------- graph, rule, completion
@pytest.mark.parametrize(
    ("shape", "begins"), [("text", "IPv4\n"), ("dot", "digraph"), ("mermaid", "flowchart LR"), ("svg", "<svg ")]
)
def test_graph_in_each_shape(policyc, folder, shape, begins) -> None:
    out = policyc("graph", "rules.v4", "--format", shape).out
    assert out.startswith(begins)
    assert "lost" in out
    assert policyc("graph", "rules.v4", "--format", shape, "-o", "drawing") == (0, "", "")
    assert (folder / "drawing").read_text() == out


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--table", "nat"], "no table `nat` in this source; it has filter"), (["--family", "6"], "no IPv6 tables")],
)
def test_graph_of_what_is_not_there(policyc, words, said) -> None:
    code, _, err = policyc("graph", "rules.v4", *words)
    assert code == 2
    assert said in err


@pytest.mark.parametrize("word", ["PC104", "pc104", "unreachable-chain"])
def test_a_rule_by_code_or_name(policyc, word) -> None:
    code, out, _ = policyc("rule", word)
    assert code == 0
    assert "PC104" in out


def test_the_page_is_drawn_where_colour_is_wanted(policyc) -> None:
    assert "\x1b[" in policyc("rule", "PC104", "--color", "always").out


def test_the_list_of_rules(policyc) -> None:
    lines = policyc("rule", "--all").out.splitlines()
    assert lines == sorted(lines)
    assert any(line.startswith("PC104  warning  unreachable-chain ") for line in lines)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rule", "unreachable-chian"], "did you mean `unreachable-chain`?"),
        (["rule", "PC10"], "`PC10` stands for"),
        (["rule"], "name a code"),
        (["rule", "PC104", "--all"], "name a code"),
    ],
)
def test_a_rule_that_is_not_there(policyc, words, said) -> None:
    code, _, err = policyc(*words)
    assert code == 2
    assert said in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(policyc, shell) -> None:
    code, out, err = policyc("completion", shell)
    assert (code, err) == (0, "")
    assert "_POLICYC_COMPLETE" in out


def test_the_shell_completes_commands_and_options(folder) -> None:
    environment = {**os.environ, "_POLICYC_COMPLETE": "bash_complete"}
    for words, index, found in (("policyc com", "1", "compile"), ("policyc check --fo", "2", "--format")):
        result = program(env={**environment, "COMP_WORDS": words, "COMP_CWORD": index}, cwd=folder)
        assert found in result.stdout


def test_run_returns_plain_numbers(folder) -> None:
    assert run(["check", str(Path("rules.v4"))]) == 0
