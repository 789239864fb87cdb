"""Live counters as a table that redraws on a terminal: the one form of them that loads rich."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from policyc.frozen import frozen
from policyc.observation.tally import Tally
from policyc.report.counters import rate, remarks
from policyc.report.counters_rows import counter_rows
from policyc.report.style import Style


@frozen
class Reading:
    """What was counted, and when: seconds of a clock that only goes forward."""

    tally: Tally
    at: float


def watch(readings: Iterator[Reading], style: Style) -> None:
    """Draw each reading over the one before, until there are no more."""
    console = Console(color_system="auto" if style.colour else None, highlight=False, markup=False)
    before: Reading | None = None
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for reading in readings:
            live.update(_drawn(reading, before, style, console.height - 4), refresh=True)
            before = reading


def _drawn(reading: Reading, before: Reading | None, style: Style, room: int) -> Group:
    """Return the table; where it has more lines than there is room for, those that never matched are left out."""
    table = Table(box=None, pad_edge=False)
    for name in ("packets", "bytes", "packets/s", "bytes/s"):
        table.add_column(name, justify="right", no_wrap=True, min_width=len(name))
    for name in ("line", "statement"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    seconds = reading.at - before.at if before else 0
    rows = list(counter_rows(reading.tally, style, before.tally if before else None, seconds))
    shown = rows if len(rows) <= room else [row for row in rows if row.packets]
    for row in shown:
        moving = bool(row.packet_rate)
        colour = "bold" if moving else "dim" if not row.packets else ""
        counts = ("-", "-") if row.packets is None else (str(row.packets), str(row.size))
        cells = (*counts, rate(row.packet_rate), rate(row.byte_rate), row.place, row.text)
        table.add_row(*(Text(cell) for cell in cells), style=colour)
    head = remarks(reading.tally, Style(ascii_only=style.ascii_only))[0]  # the table has no room for lists
    left_out = f"{len(rows) - len(shown)} that never matched are not shown" if len(shown) < len(rows) else ""
    return Group(Text(head), table, Text(left_out))
