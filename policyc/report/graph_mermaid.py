"""The chain graph as a Mermaid flow chart, which forges draw inside Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.report.chain_graph import TableGraph
from policyc.report.printable import printable

_ENTITIES = {"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "&": "#amp;", "`": "#96;", "\\": "#92;"}


def graph_mermaid(graphs: Sequence[TableGraph]) -> str:
    """Return the flow chart; node ids are numbers of ours, labels are escaped by Mermaid's entities."""
    lines = ["flowchart LR"]
    for number, graph in enumerate(graphs):
        lines.append(f'  subgraph t{number}["IPv{graph.family} {_label(graph.table)}"]')
        ids = {node.name: f"t{number}c{index}" for index, node in enumerate(graph.nodes)}
        for node in graph.nodes:
            text = f'"{_label(node.name)}<br/>{_label(node.caption)}"'
            lines.append(f"    {ids[node.name]}" + (f"([{text}])" if node.base else f"[{text}]"))
        for jump in graph.jumps:
            arrow = "-.->" if jump.goto else "-->"
            lines.append(f'    {ids[jump.source]} {arrow}|"{_label(jump.caption)}"| {ids[jump.target]}')
        lines.append("  end")
    return "\n".join(lines) + "\n"


def _label(text: str) -> str:
    return "".join(_ENTITIES.get(character, character) for character in printable(text))
