"""Where two verdicts about one packet differ: what we said of it and what the kernel did. Used by `verify` and by tests.

Both have the form of `policyc.api.replay`. What only the kernel knows is left out: its own redirects, which we do not follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FIELDS = (
    "verdict", "in_iface", "out_iface", "also_local", "final", "fields", "mark", "ctstate", "deciding", "reject_with",
    "kernel_replies", "reply_left_via", "send_error", "stage",
)  # fmt: skip
_REDIRECTS = {("icmp", 5), ("icmpv6", 137)}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of the verdict, `trace` for the first step that differs (`step`, from 1), with both values; None: not there."""

    field: str
    ours: Any
    kernel: Any
    step: int = 0


def compare(ours: Mapping[str, Any], kernel: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what differs, () where both say the same."""
    found = []
    replies = kernel.get("kernel_replies", [])
    redirects = [one for one in replies if (one["proto"], one.get("icmp_type")) in _REDIRECTS]
    seen = {**kernel, "kernel_replies": [one for one in replies if one not in redirects] or None}
    for field in _FIELDS:
        if field == "reply_left_via" and (redirects or field not in ours):
            continue
        if ours.get(field) != seen.get(field):
            found.append(Difference(field, ours.get(field), seen.get(field)))
    if "ctdir" in ours and "ctdir" in seen and ours["ctdir"] != seen["ctdir"]:
        found.append(Difference("ctdir", ours["ctdir"], seen["ctdir"]))
    at = agreed_steps(ours, kernel)
    if len(ours["trace"]) != at or len(kernel["trace"]) != at:
        mine, real = (each["trace"][at] if at < len(each["trace"]) else None for each in (ours, kernel))
        found.append(Difference("trace", mine, real, at + 1))
    return tuple(found)


def agreed_steps(ours: Mapping[str, Any], kernel: Mapping[str, Any]) -> int:
    """Return how many steps of the trace, from the first on, are the same."""
    pairs = zip(ours["trace"], kernel["trace"], strict=False)
    return next(
        (n for n, (mine, real) in enumerate(pairs) if list(mine) != list(real)),
        min(len(ours["trace"]), len(kernel["trace"])),
    )
