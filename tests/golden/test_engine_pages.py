"""The pages in docs/engines have tables that are made from the data of the engines (`--update-golden` writes them)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from policyc.engines.kube_proxy.proxy import JUMPS
from policyc.engines.kube_proxy.versions import CHANGES, GATES, SERIES, behaviour_of

PAGES = sorted((Path(__file__).parents[2] / "docs" / "engines").glob("*.md"))
TABLE = re.compile(r"(?<=^<!-- table: )([\w-]+)( -->\n)(.*?)(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)


def table(*rows: Iterable[str]) -> str:
    """A table of Markdown, the first row being its head, with an empty line before and behind it."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["", lines[0], "|---" * lines[0].count(" | ") + "|---|", *lines[1:], "", ""])


def jumps() -> str:
    head = ("table", "chain", "jumps to", "if", "comment")
    return table(
        head, *((t, c, f"`{to}`", f"`{when.strip()}`" if when else "", says) for t, c, to, when, says in JUMPS)
    )


def releases() -> str:
    known = f"up to {SERIES[-1][0]}.{SERIES[-1][1]}"
    return table(("since", f"what changed ({known})"), *((change.since, change.says) for change in CHANGES))


def gates() -> str:
    newest = behaviour_of(f"{SERIES[-1][0]}.{SERIES[-1][1]}")
    rows = []
    for gate, (name, value, since) in GATES.items():
        first = next((change.since for change in CHANGES if getattr(behaviour_of(change.since), name) is value), "")
        assert first or getattr(newest, name) is not value
        rows.append((f"`{gate}`", since, f"since {first}" if first else "in none"))
    return table(("gate", "known since", "on by itself"), *rows)


TABLES: dict[str, Callable[[], str]] = {"jumps": jumps, "releases": releases, "gates": gates}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tables_of_a_page(page: Path, golden: Callable[[Path, str], None]) -> None:
    text = page.read_text(encoding="utf-8")
    golden(page, TABLE.sub(lambda found: f"{found[1]}{found[2]}{TABLES[found[1]]()}", text))


def test_every_table_stands_in_a_page() -> None:
    shown = [found[1] for page in PAGES for found in TABLE.finditer(page.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(TABLES)
