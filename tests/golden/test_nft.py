"""Rules of iptables as native nftables, in `nft/`: what is written, and what is said where there is no form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policyc import api
from policyc.diagnostics import InputError, Severity
from policyc.writers.nft import nft_text, nft_translation

FOLDER = Path(__file__).parent / "nft"
RULES = sorted(FOLDER.glob("*.rules"))


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_rules_as_nftables(file: Path, golden: Callable[[Path, str], None]) -> None:
    made = nft_translation(api.load(file))
    errors = [found for found in made.findings if found.severity is Severity.ERROR]
    said = "".join(f"{f.span.line}: {f.code} {f.message}{f'; {f.help}' if f.help else ''}\n" for f in made.findings)
    golden(file.with_suffix(".nft"), said if errors else made.text)


def test_what_has_no_form_is_named_at_each_of_its_rules_and_nothing_is_written() -> None:
    ruleset = api.load(FOLDER / "no-form.rules")
    with pytest.raises(InputError) as caught:
        nft_text(ruleset)
    rules = {rule.span.line for _, _, _, rule in ruleset.rules() if rule.span}
    assert {found.span.line for found in caught.value.diagnostics if found.span} == rules


def test_the_same_rules_give_the_same_bytes() -> None:
    for file in RULES:
        assert nft_translation(api.load(file)).text == nft_translation(api.load(file)).text
