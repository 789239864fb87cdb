"""The map of hooks as an SVG: where a packet can go, where it went as a thick line, and where its way ended. For the page.

Everything is drawn once at fixed places. Boxes that the packet crossed lead to their step; a title says what each is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from policyc.frozen import frozen
from policyc.netfilter.hooks import VISITS, Hook
from policyc.report.printable import printable

WIDE, HIGH = 990, 440
_BOX_WIDE, _BOX_HIGH, _GAP = 72, 26, 5
_ROW, _FORK, _LOCAL_BOTTOM = 345, 448, 46
_OUT_X, _LAST_X = 650, 735
_HIDDEN = frozenset(("defrag", "routing", "helper", "confirm"))
_STAGES = {
    hook: [visit.stage for visit in VISITS if visit.hook is hook and visit.stage not in _HIDDEN] for hook in Hook
}
_LEFT = {Hook.PREROUTING: 104, Hook.FORWARD: 486, Hook.POSTROUTING: 752}
_WAYS: dict[str, tuple[tuple[int, int], ...]] = {
    "PREROUTING": ((76, _ROW), (_FORK, _ROW)),
    "INPUT": ((_FORK, _ROW), (_FORK, _LOCAL_BOTTOM)),
    "FORWARD": ((_FORK, _ROW), (_LAST_X, _ROW)),
    "OUTPUT": ((_OUT_X, _LOCAL_BOTTOM), (_OUT_X, 292), (_LAST_X, 292), (_LAST_X, _ROW)),
    "POSTROUTING": ((_LAST_X, _ROW), (918, _ROW)),
    "loopback": ((906, _ROW), (906, 424), (90, 424), (90, _ROW)),
}
"""The lines between the places; the packet's path goes along them."""


@frozen
class Stop:
    """A place that the packet came to: `hook` one of the five, `routing`, `loopback` or `entry`, with the step about it.

    `tag` is what changed there, in short lines; `ends`: its way was over here.
    """

    hook: str
    stage: str
    step: int
    tag: tuple[str, ...] = ()
    ends: bool = False

    @property
    def key(self) -> str:
        """The name of its box in the page."""
        return f"box-{self.hook}-{self.stage}" if self.stage else f"box-{self.hook}"


def hook_map(stops: Sequence[Stop], word: str, devices: tuple[str, str], title: str) -> str:
    """Return the drawing; `word` is the verdict, `devices` where packets come in and leave, `title` says what it shows."""
    crossed = {stop.key: stop for stop in stops}
    path = _path(stops)
    high = HIGH if "box-loopback" in crossed else HIGH - 38
    parts = [
        f'<svg class="map" viewBox="0 0 {WIDE} {high}" role="group" aria-labelledby="map-title">',
        f'<title id="map-title">{_safe(title)}</title>',
        *(
            f'<polyline class="way" points="{_points(points)}"/>'
            for name, points in _WAYS.items()
            if name != "loopback"
        ),
        *_ends(devices),
        f'<polyline class="path" points="{_points(path)}"/>' if len(path) > 1 else "",
        *_boxes(crossed),
        *_tags(stops),
        _end_mark(path[-1], stops, word),
        "</svg>",
    ]
    return "\n".join(filter(None, parts))


# ---------------------------------------------------------------------- places
def _place(hook: Hook, stage: str) -> tuple[int, int]:
    """Return the upper left corner of a stage's box."""
    index = _STAGES[hook].index(stage)
    if hook is Hook.INPUT:
        return _FORK - _BOX_WIDE // 2, 270 - index * (_BOX_HIGH + 8)
    if hook is Hook.OUTPUT:
        return _OUT_X - _BOX_WIDE // 2, 76 + index * (_BOX_HIGH + 8)
    return _LEFT[hook] + index * (_BOX_WIDE + _GAP), _ROW - _BOX_HIGH // 2


def _middle(stop: Stop) -> tuple[int, int]:
    if stop.hook == "routing":
        return _FORK, _ROW
    if stop.hook == "loopback":
        return 500, 424
    if stop.hook == "leaving":
        return _OUT_X, 60
    if stop.hook == "entry" or not stop.stage:
        return 76, _ROW
    x, y = _place(Hook(stop.hook), stop.stage)
    return x + _BOX_WIDE // 2, y + _BOX_HIGH // 2


def _boxes(crossed: dict[str, Stop]) -> Iterator[str]:
    """Yield the boxes: those of the stages, routing, loopback and the group names."""
    for hook, stages in _STAGES.items():
        yield _group(hook)
        for stage in stages:
            x, y = _place(hook, stage)
            yield _box(crossed.get(f"box-{hook.value}-{stage}"), f"box-{hook.value}-{stage}", x, y, hook.value, stage)
    for name, x, y in (("routing", _FORK, _ROW), ("leaving", _OUT_X, 60)):
        stop = crossed.get(f"box-{name}")
        points = (
            f"{x - 30},{y} {x},{y - 17} {x + 30},{y} {x},{y + 17}"
            if name == "routing"
            else f"{x - 16},{y} {x},{y - 10} {x + 16},{y} {x},{y + 10}"
        )
        label = (
            f'<text x="{x}" y="{y + 32}">routing</text>'
            if name == "routing"
            else f'<text x="{x + 22}" y="{y + 4}" class="start">routing</text>'
        )
        yield _linked(stop, f"box-{name}", f'<polygon points="{points}"/>{label}', "routing")
    if (stop := crossed.get("box-loopback")) is not None:
        body = '<rect x="464" y="411" width="72" height="26" rx="4"/><text x="500" y="428">lo</text>'
        yield _linked(stop, "box-loopback", body, "loopback")


def _box(stop: Stop | None, key: str, x: int, y: int, hook: str, stage: str) -> str:
    body = (
        f'<rect x="{x}" y="{y}" width="{_BOX_WIDE}" height="{_BOX_HIGH}" rx="4"/>'
        f'<text x="{x + _BOX_WIDE // 2}" y="{y + 17}">{stage}</text>'
    )
    return _linked(stop, key, body, f"{hook}, {stage}")


def _linked(stop: Stop | None, key: str, body: str, name: str) -> str:
    if stop is None:
        return f'<g class="box" id="{key}"><title>{name}: not on this packet\'s way</title>{body}</g>'
    state = "crossed ends" if stop.ends else "crossed"
    title = f"{name}: step {stop.step}" + (", here its way ends" if stop.ends else "")
    group = f'<g class="box {state}" id="{key}"><title>{title}</title>{body}</g>'
    return f'<a href="#step-{stop.step}" aria-label="{title}">{group}</a>'


def _group(hook: Hook) -> str:
    if hook is Hook.INPUT:
        return f'<text class="hook end" x="{_FORK - 46}" y="{230}">INPUT</text>'
    if hook is Hook.OUTPUT:
        return f'<text class="hook end" x="{_OUT_X - 46}" y="{170}">OUTPUT</text>'
    middle = _LEFT[hook] + (len(_STAGES[hook]) * (_BOX_WIDE + _GAP) - _GAP) // 2
    return f'<text class="hook" x="{middle}" y="{_ROW - 22}">{hook.value}</text>'


def _ends(devices: tuple[str, str]) -> Iterator[str]:
    """Yield the places where packets come from and go to."""
    places = ((12, "in", devices[0], 12, "start"), (918, "out", devices[1], 982, "end"))
    for x, way, name, edge, anchor in places:
        yield (
            f'<g class="end-place"><title>packets {"come in" if way == "in" else "leave"} here</title>'
            f'<rect x="{x}" y="{_ROW - 20}" width="64" height="40" rx="4"/><text x="{x + 32}" y="{_ROW + 4}">{way}</text>'
            f'<text class="device {anchor}" x="{edge}" y="{_ROW - 28}">{_safe(name)}</text></g>'
        )
    yield (
        '<g class="end-place"><rect x="390" y="8" width="320" height="38" rx="4"/>'
        '<text x="550" y="31">programs of this host</text></g>'
    )


# ---------------------------------------------------------------------- the packet's path
def _path(stops: Sequence[Stop]) -> list[tuple[int, int]]:
    """Return the corners of the path: along the ways of its hooks, to the end of the last or to the box that ends it."""
    points: list[tuple[int, int]] = []
    done = ""
    for stop in stops:
        way = "PREROUTING" if stop.hook in {"routing", "entry"} else "OUTPUT" if stop.hook == "leaving" else stop.hook
        if way != done:
            corners = _WAYS[way][1:] if done == "loopback" else _WAYS[way]
            points += [point for point in corners if not points or point != points[-1]]
            done = way
    if stops and stops[-1].ends:
        return _cut(points, stops[-1])
    return points or [(76, _ROW)]


def _cut(points: list[tuple[int, int]], last: Stop) -> list[tuple[int, int]]:
    """Return the path up to the box that ends it."""
    x, y = _middle(last)
    for index in range(len(points) - 1, 0, -1):
        (x1, y1), (x2, y2) = points[index - 1], points[index]
        if min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2):
            return [*points[:index], (x, y)]
    return [(x, y)]


def _end_mark(at: tuple[int, int], stops: Sequence[Stop], word: str) -> str:
    """Return the ■ at the end of the path: at the right edge of the box that ended it, else in front of where it arrived."""
    x, y = at
    ended = bool(stops) and stops[-1].ends
    left, top = (x + 22, y - 8) if ended else (x - 8, y + 2) if y == _LOCAL_BOTTOM else (x - 20, y - 8)
    kind = {"ACCEPT": "good", "UNKNOWN": "unknown"}.get(word, "bad")
    return f'<g class="verdict {kind}"><title>{word}</title><rect x="{left}" y="{top}" width="16" height="16"/></g>'


def _tags(stops: Sequence[Stop]) -> Iterator[str]:
    """Yield what changed at a stage, beside its box."""
    for stop in stops:
        if not stop.tag or not stop.stage:
            continue
        x, y = _place(Hook(stop.hook), stop.stage)
        column = stop.hook in {"INPUT", "OUTPUT"}
        left, top = (x + _BOX_WIDE + 8, y + 10) if column else (x + _BOX_WIDE, y + _BOX_HIGH + 16)
        anchor = "start" if column else "end"
        lines = "".join(
            f'<tspan x="{left}" dy="{13 if number else 0}">{_safe(line)}</tspan>'
            for number, line in enumerate(stop.tag)
        )
        yield f'<text class="tag {anchor}" x="{left}" y="{top}">{lines}</text>'


def _points(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _safe(text: str) -> str:
    return escape(printable(text))
