"""The entry paths of published ports for a terminal: for each port a table, a line for each client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from policyc.explanation.connecting import Attempt, Outcome
from policyc.explanation.entry_paths import PublishedPort, socket_text
from policyc.net.addresses import format_address
from policyc.net.protocols import CANONICAL
from policyc.report.columns import WIDE, wrapped
from policyc.report.printable import width
from policyc.report.style import PLAIN, Style

_HEADINGS = ("from", "asks for", "outcome", "server sees", "way")
_ROLES = {Outcome.OPEN: "good", Outcome.UNKNOWN: "warning"}
_OUTCOME = _HEADINGS.index("outcome")


def entry_paths_text(ports: Iterable[PublishedPort], assumptions: Sequence[str] = (), style: Style = PLAIN) -> str:
    """Return the tables, then what was assumed."""
    lines: list[str] = []
    for port in ports:
        lines += [*_port(port, style), ""]
    if not lines:
        lines = ["no port is published", ""]
    said = dict.fromkeys(
        [*assumptions, *(text for port in ports for path in port.paths for text in path.attempt.assumptions)]
    )
    lines += [f"  {style.own('=')} assumed: {style.foreign(text)}" for text in said]
    return "\n".join(lines).rstrip("\n") + "\n"


def _port(port: PublishedPort, style: Style) -> Iterator[str]:
    one = port.publication
    where = f"{one.owner} on {port.network}" if port.network else one.owner
    what = f"{socket_text(one.outer)}/{CANONICAL[one.outer.protocol]} → {socket_text(one.inner)}"
    yield style.paint("bold", style.foreign(f"{where}: {what}"))
    rows = [_row(path.client, path.attempt) for path in port.paths]
    columns = [max(width(row[at]) for row in (_HEADINGS, *rows)) for at in range(len(_HEADINGS) - 1)]
    lead = sum(columns) + 2 * len(columns) + 2
    yield style.paint("faint", f"  {_padded(_HEADINGS, columns)}{_HEADINGS[-1]}")
    for path, row in zip(port.paths, rows, strict=True):
        role = _ROLES.get(path.attempt.outcome, "error")
        cells = [style.foreign(cell) for cell in row]
        outcome = cells[_OUTCOME]
        head = _padded(cells, columns)
        if outcome:
            before = sum(columns[:_OUTCOME]) + 2 * _OUTCOME
            head = head[:before] + style.paint(role, outcome) + head[before + width(outcome) :]
        first, *more = wrapped(cells[-1], max(WIDE - lead, 30), 0) or [""]
        yield f"  {head}{first}".rstrip()
        yield from (f"{'':{lead}}{line}" for line in more)


def _padded(cells: Sequence[str], columns: Sequence[int]) -> str:
    return "".join(f"{cell}{'':{size - width(cell)}}  " for cell, size in zip(cells, columns, strict=False))


def _row(client: str, attempt: Attempt) -> tuple[str, str, str, str, str]:
    source = attempt.source
    seen = "" if source is None else format_address(source.address, source.family)
    return client, socket_text(attempt.target), attempt.outcome.value, seen, way_text(attempt)


def way_text(attempt: Attempt) -> str:
    """Return how a connection gets there, or what stops it."""
    if attempt.outcome is not Outcome.OPEN:
        return attempt.because
    parts = []
    if attempt.redirected is not None:
        parts.append(f"DNAT by {attempt.redirected.name}")
    if attempt.proxy:
        parts.append(attempt.proxy)
    masked = attempt.masked if attempt.inner is None else attempt.inner.masked
    if masked is not None:
        parts.append(f"source by {masked.name}")
    if attempt.bridge:
        parts.append(f"across {attempt.bridge}, not routed")
    return ", ".join(parts) or "directly"
