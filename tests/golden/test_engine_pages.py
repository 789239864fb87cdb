"""The pages in docs/engines have tables that are made from the data of the engines (`--update-golden` writes them)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from policyc.engines.docker import network_modes, versions
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


def docker_releases() -> str:
    meanings = _meanings()
    rows = [
        (since, meanings[name], _said(value)) for since, changed in versions.CHANGES for name, value in changed.items()
    ]
    return table(("since", "what", "now"), *rows)


def _meanings() -> dict[str, str]:
    """What each field of a behaviour says, by the docstring below it, else by that of its type."""
    (body,) = (
        node.body
        for node in ast.parse(Path(str(versions.__file__)).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == "Behaviour"
    )
    found = {}
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            said = below.value.value if isinstance(below, ast.Expr) else getattr(versions, node.annotation.id).__doc__
            found[node.target.id] = said.partition(";")[0].rstrip(".").replace("\n    ", " ")
    return found


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    words = sorted(value) if isinstance(value, frozenset) else [getattr(value, "value", value)]
    return ", ".join(f"`{word}`" if isinstance(value, frozenset) else str(word) for word in words)


def docker_series() -> str:
    newest = [f"{series}.{last}" for series, last in versions.SERIES]
    return table(("series", "newest known"), *zip((series for series, _ in versions.SERIES), newest, strict=True))


def docker_modes() -> str:
    head = ("mode", "in", "out", "`-p`", "the server sees", "beside that")
    rows = [
        (
            one.name,
            " → ".join(one.into) or "none",
            " → ".join(one.out_of) or "none",
            one.publishes,
            one.seen,
            one.remark,
        )
        for one in network_modes.MODES
    ]
    return table(head, *rows)


TABLES: dict[str, Callable[[], str]] = {
    "jumps": jumps,
    "releases": releases,
    "gates": gates,
    "docker-releases": docker_releases,
    "docker-series": docker_series,
    "docker-modes": docker_modes,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tables_of_a_page(page: Path, golden: Callable[[Path, str], None]) -> None:
    text = page.read_text(encoding="utf-8")
    golden(page, TABLE.sub(lambda found: f"{found[1]}{found[2]}{TABLES[found[1]]()}", text))


def test_every_table_stands_in_a_page() -> None:
    shown = [found[1] for page in PAGES for found in TABLE.finditer(page.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(TABLES)
