"""The catalogue for readers: the page of a code, the list of all codes, both as JSON."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.diagnostics import Entry
from policyc.report.json import json_text
from policyc.report.style import Style


def rule_page(item: Entry, style: Style) -> str:
    """Return a code's page: its Markdown, drawn where colour is wanted."""
    text = _page(item)
    if not style.colour:
        return style.own(text)
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown

    drawn = StringIO()
    console = Console(file=drawn, force_terminal=True, width=100, legacy_windows=False)
    console.print(Markdown(text), markup=False)
    return style.own(drawn.getvalue())


def rule_list(items: Sequence[Entry], style: Style) -> str:
    """Return one line a code: code, severity, name, what it is about."""
    wide = max(len(item.name) for item in items)
    return "".join(
        f"{style.paint('bold', item.code)}  {style.paint(item.severity, f'{item.severity:7}')}  {item.name:{wide}}  "
        f"{style.own(item.summary)}\n"
        for item in items
    )


def rules_json(items: Sequence[Entry]) -> str:
    """Return the codes with their pages as JSON."""
    return json_text({"rules": [_json(item) for item in items]})


def _json(item: Entry) -> dict[str, str]:
    return {
        "code": item.code,
        "name": item.name,
        "severity": item.severity,
        "summary": item.summary,
        "url": item.url,
        "page": _page(item),
    }


def _page(item: Entry) -> str:
    try:
        return item.page()
    except FileNotFoundError:
        return f"# {item.code} {item.name} ({item.severity})\n\n{item.summary[:1].upper()}{item.summary[1:]}.\n"
