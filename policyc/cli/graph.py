"""`policyc graph`: hooks, chains and jumps as text, DOT, Mermaid or SVG."""

from __future__ import annotations

import sys

import click

from policyc.cli.options import (
    Asked,
    NotAskedError,
    color_option,
    config_options,
    one_ruleset,
    output_option,
    source_options,
)
from policyc.cli.output import emit, style_for
from policyc.config import Config
from policyc.report.chain_graph import TableGraph, table_graphs
from policyc.report.style import PLAIN, Style

SHAPES = ("text", "dot", "mermaid", "svg")


@click.command("graph")
@source_options
@click.option("--format", "format_name", type=click.Choice(SHAPES), default="text", help="How it looks.")
@click.option("--family", type=click.Choice(("4", "6")), help="Only this family.")
@click.option("--table", metavar="NAME", help="Only this table.")
@output_option
@color_option
@config_options
def command(
    *,
    asked: Asked,
    config: Config,
    format_name: str,
    family: str | None,
    table: str | None,
    output: str | None,
    color: str | None,
) -> None:
    """Draw which chains the kernel enters in which order, and where their rules jump."""
    ruleset = one_ruleset(asked.given(config))
    graphs = table_graphs(ruleset, (int(family),) if family else (4, 6))
    if table is not None:
        there = ", ".join(dict.fromkeys(graph.table for graph in graphs))
        graphs = [graph for graph in graphs if graph.table == table]
        if not graphs:
            raise NotAskedError(f"there is no table `{table}` in this source; it has {there or 'none'}")
    if not graphs:
        raise NotAskedError(f"there are no {f'IPv{family} ' if family else ''}tables in this source")
    style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
    emit(_drawn(format_name, graphs, style), output)


def _drawn(name: str, graphs: list[TableGraph], style: Style) -> str:
    if name == "dot":
        from policyc.report.graph_dot import graph_dot

        return graph_dot(graphs)
    if name == "mermaid":
        from policyc.report.graph_mermaid import graph_mermaid

        return graph_mermaid(graphs)
    if name == "svg":
        from policyc.report.graph_svg import graph_svg

        return graph_svg(graphs)
    from policyc.report.graph_text import graph_text

    return graph_text(graphs, style)
