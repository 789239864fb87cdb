"""What was said of a packet beside what the kernel did with it, and where the two differ. Values of `explanation`.

`policyc.kernel.replica` asks the kernel. Both verdicts have the form of `policyc.api.replay`. What only the kernel knows is
left out: its own redirects, which we do not follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from policyc.frozen import frozen

_FIELDS = (
    "verdict", "in_iface", "out_iface", "also_local", "final", "fields", "mark", "ctstate", "deciding", "reject_with",
    "kernel_replies", "reply_left_via", "send_error", "stage",
)  # fmt: skip
_REDIRECTS = {("icmp", 5), ("icmpv6", 137)}


@frozen
class Difference:
    """A field of the verdict, `trace` for the first step that differs (`step`, from 1), with both values; None: not there."""

    field: str
    ours: Any
    kernel: Any
    step: int = 0


def compare(ours: Mapping[str, Any], kernel: Mapping[str, Any], *, drawn: bool = False) -> tuple[Difference, ...]:
    """Return what differs, () where both say the same; `drawn`: the kernel drew a port at random, which any may be."""
    if drawn:
        ours, kernel = (_without_ports(verdict) for verdict in (ours, kernel))
    found = [
        Difference(field, ours.get(field), kernel.get(field))
        for field in _FIELDS
        if ours.get(field) != kernel.get(field) and _is_visible(field, ours, kernel)
    ]
    if "ctdir" in ours and "ctdir" in kernel and ours["ctdir"] != kernel["ctdir"]:
        found.append(Difference("ctdir", ours["ctdir"], kernel["ctdir"]))
    at = agreed_steps(ours, kernel)
    if len(ours["trace"]) != at or len(kernel["trace"]) != at:
        mine, real = (each["trace"][at] if at < len(each["trace"]) else None for each in (ours, kernel))
        found.append(Difference("trace", mine, real, at + 1))
    return tuple(found)


def _without_ports(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    final = verdict.get("final")
    if final is None:
        return verdict
    return {**verdict, "final": {name: value for name, value in final.items() if name not in {"sport", "dport"}}}


def _is_visible(field: str, ours: Mapping[str, Any], kernel: Mapping[str, Any]) -> bool:
    """Whether both sides can know a field of this packet."""
    if field == "mark":
        return bool(kernel["trace"] or "ctstate" in kernel)  # what no hook has seen has no mark yet, its socket has
    if field == "ctstate":
        return bool(
            ours.get("deciding", {}).get("table") != "raw"
        )  # dropped there after it was exempted, before anybody looked
    if field in {"kernel_replies", "reply_left_via"}:
        replies = kernel.get("kernel_replies", ())
        redirected = any((one["proto"], one.get("icmp_type")) in _REDIRECTS for one in replies)
        return not redirected and (field in ours or field != "reply_left_via")
    return True


def agreed_steps(ours: Mapping[str, Any], kernel: Mapping[str, Any]) -> int:
    """Return how many steps of the trace, from the first on, are the same."""
    pairs = zip(ours["trace"], kernel["trace"], strict=False)
    return next(
        (n for n, (mine, real) in enumerate(pairs) if list(mine) != list(real)),
        min(len(ours["trace"]), len(kernel["trace"])),
    )


@frozen
class Verification:
    """What an explanation said of a packet and what the kernel did, both in the form of `policyc.api.replay`.

    `agreed` of the kernel's `visible` steps (rules that matched, and policies) are ours too, in order. `ours` is the outcome that
    the kernel's equals, else the first; `alternative` is its place among the explanation's alternatives, None for the first.
    `kernel` is None where the packet could not be sent, and `reason` says why.
    """

    ours: Mapping[str, Any]
    alternative: int | None = None
    kernel: Mapping[str, Any] | None = None
    agreed: int = 0
    differences: tuple[Difference, ...] = ()
    reason: str = ""

    @property
    def visible(self) -> int:
        """How many steps the kernel showed."""
        return 0 if self.kernel is None else len(self.kernel["trace"])

    @property
    def agrees(self) -> bool:
        """Whether the kernel was asked and did what we said."""
        return self.kernel is not None and not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "agrees": self.agrees, "agreed": self.agreed, "visible": self.visible, "reason": self.reason or None,
            "alternative": self.alternative, "differences": [asdict(one) for one in self.differences],
            "kernel": self.kernel,
        }  # fmt: skip
