"""What `preview --explain` and `preview --diff` print: `previews/*.preview` begin with the command, the answer follows."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from policyc.cli.main import run

HERE = Path(__file__).parent / "previews"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", sorted(HERE.glob("*.preview")), ids=lambda file: file.stem)
def test_a_preview_is_printed(
    file: Path,
    golden: Callable[[Path, str], None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    command = file.read_text(encoding="utf-8").split("\n", 1)[0]
    monkeypatch.chdir(HERE)
    code = run(shlex.split(command.removeprefix("$ policyc ")))
    said = capfd.readouterr()
    golden(file, f"{command}\n{said.err}{said.out}exit {code}\n")


@pytest.mark.parametrize("example", ["development", "dual-stack", "shop"])
@pytest.mark.parametrize("release", ["20.10", "27", "28", "29"])
def test_the_examples_are_reached_from_outside_and_from_here(
    example: str, release: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = ROOT / "examples" / "compose" / f"{example}.yml"
    assert run(["preview", "compose", str(file), "--engine", f"docker@{release}", "--explain", "--format", "json"]) == 0
    ports = json.loads(capfd.readouterr().out)["ports"]
    assert ports
    for port in ports:
        paths = {one["path"]: one for one in port["paths"]}
        inside = port["published"].startswith("127.")
        assert paths["outside"]["outcome"] == ("refused" if inside else "open")
        assert paths["host-loopback"]["outcome"] == "open"
        assert paths["host-loopback"]["proxy"] == "docker-proxy"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["docker", "run", "x", "--explain", "--diff", "before.rules"], "two questions"),
        (["docker", "run", "x", "--explain", "--format", "nft"], "--format json"),
        (["docker", "run", "x", "--format", "json"], "rules are text"),
        (["kubernetes", "x.yml", "--explain"], "are about Docker"),
        (["docker", "run", "x", "--on", "before.rules", "--diff", "before.rules"], "leave --on out"),
        (["docker", "nftables.json", "--explain"], "this daemon uses nftables"),
    ],
)
def test_what_is_not_to_be_had_is_said(
    words: list[str], says: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(HERE)
    assert run(["preview", *words]) == 2
    assert says in capfd.readouterr().err
