"""Whatever a file holds, a command answers: an exit code of the contract and a message, never an internal error."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policyc.cli.exit import Exit
from policyc.cli.main import run

DUMP = (Path(__file__).parents[1] / "golden" / "report" / "chains.rules").read_bytes()
COMMANDS = (
    ["check"],
    ["check", "--format", "sarif"],
    ["compile", "--family", "both"],
    ["show"],
    ["graph"],
    ["fmt", "--diff"],
)
CONFIG = b'sources = ["*.v4"]\nselect = ["PC1"]\nfail-on = "error"\n[severity]\nPC104 = "info"\n'


@st.composite
def damaged(draw, text: bytes) -> bytes:
    """A text of which some stretches were replaced, repeated or lost."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 40)))
        piece = draw(
            st.one_of(
                st.binary(max_size=8), st.sampled_from([b"", b"\n", b'"', text[start:end] * 2, b"\r", b"'", b"!"])
            )
        )
        text = text[:start] + piece + text[end:]
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("any")


def ask(capfd, words: list[str]) -> None:
    code = run(words)
    captured = capfd.readouterr()
    assert "internal error" not in captured.err
    assert code in {Exit.FINE, Exit.BAD_NEWS, Exit.NOT_ASKED}
    assert captured.out or captured.err or words[0] == "fmt"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=200), damaged(DUMP)), words=st.sampled_from(COMMANDS))
@example(data=b"*filter\n:\x1b ACCEPT [0:0]\nCOMMIT\n", words=["check"])
@example(data=b"\xff\xfe*\x00", words=["show"])
def test_any_dump(folder, capfd, data, words) -> None:
    path = folder / "any.rules"
    path.write_bytes(data)
    ask(capfd, [words[0], str(path), *words[1:]])


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.one_of(st.binary(max_size=100), damaged(CONFIG)))
@example(data=b"[tool.policyc\n")
@example(data=b'"\\u0000" = 1\n')
@example(data=b'sources = ["\\u0000", "**x", "..", "~"]\n')
def test_any_config(folder, capfd, data) -> None:
    path = folder / "any.toml"
    path.write_bytes(data)
    ask(capfd, ["config", "--config", str(path)])
    ask(capfd, ["check", "--config", str(path)])
