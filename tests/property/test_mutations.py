"""Broken policies and dumps: an error with a place or a valid result, never a traceback, whatever was typed."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from policyc import api

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.pol"))
MUTATIONS = 1000
SNIPPETS = [
    "{",
    "}",
    ";",
    ",",
    "->",
    "=",
    "#",
    '"',
    "'",
    "not",
    "from",
    "10.0.0.5/8",
    "::",
    "/",
    ":",
    "\\",
    "\x00",
    "é",
    "-j",
    "!",
]


def mutated(text: str, draw: Random) -> str:
    """Return the text with one to three places deleted, doubled, swapped or overwritten."""
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(text))
        length = draw.randint(1, 12)
        match draw.randrange(5):
            case 0:
                text = text[:at] + text[at + length :]
            case 1:
                text = text[:at] + draw.choice(SNIPPETS) + text[at:]
            case 2:
                text = text[:at] + text[at : at + length] * 2 + text[at + length :]
            case 3:
                other = draw.randrange(len(text))
                text = text[:at] + text[other : other + length] + text[at + length :]
            case _:
                text = text[:at]
        if not text:
            text = "\n"
    return text + "\n"


def assert_answered(text: str) -> None:
    try:
        ruleset = api.load(text, name="mutated")
    except api.InputError as error:
        assert error.diagnostics
        for finding in error.diagnostics:
            assert finding.message
            assert finding.span is not None, finding
            assert 0 <= finding.span.start <= finding.span.end <= len(finding.span.source.text) + 1
        return
    for family in ruleset.families:
        text = api.iptables_save(ruleset, family)
        if ruleset.shared:  # for a host on which the chains of others exist
            api.load(text.replace("*filter\n", "*filter\n:DOCKER-USER - [0:0]\n", 1), family=family)
            continue
        again = api.load(text, family=family)
        assert api.iptables_save(again, family) == text


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_mutated_policies(path: Path) -> None:
    draw = Random(path.stem)
    text = path.read_text()
    for _ in range(MUTATIONS // len(EXAMPLES) + 1):
        assert_answered(mutated(text, draw))


def test_mutated_dumps() -> None:
    draw = Random("dumps")
    for path in EXAMPLES:
        text = api.iptables_save(api.load(path), 4)
        for _ in range(40):
            assert_answered(mutated(text, draw))
