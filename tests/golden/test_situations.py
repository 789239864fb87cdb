"""The pages in docs/situations print what the program prints; each is its own golden file (`--update-golden`)."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from situations import INPUTS, PAGES, ROOT, commands_of, inputs_of, printed_anew

from policyc.cli.main import run

INDEX = ROOT / "docs" / "situations" / "README.md"
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@by_page
def test_what_a_page_says_is_printed(
    page: Path,
    golden: Callable[[Path, str], None],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(inputs_of(page))

    def printed(words: list[str]) -> str:
        if words[0] == "diff":
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode == 1, f"{words} finds no difference: {done.stderr}"
            return done.stdout
        assert words[0] == "policyc"
        code = run([*words[1:], "--isolated"])
        said = capfd.readouterr()
        assert code == 0, said
        return said.out + said.err

    golden(page, printed_anew(page, printed))


@by_page
def test_a_page_ends_with_a_command_that_shows_that_the_fix_works(page: Path) -> None:
    assert "--expect" in list(commands_of(page))[-1]


@by_page
def test_a_page_uses_all_its_files(page: Path) -> None:
    used = {word for words in commands_of(page) for word in words}
    assert used >= {file.name for file in inputs_of(page).iterdir()}


def test_each_situation_has_a_page_and_stands_in_the_index() -> None:
    assert [page.stem for page in PAGES] == sorted(folder.name for folder in INPUTS.iterdir())
    for page in PAGES:
        assert f"]({page.name})" in INDEX.read_text(encoding="utf-8")
