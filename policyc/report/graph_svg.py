"""The chain graph as one self-contained SVG: the packet's path on top, below it each table from its base chains to the right.

No script, no font and no picture from elsewhere; light and dark by the reader's choice; titles say what a line means.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from policyc.frozen import frozen
from policyc.netfilter.hooks import Hook
from policyc.report.chain_graph import ChainJump, ChainNode, TableGraph, stops
from policyc.report.printable import printable, width

MARGIN, CHARACTER, LINE = 20, 7.3, 16
BOX, GAP, AISLE = 40, 14, 110
"""Height of a chain's box, room between two boxes below each other, room between two layers; all in user units."""

CAPTIONS = 2
"""Lines into one side of a box that have captions beside them; where there are more, their titles say the same."""

_STYLE = """
svg { background: #ffffff; font: 12px ui-monospace, 'DejaVu Sans Mono', monospace; fill: #1f2328; }
.head { font-weight: bold; font-size: 14px; } .faint { fill: #59636e; font-size: 11px; }
rect { fill: #f6f8fa; stroke: #59636e; } rect.base { fill: #ddf4ff; stroke: #0969da; stroke-width: 2; }
rect.odd { fill: #fff8c5; stroke: #9a6700; stroke-dasharray: 5 3; } rect.absent { fill: none; stroke: #d1d9e0; }
path { fill: none; stroke: #59636e; stroke-width: 1.3; } path.goto { stroke-dasharray: 5 3; } path.back { stroke: #cf222e; }
.paper { fill: #ffffff; stroke: none; }
@media (prefers-color-scheme: dark) {
svg { background: #0d1117; fill: #f0f6fc; } .faint { fill: #9198a1; } .paper { fill: #0d1117; }
rect { fill: #151b23; stroke: #9198a1; } rect.base { fill: #121d2f; stroke: #4493f8; }
rect.odd { fill: #272115; stroke: #d29922; } rect.absent { stroke: #3d444d; }
path { stroke: #9198a1; } path.back { stroke: #f85149; } }
"""


@frozen
class _Box:
    """Where a chain is drawn."""

    node: ChainNode
    x: float
    y: float
    wide: float


def graph_svg(graphs: Sequence[TableGraph]) -> str:
    """Return the drawing."""
    parts: list[str] = []
    y, widest = float(MARGIN), 0.0
    for family in sorted({graph.family for graph in graphs}):
        tables = [graph for graph in graphs if graph.family == family]
        drawn, y, right = _path(family, tables, y)
        parts += drawn
        widest = max(widest, right)
        for graph in tables:
            drawn, y, right = _table(graph, y)
            parts += drawn
            widest = max(widest, right)
    wide, high = _n(widest + MARGIN), _n(y)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" role="img">\n'
        f"<title>Hooks, chains and jumps</title>\n<style>{_STYLE}</style>\n"
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 L8 4 L0 8"/></marker></defs>\n'
    )
    return head + "".join(f"{part}\n" for part in parts) + "</svg>\n"


def _path(family: int, tables: Sequence[TableGraph], y: float) -> tuple[list[str], float, float]:
    """Return the five hooks with the stops of each, those filled where this ruleset has a chain; the y below; the width."""
    there = {(graph.table, node.name) for graph in tables for node in graph.nodes}
    parts = [_label(MARGIN, y + 12, f"IPv{family}: the way of a packet", "head")]
    y += 2 * LINE
    widest = 0.0
    for hook in Hook:
        x = float(MARGIN)
        parts.append(_label(x, y + 17, hook.value))
        x += 13 * CHARACTER
        for stage in stops(hook.value):
            wide = 10 * CHARACTER
            known = "base" if (stage, hook.value) in there else "absent"
            parts.append(f'<rect class="{known}" x="{_n(x)}" y="{_n(y)}" width="{_n(wide)}" height="24" rx="3"/>')
            parts.append(_label(x + 8, y + 16, stage, "" if known == "base" else "faint"))
            x += wide + 8
        widest = max(widest, x)
        y += 30
    return parts, y + MARGIN, widest


def _table(graph: TableGraph, y: float) -> tuple[list[str], float, float]:
    """Return one table's drawing, the y below it and its width."""
    boxes = _boxes(graph, y + 2 * LINE)
    parts = [_label(MARGIN, y + 12, f"IPv{graph.family} {graph.table}", "head")]
    lines, captions = _lines(graph, boxes)
    parts += [*lines, *captions, *(_chain(box) for box in boxes.values())]
    bottom = max((box.y + BOX for box in boxes.values()), default=y + LINE)
    return parts, bottom + 2 * MARGIN, max((box.x + box.wide + 60 for box in boxes.values()), default=0)


def _boxes(graph: TableGraph, top: float) -> dict[str, _Box]:
    """Return where the chains stand: a column for each layer, in it each chain near those that jump to it."""
    columns: dict[int, list[ChainNode]] = {}
    for node in graph.nodes:
        columns.setdefault(node.layer, []).append(node)
    callers: dict[str, list[str]] = {}
    for jump in graph.jumps:
        callers.setdefault(jump.target, []).append(jump.source)
    boxes: dict[str, _Box] = {}
    x = float(MARGIN)
    for layer in sorted(columns):
        placed = [
            (sum(heights) / len(heights) if heights else float(index), index, node)
            for index, node in enumerate(columns[layer])
            for heights in [[boxes[name].y for name in callers.get(node.name, ()) if name in boxes]]
        ]
        wide = max(_box_width(node) for node in columns[layer])
        for row, (_, _, node) in enumerate(sorted(placed, key=lambda item: item[:2])):
            boxes[node.name] = _Box(node, x, top + row * (BOX + GAP), wide)
        x += wide + AISLE
    return boxes


def _box_width(node: ChainNode) -> float:
    return max(width(printable(node.name)), width(node.caption)) * CHARACTER + 20


def _chain(box: _Box) -> str:
    node = box.node
    kind = "base" if node.base else "chain" if node.reached and node.defined else "odd"
    return (
        f"<g><title>{_safe(f'{node.name}: {node.caption}')}</title>"
        f'<rect class="{kind}" x="{_n(box.x)}" y="{_n(box.y)}" width="{_n(box.wide)}" height="{BOX}" rx="4"/>'
        f"{_label(box.x + 10, box.y + 17, node.name)}{_label(box.x + 10, box.y + 32, node.caption, 'faint')}</g>"
    )


def _lines(graph: TableGraph, boxes: dict[str, _Box]) -> tuple[list[str], list[str]]:
    """Return the lines and their captions; lines leave and reach a box side by side, in the order of their other ends."""
    leaving: dict[str, list[ChainJump]] = {}
    reaching: dict[tuple[str, bool], list[ChainJump]] = {}
    for jump in graph.jumps:
        leaving.setdefault(jump.source, []).append(jump)
        reaching.setdefault((jump.target, _is_back(jump, boxes)), []).append(jump)
    start, end = {}, {}
    for jumps in leaving.values():
        start.update(_ports(sorted(jumps, key=lambda jump: boxes[jump.target].y)))
    for jumps in reaching.values():
        end.update(_ports(sorted(jumps, key=lambda jump: boxes[jump.source].y)))
    captioned = [jump for jumps in reaching.values() if len(jumps) <= CAPTIONS for jump in jumps]
    lines = [_line(jump, boxes, start[jump], end[jump]) for jump in graph.jumps]
    return lines, [_caption(jump, boxes, end[jump]) for jump in captioned]


def _ports(jumps: Sequence[ChainJump]) -> dict[ChainJump, float]:
    """Return how far below a box's upper edge each of the lines at one side of it ends."""
    return {jump: BOX * (index + 1) / (len(jumps) + 1) for index, jump in enumerate(jumps)}


def _is_back(jump: ChainJump, boxes: dict[str, _Box]) -> bool:
    return boxes[jump.target].x <= boxes[jump.source].x


def _line(jump: ChainJump, boxes: dict[str, _Box], start: float, end: float) -> str:
    source, target = boxes[jump.source], boxes[jump.target]
    back = _is_back(jump, boxes)
    kind = " ".join(word for word, said in (("goto", jump.goto), ("back", back)) if said)
    x1, y1 = source.x + source.wide, source.y + start
    x2, y2 = target.x + target.wide * back, target.y + end
    bend = AISLE / 2
    curve = (
        f"M{_n(x1)} {_n(y1)} C{_n(x1 + bend)} {_n(y1)} {_n(x2 + (bend if back else -bend))} {_n(y2)} {_n(x2)} {_n(y2)}"
    )
    title = _safe(f"{jump.source} {jump.caption} to {jump.target}")
    attribute = f' class="{kind}"' if kind else ""
    return f'<path{attribute} d="{curve}" marker-end="url(#tip)"><title>{title}</title></path>'


def _caption(jump: ChainJump, boxes: dict[str, _Box], end: float) -> str:
    """Return the rule numbers beside the line's end, on a patch of paper so that lines do not cross them."""
    target = boxes[jump.target]
    wide = width(jump.caption) * 6.7
    x = target.x + target.wide + 14 if _is_back(jump, boxes) else target.x - wide - 14
    y = target.y + end
    return (
        f'<rect class="paper" x="{_n(x - 2)}" y="{_n(y - 6)}" width="{_n(wide + 4)}" height="12"/>'
        f"{_label(x, y + 4, jump.caption, 'faint')}"
    )


def _label(x: float, y: float, text: str, kind: str = "") -> str:
    attribute = f' class="{kind}"' if kind else ""
    return f'<text{attribute} x="{_n(x)}" y="{_n(y)}">{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(printable(text))


def _n(value: float) -> str:
    """Return a number as short as it is exact to a tenth."""
    return f"{value:.1f}".removesuffix(".0")
