"""The named code points of differentiated services that iptables knows, for `-m dscp` and `-j DSCP` (RFC 2474, 2597, 3246)."""

from __future__ import annotations

CLASSES: dict[str, int] = {
    **{f"CS{n}": n << 3 for n in range(8)},
    "BE": 0,
    **{f"AF{n}{drop}": (n << 3) | (drop << 1) for n in range(1, 5) for drop in range(1, 4)},
    "EF": 0x2E,
}
