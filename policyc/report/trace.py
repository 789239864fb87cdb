"""The answer of `policyc trace`, for a terminal packet by packet and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from policyc.observation.traced import UNTOLD, TracedPacket, TracedStep
from policyc.report.columns import Row, laid_out
from policyc.report.json import json_text
from policyc.report.style import Style
from policyc.report.summary import plural
from policyc.simulation.view import PacketView

_VERDICTS = {
    "dropped": "DROP", "rejected": "REJECT", "delivered": "ACCEPT", "forwarded": "ACCEPT", "sent": "ACCEPT", "queued": "QUEUE",
    "gone": "GONE",
}  # fmt: skip
_FATES = {
    "delivered": "delivered to this host", "forwarded": "forwarded", "sent": "sent",
    "queued": "handed to a program, or still on its way",
}  # fmt: skip
_ROLES = {"ACCEPT": "good", "GONE": "warning", "QUEUE": "warning"}
_NEXT = {
    "PREROUTING": "routing, rp_filter or a martian check dropped it, or it is for a group that nobody here has joined; "
    "`policyc doctor` counts most of these",
    "OUTPUT": "it was not sent: no route after translation, or the interface is down",
    "FORWARD": "it was not sent on", "INPUT": "it was not delivered", "POSTROUTING": "it was not sent",
}  # fmt: skip


def packet_text(number: int, packet: TracedPacket, style: Style) -> str:
    """Return one packet: what it was, its steps with their source lines, what became of it."""
    first = packet.first
    where = f"in {first.iif}" if first.iif else "from this host"
    seen = [where, *_details(packet)]
    # Of IPv6 with options the kernel does not tell what follows them.
    protocol = "ipv6" if first.family == 6 and first.proto == 0 else first.protocol
    head = f"{number}  {style.foreign(protocol)} {style.foreign(first.source)} → {style.foreign(first.destination)}"
    lines = [style.paint("bold", style.own(head)) + f"  {style.foreign(', '.join(seen))}"]
    lines += laid_out(list(_rows(packet, style)), style)
    return "".join(f"{line}\n" for line in lines)


def _details(packet: TracedPacket) -> Iterator[str]:
    shown = packet.first.shown()
    if "flags" in shown:
        yield f"flags {shown['flags']}"
    if packet.last.state != "none":
        yield packet.last.state
    if packet.first.mark:
        yield f"mark {packet.first.mark:#x}"


def _rows(packet: TracedPacket, style: Style) -> Iterator[Row]:
    hook, before = "", packet.first
    deciding = packet.deciding
    for step in packet.steps:
        if _says_nothing(step) and step is not deciding:
            continue
        shown_hook, hook = ("" if step.hook == hook else step.hook), step.hook
        yield _row(step, shown_hook, style, decides=step is deciding)
        if step.became is not None:
            yield Row("", "", style.own("≈ now ") + style.foreign(_changes(before, step.became)), role="")
            before = step.became
    yield _end(packet, style)


def _row(step: TracedStep, hook: str, style: Style, *, decides: bool) -> Row:
    place = step.origin or step.place
    number = "" if step.number is None else f"#{step.number}  "
    text = place.text if place is not None else step.name
    chain = "" if step.chain == step.hook else f"{step.chain} "
    said = step.verdict
    role = "error" if step.verdict == "drop" else "good" if decides else "faint"
    mark = style.own("✓ ") if decides and step.verdict != "drop" else ""
    name = f" `{step.origin.statement}`" if step.origin is not None and step.origin.statement else ""
    return Row(
        hook,
        step.table[:9],
        style.foreign(f"{chain}{number}{text}{name}"),
        mark + style.foreign(said),
        _line(step, style),
        role,
    )


def _line(step: TracedStep, style: Style) -> str:
    if step.origin is None or step.origin.span is None or not step.origin.span.source.text:
        return ""
    return style.foreign(f"{PurePath(step.origin.span.source.name).name}:{step.origin.span.line}")


def _changes(before: PacketView, after: PacketView) -> str:
    words = [f"{name} {new} (was {old})" for name, (old, new) in before.changes(after).items() if name not in UNTOLD]
    return ", ".join(words)


def _says_nothing(step: TracedStep) -> bool:
    """Whether it is the policy of a chain that decides nothing and let the packet pass."""
    is_policy = step.place is not None and step.place.number == "policy"
    return is_policy and step.table != "filter" and step.verdict == "accept" and step.became is None


def _end(packet: TracedPacket, style: Style) -> Row:
    outcome = packet.outcome
    text, verdict = _FATES.get(outcome, ""), _VERDICTS[outcome]
    if outcome in {"forwarded", "sent"} and packet.last.oif:
        text += f", out by {packet.last.oif}"
    if outcome in {"dropped", "rejected"} and packet.steps:
        text = f"by {packet.steps[-1].name}"
    if outcome == "gone":
        text = f"last seen at {packet.hook}: {_NEXT.get(packet.hook, 'no rule took it')}"
    role = _ROLES.get(verdict, "error")
    return Row("", "", style.foreign(text), style.own(f"■ {verdict}"), "", role)


def summary_text(number: int, remarks: Sequence[str], style: Style) -> str:
    """Return how many packets were traced, and what is to be said about the trace itself."""
    lines = [f"{plural(number, 'packet')} traced", *(style.paint("warning", style.foreign(one)) for one in remarks)]
    return "".join(f"{line}\n" for line in lines)


def trace_json(packets: Sequence[TracedPacket], remarks: Sequence[str]) -> str:
    """Return the answer of `trace --format json`."""
    found: dict[str, Any] = {"packets": [packet.to_dict() for packet in packets], "remarks": list(remarks)}
    return json_text(found)
