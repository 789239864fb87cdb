"""The README is true: its files are written down as they stand there, its commands are run, its exit codes are checked."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE = re.compile(r"<!-- file: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
RUN = re.compile(r"<!-- run(?:: exit (\d))? -->\n```\n(.*?)```", re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the README's files."""
    place = tmp_path_factory.mktemp("readme")
    for name, text in FILE.findall((ROOT / "README.md").read_text()):
        (place / name).write_text(text)
    return place


COMMANDS = [
    (int(code or 0), line[2:])
    for code, block in RUN.findall((ROOT / "README.md").read_text())
    for line in block.splitlines()
    if line.startswith("$ ")
]


@pytest.mark.parametrize(("code", "command"), COMMANDS, ids=[command for _, command in COMMANDS])
def test_a_command_of_the_readme(folder: Path, code: int, command: str) -> None:
    program, *words = shlex.split(command)
    assert program == "policyc"
    done = subprocess.run([sys.executable, "-m", "policyc", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_the_readme_has_commands() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")), ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target
