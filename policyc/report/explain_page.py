"""The steps of a page: each event with its packet, what changed, and the rules of its table. Between explanation and template."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policyc.explanation.answer import Explanation
from policyc.frozen import frozen
from policyc.host.host import LOOPBACK
from policyc.report.columns import Row
from policyc.report.explain_steps import StepRows
from policyc.report.explain_words import WORDS
from policyc.report.hook_map import Stop
from policyc.report.printable import printable
from policyc.report.style import PLAIN
from policyc.simulation.journey import Event, LoopedBack, Routed, Tracked, Translated, Visit
from policyc.simulation.trace import DELIVERED, KERNEL_DROP, UNSUPPORTED
from policyc.simulation.view import PacketView

MOST_RULES = 300
"""Rules of one table that a page shows one by one."""


@frozen
class PacketField:
    """A field of the packet; `was` is its text one step before where that differs, else ""."""

    name: str
    value: str
    was: str


@frozen
class PageStep:
    """One step: its place in the map, its heading and what it comes to, the packet, and the rows of its table.

    `changed` says in a few words what became of the packet here.
    """

    stop: Stop
    hook: str
    stage: str
    said: str
    mark: str
    packet: tuple[PacketField, ...]
    rows: tuple[Row, ...]
    decides: bool


def page_steps(explanation: Explanation) -> list[PageStep]:
    """Return the steps of the likeliest way, numbered from 1."""
    return list(_Pages(explanation).steps())


class _Pages:
    def __init__(self, explanation: Explanation) -> None:
        self.explanation = explanation
        self.events = explanation.way.journey.events
        self.long = StepRows(explanation, PLAIN, verbose=True)
        self.short = StepRows(explanation, PLAIN, verbose=False)
        self.view = explanation.sent
        self.incoming = not explanation.way.sent.outgoing

    def steps(self) -> Iterator[PageStep]:
        """Yield a step for each event, and one where the kernel ends the way by itself."""
        number = 0
        for number, event in enumerate(self.events, 1):
            before, self.view = self.view, self._after(event)
            yield self._step(number, event, before)
        ending = list(self.long.ending())
        if ending:
            stop = Stop("entry" if not self.events else "routing", "", number + 1, (), ends=True)
            packet = _fields(self.view, self.view)
            yield PageStep(stop, "kernel", "", ending[0].text, ending[0].said, packet, (), decides=True)

    def _step(self, number: int, event: Event, before: PacketView) -> PageStep:
        rows = self._rows(event)
        ends = event is self.events[-1] and not self.explanation.way.delivered and not list(self.long.ending())
        decides = any(row.said.startswith("■") for row in rows)
        hook, stage = _where(event, incoming=self.incoming)
        tag = _tag(event)
        if isinstance(event, LoopedBack):
            self.incoming = True
        said, mark = _summary(event, rows)
        shown = tuple(rows) if isinstance(event, Visit) else ()
        heading = {"leaving": "routing"}.get(hook, hook)
        stop = Stop(hook, stage, number, tag, ends)
        return PageStep(stop, heading, stage, said, mark, _fields(self.view, before), shown, decides)

    def _rows(self, event: Event) -> list[Row]:
        rows = self.short if isinstance(event, Visit) and len(event.looks) > MOST_RULES else self.long
        return list(rows.of(event))

    def _after(self, event: Event) -> PacketView:
        """Return the packet behind an event."""
        view = self.view
        if isinstance(event, Visit):
            last = event.looks[-1] if event.looks else None
            if last is None:
                return event.before
            return last.after or PacketView.of(last.packet)
        if isinstance(event, Tracked):
            return replace(view, state=event.state, reply=event.reply)
        if isinstance(event, Translated):
            return event.after
        if isinstance(event, Routed):
            return replace(view, oif=event.device) if event.kind in {"forward", "out"} else view
        return replace(view, iif=LOOPBACK, oif="")


def _where(event: Event, *, incoming: bool) -> tuple[str, str]:
    """Return the hook and stage of an event as the map names its box."""
    if isinstance(event, Visit):
        return event.hook.value, event.table
    if isinstance(event, Tracked):
        return event.hook.value, "conntrack"
    if isinstance(event, Translated):
        return event.hook.value, "nat"
    if isinstance(event, LoopedBack):
        return "loopback", ""
    return ("routing" if incoming else "leaving"), ""


def _tag(event: Event) -> tuple[str, ...]:
    """Return old and new of a translation, source and destination as far as they change."""
    if not isinstance(event, Translated):
        return ()
    before, after = event.before, event.after
    pairs = [(before.source, after.source), (before.destination, after.destination)]
    return tuple(line for old, new in pairs if old != new for line in (old, f"→ {new}"))


def _summary(event: Event, rows: list[Row]) -> tuple[str, str]:
    """Return what a step comes to: a sentence, and the mark of what decided."""
    if not isinstance(event, Visit):
        return (rows[0].text, rows[0].said) if rows else ("", "")
    acted = [row for row in rows if row.said.startswith(("■", "✓"))]
    mark = next((row.said for row in reversed(rows) if row.said.startswith("■")), "")
    if acted:
        last = acted[-1]
        return last.text, mark or last.said
    return (rows[-1].text if rows else "no rule"), mark


def _fields(view: PacketView, before: PacketView) -> tuple[PacketField, ...]:
    changes, now = before.changes(view), view.shown()
    texts = [(name, value, changes[name][0] if name in changes else "") for name, value in now.items()]
    texts += [(name, "none", old) for name, (old, _) in changes.items() if name not in now]
    return tuple(PacketField(name, printable(value), printable(was)) for name, value, was in texts)


def verdict_kind(explanation: Explanation) -> str:
    """Return the class of the verdict's colour: good, bad or unknown."""
    if explanation.verdict in DELIVERED:
        return "good"
    return "unknown" if explanation.verdict == UNSUPPORTED else "bad"


def last_word(explanation: Explanation) -> str:
    """Return the verdict with the kernel named where it decided by itself."""
    word = WORDS[explanation.verdict]
    return f"{word} by the kernel" if explanation.verdict == KERNEL_DROP else word
