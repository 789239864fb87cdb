"""The chain graph in the language of Graphviz: a cluster for each table, dashed lines for gotos."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.report.chain_graph import TableGraph
from policyc.report.printable import printable


def graph_dot(graphs: Sequence[TableGraph]) -> str:
    """Return a digraph; names are quoted, so that any chain name is only a label."""
    lines = [
        "digraph policyc {",
        "  rankdir=LR;",
        '  node [shape=box, fontname="monospace"];',
        '  edge [fontname="monospace"];',
    ]
    for number, graph in enumerate(graphs):
        lines.append(f"  subgraph cluster_{number} {{")
        lines.append(f"    label={_quoted(f'IPv{graph.family} {graph.table}')};")
        ids = {node.name: f"t{number}c{index}" for index, node in enumerate(graph.nodes)}
        for node in graph.nodes:
            shape = ", style=bold" if node.base else "" if node.reached and node.defined else ", style=dashed"
            lines.append(f"    {ids[node.name]} [label={_quoted(node.name, node.caption)}{shape}];")
        for jump in graph.jumps:
            dashed = ", style=dashed" if jump.goto else ""
            lines.append(f"    {ids[jump.source]} -> {ids[jump.target]} [label={_quoted(jump.caption)}{dashed}];")
        lines.append("  }")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(*lines: str) -> str:
    texts = (printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(texts) + '"'
