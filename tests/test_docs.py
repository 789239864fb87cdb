"""What the documents say is true: their files are written down, their policies checked, their commands run.

README.md, docs/*.md and docs/engines/*.md are read (docs/situations by tests/golden/test_situations.py). A comment right above a fenced block says what is more than its language:

    <!-- file: NAME -->             it is the content of that file, for the blocks below it
    <!-- file: NAME; a host -->     it is the host that `--host NAME` reads
    <!-- refused: NAME, NAME -->    the errors that it is refused with; after a file's name behind a semicolon
    <!-- prints -->                 the lines are what the command, or program, above prints, in this order; … is any text
    <!-- run -->, <!-- run: exit 2 -->    its lines `$ policyc …` are run and end with 0, or with that
    <!-- run in a namespace -->     it is a shell script that root runs in a network namespace of its own

Blocks of `policy` check without errors, blocks of `iptables` and `json` (snapshots) load, blocks of `python` run (what they
print behind `>>>` is compared), blocks of `toml` are a policyc.toml. In docs/ there are no others.
"""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from policyc import api
from policyc.cli.main import COMMANDS as PROGRAM
from policyc.cli.question import host_in
from policyc.config import read_config
from policyc.diagnostics import Severity
from policyc.engines.docker.compose import read_compose
from policyc.source import Source

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "engines").glob("*.md")),
]
FENCE = re.compile(r"(?:^<!-- ([^>]*) -->\n)?^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SUFFIX = {"policy": "pol", "iptables": "rules", "json": "json", "yaml": "yml", "scenario": "json"}
TESTED = ("policy", "iptables", "json", "python", "toml", "yaml", "scenario")
EXAMPLES = doctest.DocTestParser()
DIAGRAMS = {"architecture.md"}


class Block(NamedTuple):
    """A fenced block, what the comment above it says, and where it stands."""

    document: Path
    line: int
    marker: str
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.document.name}:{self.line}"

    @property
    def file(self) -> str:
        """The name that the block has as a file."""
        named = re.search(r"file: ([^;\s]+)", self.marker)
        return named[1] if named else f"line-{self.line}.{SUFFIX[self.language]}"

    @property
    def refused(self) -> list[str]:
        """The names of the findings that it is refused with."""
        _, _, names = self.marker.partition("refused: ")
        return names.split(", ") if names else []


def blocks_of(path: Path) -> list[Block]:
    text = path.read_text()
    return [
        Block(path, text.count("\n", 0, found.start()) + 1, found[1] or "", found[2], found[3])
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for path in DOCUMENTS for block in blocks_of(path)]
RUN = re.compile(r"run(?:: exit (\d))?")


class Command(NamedTuple):
    """A command line of a document, and what it is said to do."""

    block: Block
    words: list[str]
    code: int
    prints: str


def commands() -> list[Command]:
    found = []
    for number, block in enumerate(BLOCKS):
        if run := RUN.fullmatch(block.marker):
            lines = [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
            below = BLOCKS[number + 1] if number + 1 < len(BLOCKS) else None
            prints = below.text if below and below.marker == "prints" and below.document == block.document else ""
            found += [
                Command(block, shlex.split(line), int(run[1] or 0), prints if line == lines[-1] else "")
                for line in lines
            ]
    return found


COMMANDS = commands()


def test_every_command_has_a_section() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "docs" / "commands.md").read_text(), re.MULTILINE)
    assert sorted(word for heading in headings for word in heading.split(", ") if word.islower()) == sorted(PROGRAM)


def test_every_name_of_the_api_is_described() -> None:
    text = (ROOT / "docs" / "api.md").read_text()
    assert [name for name in api.__all__ if not re.search(rf"`{name}[`(]", text)] == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Path]:
    """A folder for each document, with the files that stand in it."""
    places = {path: tmp_path_factory.mktemp(path.stem) for path in DOCUMENTS}
    for block in BLOCKS:
        if block.marker.startswith("file: "):
            (places[block.document] / block.file).write_text(block.text)
    return places


def having(language: str) -> pytest.MarkDecorator:
    chosen = [block for block in BLOCKS if block.language == language]
    return pytest.mark.parametrize("block", chosen, ids=[block.name for block in chosen])


def errors(block: Block, folder: Path) -> list[str]:
    """The errors that reading and checking a block gives, by name, each once."""
    path = folder / block.file
    path.write_text(block.text)
    try:
        found = api.check(path).diagnostics
    except api.InputError as error:
        found = error.diagnostics
    return list(dict.fromkeys(one.name for one in found if one.severity is Severity.ERROR))


@having("policy")
def test_a_policy(block: Block, folders: dict[Path, Path]) -> None:
    assert errors(block, folders[block.document]) == block.refused


@having("iptables")
def test_a_dump(block: Block, folders: dict[Path, Path]) -> None:
    assert errors(block, folders[block.document]) == block.refused


@pytest.mark.parametrize(
    "block",
    [block for block in BLOCKS if block.language == "yaml" and not block.text.startswith("apiVersion: ")],
    ids=lambda block: block.name,
)
def test_a_compose_file(block: Block) -> None:
    scenario, _ = read_compose(Source(block.file, block.text), "project")
    assert scenario.containers


@having("scenario")
def test_a_scenario_of_docker(block: Block) -> None:
    assert api.preview("docker", json.loads(block.text)).families == (4, 6)


@having("json")
def test_a_snapshot_or_a_host(block: Block, folders: dict[Path, Path]) -> None:
    if block.marker.endswith("; a host"):
        assert host_in(str(folders[block.document] / block.file)).interfaces
    else:
        assert errors(block, folders[block.document]) == block.refused


@having("toml")
def test_a_config(block: Block, tmp_path: Path) -> None:
    (tmp_path / "policyc.toml").write_text(block.text)
    assert read_config(tmp_path / "policyc.toml").path == tmp_path / "policyc.toml"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_python_of_a_document(path: Path, folders: dict[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of one document are one session, from top to bottom."""
    monkeypatch.chdir(folders[path])
    names: dict[str, object] = {}
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    said: list[str] = []
    for block in BLOCKS:
        if block.document == path and block.language == "python":
            test = EXAMPLES.get_doctest(block.text, names, block.name, str(path), block.line)
            assert test.examples, f"{block.name} has no `>>>`"
            runner.run(test, out=said.append, clear_globs=False)
            names = test.globs
    assert runner.failures == 0, "".join(said)


@pytest.mark.parametrize("command", COMMANDS, ids=[f"{one.block.name} {shlex.join(one.words)}" for one in COMMANDS])
def test_a_command(command: Command, folders: dict[Path, Path]) -> None:
    program, *words = command.words
    assert program == "policyc"
    if "--kernel" in words and os.geteuid() != 0:
        pytest.skip("--kernel needs root")
    folder = folders[command.block.document]
    done = subprocess.run([sys.executable, "-m", "policyc", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == command.code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    pattern = ".*".join(
        ".*?".join(map(re.escape, line.strip().split("…"))) for line in command.prints.splitlines() if line.strip()
    )
    assert re.search(pattern, done.stdout + done.stderr, re.DOTALL), f"printed:\n{done.stdout}{done.stderr}"


SCRIPTS = [block for block in BLOCKS if block.marker == "run in a namespace"]


@pytest.mark.kernel
@pytest.mark.parametrize("block", SCRIPTS, ids=[block.name for block in SCRIPTS])
def test_a_script_in_a_namespace(block: Block, folders: dict[Path, Path], tmp_path: Path) -> None:
    missing = [name for name in ("unshare", "iptables-restore", "ip6tables-restore", "ipset") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"loading needs root and {', '.join(missing) or 'namespaces'}")
    (tmp_path / "policyc").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m policyc "$@"\n')
    (tmp_path / "policyc").chmod(0o755)
    done = subprocess.run(
        ["unshare", "-n", "bash", "-e", "-o", "pipefail", "-c", block.text],
        cwd=folders[block.document],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.document.parent.name in {"docs", "engines"}], ids=lambda block: block.name
)
def test_every_block_of_the_docs_is_tested(block: Block) -> None:
    known = block.language in TESTED or block.marker == "prints" or RUN.fullmatch(block.marker) or block in SCRIPTS
    known = known or any(block.marker == f"file: {word}" for one in COMMANDS for word in one.words)
    assert known or block.document.name in DIAGRAMS, "nothing runs this block: say what it is in a comment above it"


def test_the_readme_has_commands() -> None:
    assert sum(command.block.document.name == "README.md" for command in COMMANDS) >= 6


@pytest.mark.parametrize(
    "path", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")), ids=lambda path: path.name
)
def test_links_between_documents_lead_somewhere(path: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", path.read_text()):
        if "://" in target:
            continue
        place = path.parent / target if target else path
        assert place.exists(), target
        if anchor:
            assert anchor in anchors(place), anchor


def anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
