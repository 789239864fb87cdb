"""`policyc.api.compile`: what the command of that name prints, and the ways in which it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from policyc import api
from policyc.cli.main import program

OWN = """\
policy own {
  ownership exclusive
  default input drop, forward drop, output accept
}
filter any -> self { accept ssh as door }
"""
SHARED = "filter any -> self {\n  accept ssh as door\n}\n"


def printed(tmp_path: Path, text: str, *options: str) -> str:
    (tmp_path / "edge.pol").write_text(text)
    done = CliRunner().invoke(program, ["compile", "--isolated", str(tmp_path / "edge.pol"), *options])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("text", [OWN, SHARED], ids=["exclusive", "shared"])
def test_it_is_what_the_command_prints(tmp_path: Path, text: str, family: int) -> None:
    wanted = printed(tmp_path, text, "--family", str(family))
    assert "--dport 22" in wanted
    assert api.compile(tmp_path / "edge.pol", family) == wanted
    assert api.compile(api.load(tmp_path / "edge.pol"), family) == wanted


def test_ids_can_be_left_out(tmp_path: Path) -> None:
    wanted = printed(tmp_path, OWN, "--family", "4", "--no-ids")
    assert "--comment" not in wanted
    assert api.compile(OWN, 4, ids=False) == wanted
    assert "--comment" in api.compile(OWN, 4)


@pytest.mark.parametrize(
    ("jumps", "commands"), [("insert", {"-I INPUT"}), ("keep", set()), ("renew", {"-D INPUT", "-I INPUT"})]
)
def test_the_jumps_of_a_shared_policy(tmp_path: Path, jumps: str, commands: set[str]) -> None:
    text = api.compile(SHARED, 4, jumps=jumps)
    assert {line[:8] for line in text.splitlines() if line.startswith(("-I", "-D"))} == commands
    assert text.startswith("# by policyc, for iptables-restore --noflush\n")


def test_a_family_without_tables_is_empty() -> None:
    assert api.compile("policy only4 {\n  family ip\n}\n" + SHARED, 6) == ""


def test_what_has_errors_is_not_compiled() -> None:
    looping = "*filter\n:INPUT ACCEPT [0:0]\n:a - [0:0]\n-A INPUT -s 10.0.0.1 -j a\n-A a -j a\nCOMMIT\n"
    with pytest.raises(api.InputError) as raised:
        api.compile(looping, 4)
    assert [found.name for found in raised.value.diagnostics] == ["jump-loop"]


def test_a_dump_compiles_to_its_canonical_text() -> None:
    dump = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    assert "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT" in api.compile(dump, 4)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="has its ids already"):
        api.compile(api.load(OWN), 4, ids=False)
    with pytest.raises(ValueError, match="owns its tables"):
        api.compile(OWN, 4, jumps="keep")
    with pytest.raises(ValueError, match="later"):
        api.compile(SHARED, 4, jumps="later")
