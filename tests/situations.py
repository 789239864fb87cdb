"""The pages in docs/situations: `console` blocks hold commands behind `$ `, each with all that it prints below it.

A page's commands run in examples/situations/NAME, where the rules and hosts are that it speaks of.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted(page for page in (ROOT / "docs" / "situations").glob("*.md") if page.name != "README.md")
INPUTS = ROOT / "examples" / "situations"

_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)\n", re.MULTILINE)


def inputs_of(page: Path) -> Path:
    """Return the folder with the files of a page."""
    return INPUTS / page.stem


def commands_of(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command of a page, in order."""
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        yield from (_words(found[1]) for found in _COMMAND.finditer(block))


def printed_anew(page: Path, run: Callable[[list[str]], str]) -> str:
    """Return the page's text with what `run` says that each command prints in the place of what stands there."""

    def block(found: re.Match[str]) -> str:
        return "".join(f"{one[0]}{run(_words(one[1]))}" for one in _COMMAND.finditer(found[0]))

    return _BLOCK.sub(block, page.read_text(encoding="utf-8"))


def _words(command: str) -> list[str]:
    return shlex.split(command.replace("\\\n", " "))
