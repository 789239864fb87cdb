"""Every code has a page, and the page tells the truth: its example fires the code, what to write instead is silent."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from policyc import api
from policyc.config import read_config
from policyc.diagnostics import CATALOGUE, Diagnostic, Entry
from policyc.readers.topology import host_of_topology
from policyc.writers.nft import nft_translation

PAGES = Path(api.__file__).parent / "diagnostics" / "pages"
SECTIONS = ["What it finds", "Why it matters", "Example", "Write instead"]
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
# What only a kernel can say; without one there is nothing to find.
OF_THE_KERNEL = {"PC701", "PC702"}
# What only the way to nftables asks; the rules themselves are fine.
OF_NFT = {"PC820", "PC821"}
# What only a file of megabytes shows.
OF_SIZE = {"PC904"}
# Findings that every page may show beside its own: a policy on a page is short.
ASIDE = {"PC521"}


def section(page: str, name: str) -> str:
    return page.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0]


def block(page: str, name: str) -> tuple[str, str]:
    found = BLOCK.search(section(page, name))
    assert found, f"the section {name} has no block"
    return found[1], found[2].replace("␛", "\x1b")


def findings(language: str, text: str, folder: Path) -> tuple[Diagnostic, ...]:
    try:
        if language == "toml":
            (folder / "policyc.toml").write_text(text)
            read_config(folder / "policyc.toml")
            return ()
        if language == "json":
            value = json.loads(text)
            if "format_version" in value:
                return api.check(text).diagnostics
            api.replay(value) if "packets" in value else host_of_topology(value)
            return ()
        if language == "scenario":
            asked = json.loads(text)
            return api.preview(asked["engine"], asked["scenario"]).notes
        if language == "text":
            return api.check(text).diagnostics
        ruleset = api.load(text, name={"policy": "edge.pol", "iptables": "rules.v4"}[language])
        return (*api.check(ruleset).diagnostics, *api.test(ruleset).diagnostics)
    except api.InputError as error:
        return error.diagnostics


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.code)
def test_a_page_has_its_sections(entry: Entry) -> None:
    page = entry.page()
    assert page.startswith(f"# {entry.code} {entry.name}\n")
    found = re.findall(r"^## (.*)$", page, re.MULTILINE)
    assert [name for name in found if name != "Background"] == SECTIONS
    assert page.endswith("\n")
    assert max(map(len, page.splitlines())) <= 120


def of_nft(entry: Entry, name: str) -> tuple[Diagnostic, ...]:
    """What the translation of a block to nftables finds, for the codes that are about it."""
    return nft_translation(api.load(block(entry.page(), name)[1])).findings if entry.code in OF_NFT else ()


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.code)
def test_the_example_fires_and_nothing_else_does(entry: Entry, tmp_path: Path) -> None:
    told = (*findings(*block(entry.page(), "Example"), tmp_path), *of_nft(entry, "Example"))
    fired = {found.code for found in told if entry.code not in OF_NFT or found.code in OF_NFT}
    assert fired - (ASIDE - {entry.code}) == {entry.code} - OF_THE_KERNEL - OF_SIZE


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.code)
def test_what_to_write_instead_is_silent(entry: Entry, tmp_path: Path) -> None:
    found = (*findings(*block(entry.page(), "Write instead"), tmp_path), *of_nft(entry, "Write instead"))
    assert not [one for one in found if one.code not in ASIDE - {entry.code}]


def test_no_page_is_left_of_a_code_that_is_gone() -> None:
    assert {file.stem for file in PAGES.glob("*.md")} == {entry.code for entry in CATALOGUE}
