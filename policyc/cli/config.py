"""`policyc config`: which values count, and where each comes from."""

from __future__ import annotations

from typing import Any

import click

from policyc.cli.options import config_options
from policyc.cli.output import emit
from policyc.config import KEYS, Config, display


@click.command("config")
@config_options
@click.option("--format", "format_name", type=click.Choice(("text", "json")), default="text", help="How it looks.")
def command(config: Config, format_name: str) -> None:
    """Print the resolved configuration: each key, its value, and the line that says so."""
    if format_name == "json":
        from policyc.report.json import json_text

        settings = {key: {"value": _value(config, key), "origin": _origin(config, key)} for key in KEYS}
        emit(json_text({"file": display(config.path) if config.path else None, "settings": settings}))
        return
    import json

    rows = [(key, json.dumps(_value(config, key)), _origin(config, key)) for key in KEYS]
    wide, wider = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    head = f"config file: {display(config.path)}" if config.path else "config file: none"
    lines = [f"{key:{wide}} = {value:{wider}}  {origin}" for key, value, origin in rows]
    emit("\n".join([ascii_escaped(head), *map(ascii_escaped, lines)]) + "\n")


def ascii_escaped(text: str) -> str:
    """Return the text without control characters."""
    from policyc.report.printable import printable

    return printable(text)


def _value(config: Config, key: str) -> Any:
    value = getattr(config, key.replace("-", "_"))
    if isinstance(value, tuple):
        return list(value)
    return {code: severity.label for code, severity in value.items()} if key == "severity" else value


def _origin(config: Config, key: str) -> str:
    return config.origins.get(key, "default")
