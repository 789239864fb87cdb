"""The house keeps its order: imports go one way, one room touches the machine, start-up stays light, files stay small."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "policyc"
FILES = sorted(PACKAGE.rglob("*.py"))
MACHINE = {"subprocess", "socket", "ctypes", "webbrowser", "iptc", "pty", "multiprocessing"}
STARTS = {"system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp"} | {
    f"{start}{end}" for start in ("exec", "spawn") for end in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")
}
MOST_LINES = 400


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "__import__":
            yield from (arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant))


def test_rooms_import_only_from_rooms_below() -> None:
    from importlinter.cli import lint_imports

    assert lint_imports(config_filename=str(ROOT / ".importlinter"), cache_dir=None) == 0


def test_the_table_of_rooms_is_the_contract() -> None:
    _, _, layers = (ROOT / ".importlinter").read_text().partition("layers =\n")
    contract = [
        {room.strip() for room in line.split("|") if not room.strip().startswith("(")} for line in layers.splitlines()
    ]
    rows = re.findall(r"^\| (`[a-z`, ]+`) \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    assert [set(re.findall(r"[a-z]+", row)) for row in rows] == [rooms for rooms in contract if rooms]


@pytest.mark.parametrize("file", FILES, ids=name)
def test_only_the_kernel_room_touches_the_machine(file: Path) -> None:
    if file.is_relative_to(PACKAGE / "kernel"):
        return
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert not {module.split(".")[0] for module in imported(tree)} & MACHINE
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    started = {
        call.attr
        for call in calls
        if isinstance(call, ast.Attribute) and isinstance(call.value, ast.Name) and call.value.id == "os"
    }
    assert not started & STARTS


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_has_a_docstring_and_one_subject(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), "a module says where in the pipeline it stands"
    assert text.count("\n") <= MOST_LINES


def loaded_after(code: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after some lines of Python."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sorted(sys.modules), sep='\\n')"],
        capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    return set(done.stdout.split())


def modules(names: set[str]) -> set[str]:
    return {each.split(".")[0] for each in names}


def test_the_version_is_printed_before_any_import() -> None:
    code = "import sys\nsys.argv = ['policyc', '--version']\nfrom policyc.__main__ import main\nmain()"
    assert {each for each in loaded_after(code) if each.startswith("policyc")} == {"policyc", "policyc.__main__"}
    assert not modules(loaded_after(code)) & {"click", "lark", "pydantic", "networkx", "rich"}


def test_the_api_loads_nothing_heavy() -> None:
    loaded = modules(loaded_after("import policyc.api"))
    assert not loaded & {"lark", "click", "pydantic", "networkx", "rich", "yaml", "subprocess", "socket"}


DUMP = (
    "*filter\\n:INPUT DROP [0:0]\\n-A INPUT -i lo -j ACCEPT\\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\\nCOMMIT\\n"
)


def test_checking_a_dump_loads_nothing_that_it_does_not_need() -> None:
    loaded = modules(loaded_after(f"from policyc import api\napi.check(api.load('{DUMP}'))"))
    assert not loaded & {"lark", "pydantic", "networkx", "rich", "yaml", "click", "importlib_metadata"}


@pytest.mark.parametrize("source", ["dump.rules", "web.pol"])
def test_the_command_loads_nothing_that_it_does_not_need(source: str, tmp_path: Path) -> None:
    file = tmp_path / source
    file.write_text(
        DUMP.replace("\\n", "\n") if source.endswith(".rules") else (ROOT / "examples" / "web-server.pol").read_text()
    )
    code = f"from policyc.cli.main import run\nassert run(['check', {str(file)!r}, '--format', 'json', '-o', {str(tmp_path / 'out')!r}]) == 0"
    loaded = {each for each in loaded_after(code) if not each.startswith("/")}
    assert not modules(loaded) & {"pydantic", "networkx", "rich", "yaml"}
    if source.endswith(".rules"):
        assert "lark" not in modules(loaded)


def test_importing_the_api_starts_no_process() -> None:
    code = (
        "import sys\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append(event) if event in "
        "('subprocess.Popen', 'os.system', 'os.exec', 'os.fork', 'os.posix_spawn', 'socket.__new__') else None)\n"
        "from policyc import api\n"
        f"api.check(api.load('{DUMP}'))\n"
        "assert not seen, seen"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env={**os.environ}, check=False
    )
    assert done.returncode == 0, done.stderr
