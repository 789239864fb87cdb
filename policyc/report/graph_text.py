"""The chain graph as an indented tree: hooks in the kernel's order, below each table the chains that its rules enter."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.netfilter.hooks import Hook
from policyc.report.chain_graph import ChainJump, TableGraph, stops
from policyc.report.style import PLAIN, Style


def graph_text(graphs: Sequence[TableGraph], style: Style = PLAIN) -> str:
    """Return the trees of both families; a chain that was shown above is not expanded again, a loop is named."""
    blocks = []
    for family in sorted({graph.family for graph in graphs}):
        tables = {graph.table: graph for graph in graphs if graph.family == family}
        lines = [style.paint("bold", f"IPv{family}")]
        shown: set[tuple[str, str]] = set()
        for hook in Hook:
            lines.extend(_hook(hook.value, tables, shown, style))
        for graph in tables.values():
            lines.extend(
                f"  never entered: {style.foreign(f'{graph.table}/{node.name}')} ({style.foreign(node.caption)})"
                for node in graph.nodes
                if node.defined and not node.reached
            )
        blocks.append("".join(f"{line}\n" for line in lines))
    return "\n".join(blocks)


def _hook(hook: str, tables: dict[str, TableGraph], shown: set[tuple[str, str]], style: Style) -> list[str]:
    lines = []
    for stage in stops(hook):
        graph = tables.get(stage)
        if graph is None or all(node.name != hook for node in graph.nodes):
            continue
        lines.append(f"    {style.paint('gutter', stage)}  {graph.node(hook).caption}")
        lines.extend(f"      {line}" for line in _below(graph, hook, shown, style))
    return [f"  {style.paint('bold', hook)}", *lines] if lines else []


def _below(graph: TableGraph, start: str, shown: set[tuple[str, str]], style: Style) -> list[str]:
    """Return the jumps below a chain; an own stack, because chains may be nested deeper than Python's."""
    lines: list[str] = []
    stack: list[tuple[int, ChainJump, tuple[str, ...]]] = [
        (0, jump, (start,)) for jump in reversed(graph.jumps_from(start))
    ]
    while stack:
        depth, jump, path = stack.pop()
        node = graph.node(jump.target)
        known = (graph.table, node.name)
        children = graph.jumps_from(node.name)
        if node.name in path:
            note = "loop"
        elif known in shown and children:
            note = f"{node.caption}, see above"
        else:
            note = node.caption
            stack.extend((depth + 1, child, (*path, node.name)) for child in reversed(children))
        shown.add(known)
        arrow = "=>" if jump.goto else "->"
        lines.append(f"{'  ' * depth}{jump.caption} {arrow} {style.foreign(node.name)} ({note})")
    return lines
