"""What happened to a packet: the rules that matched, the verdict, the packet as it left. Part of `policyc.simulation`.

`to_dict` gives the form of the recorded verdicts, which the contract of docs/api.md names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from policyc.net.addresses import format_address
from policyc.net.protocols import ICMP, ICMPV6
from policyc.simulation.answers import Answer
from policyc.simulation.packet import IDENTIFIED, Packet

LOCAL, FORWARDED, SENT = "LOCAL", "FORWARDED", "SENT"
DROPPED, REJECTED, KERNEL_DROP, UNSUPPORTED = "DROPPED", "REJECTED", "KERNEL_DROP", "UNSUPPORTED"
DELIVERED = frozenset((LOCAL, FORWARDED, SENT))


class Step(NamedTuple):
    """A rule that matched, or the policy of a base chain (`rule` is then "policy").

    `verdict` is continue, accept, drop, return, jump:CHAIN or goto:CHAIN.
    """

    table: str
    chain: str
    rule: int | str
    verdict: str


@dataclass(slots=True)
class Trace:
    """The way of one packet so far. `reason` says why the kernel dropped it, or why nobody can know.

    `device` is the interface that it left or arrived by. `send_error` is the errno that a local sender gets.
    `passed` is table and hook of the last base chain that let the packet pass. `answer_left_by` is the interface by which the
    kernel's answer left, "" where it was blocked or its receiver is this host, None where nobody can know; `answer_way` is
    the answer's own way.
    """

    steps: list[Step] = field(default_factory=list)
    verdict: str = ""
    device: str = ""
    reject_with: str = ""
    reason: str = ""
    send_error: str = ""
    also_local: str = ""
    answer: Answer | None = None
    answer_left_by: str | None = None
    answer_way: Trace | None = None
    passed: str | None = None

    @property
    def deciding(self) -> Step | None:
        """The step that dropped the packet, or the last verdict of table filter; None where no rule decided."""
        if self.verdict in {DROPPED, REJECTED}:
            return self.steps[-1] if self.steps else None
        if self.verdict not in DELIVERED:
            return None
        final = (step for step in reversed(self.steps) if step.table == "filter" and step.verdict in {"accept", "drop"})
        return next(final, None)

    def to_dict(self, number: int, packet: Packet, sent: Packet) -> dict[str, Any]:
        """Return the verdict about packet `number`: `packet` as it is at the end, `sent` as it began."""
        found: dict[str, Any] = {"n": number, "verdict": self.verdict}
        if self.reason:
            found["reason"] = self.reason
        if self.verdict in {FORWARDED, SENT}:
            found["out_iface"] = self.device
        if self.verdict == LOCAL:
            found["in_iface"] = self.device
        if self.verdict in DELIVERED:
            found["final"] = final_tuple(packet)
            found["fields"] = _changed(packet, sent)
        if self.also_local:
            found["also_local"] = self.also_local
        if packet.mark:
            found["mark"] = packet.mark
        if packet.ct_state != "none":
            found["ctstate"] = packet.ct_state
        if packet.ct is not None and packet.ct_state != "NEW":
            found["ctdir"] = "reply" if packet.ct_reply else "original"
        if (step := self.deciding) is not None:
            found["deciding"] = {"table": step.table, "chain": step.chain, "rule": step.rule}
        if self.reject_with:
            found["reject_with"] = self.reject_with
        if self.answer is not None:
            chain = list(self._answered())
            found["kernel_replies"] = [one.answer.to_dict() for one in chain if one.answer is not None]
            if all(one.answer_left_by is not None for one in chain):
                found["reply_left_via"] = [one.answer_left_by for one in chain if one.answer_left_by]
        if self.verdict == KERNEL_DROP:
            found["stage"] = self.passed
        if self.send_error:
            found["send_error"] = self.send_error
        found["trace"] = [list(step) for step in self.steps]
        return found

    def _answered(self) -> Iterator[Trace]:
        """Yield the ways that the kernel answers: this one, and that of its answer where a rule rejects the answer."""
        way: Trace | None = self
        while way is not None and way.answer is not None:
            yield way
            way = way.answer_way


def final_tuple(packet: Packet) -> dict[str, Any]:
    """Return addresses and ports, as the receiver sees them."""
    found: dict[str, Any] = {
        "src": format_address(packet.src, packet.family),
        "dst": format_address(packet.dst, packet.family),
    }
    if packet.proto in {ICMP, ICMPV6}:
        if packet.icmp_id is not None and (packet.icmp or 0) >> 8 in IDENTIFIED:
            found["icmp_id"] = packet.icmp_id
    elif packet.sport is not None:
        found |= {"sport": packet.sport, "dport": packet.dport}
    return found


def _changed(packet: Packet, sent: Packet) -> dict[str, int]:
    found = {"ttl": packet.ttl}
    if packet.tos != sent.tos:
        found["tos"] = packet.tos
    if packet.tcp_mss is not None and packet.tcp_mss != sent.tcp_mss:
        found["mss"] = packet.tcp_mss
    return found
