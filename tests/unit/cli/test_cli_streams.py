"""Streams that the caller has closed or that take nothing: the exit code is right, and nobody is told of internal errors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

POLICY = "zone wan = interface eth0\nfilter any -> self { use baseline }\nfilter wan -> self { otherwise drop }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "door.pol").write_text(POLICY)
    return tmp_path


def shell(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = f'"{sys.executable}" -m policyc {words}'
    return subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("check door.pol >&-", 0),
        ("compile door.pol --family 4 >&-", 0),
        ("check nowhere.pol >&-", 2),
        ("check nowhere.pol >&- 2>&-", 2),
    ],
)
def test_the_exit_code_answers_where_streams_are_closed(words: str, code: int, folder: Path) -> None:
    done = shell(words, folder)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


def test_closed_standard_input_is_empty(folder: Path) -> None:
    done = shell("check - <&-", folder)
    assert done.returncode == 2
    assert "`<stdin>` is empty" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_said(folder: Path) -> None:
    done = shell("check door.pol >/dev/full", folder)
    assert done.returncode == 2
    assert "standard output cannot be written: no space left on device" in done.stderr


def test_a_config_file_that_is_not_there_is_said(folder: Path) -> None:
    done = shell("config --config nowhere.toml", folder)
    assert done.returncode == 2
    assert "`nowhere.toml` cannot be read: there is no such file" in done.stderr


def test_counters_without_words_asks_for_a_source(folder: Path) -> None:
    done = shell("counters", folder)
    assert done.returncode == 2
    assert "nothing to read: name a SOURCE" in done.stderr
