"""What connection tracking keeps of a TCP connection. A value of `policyc.simulation`; `tcp` works with it.

Source: include/linux/netfilter/nf_conntrack_tcp.h.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class TcpSide:
    """One direction: the highest sequence number sent, the highest allowed, the largest window, the highest number acked."""

    end: int = 0
    max_end: int = 0
    max_window: int = 0
    max_ack: int | None = None
    liberal: bool = False
    closed_first: bool = False


@dataclass(slots=True)
class TcpConnection:
    """The state by its name in /proc/net/nf_conntrack, both sides, and the last packet that was looked at or let through."""

    state: str = "NONE"
    sides: tuple[TcpSide, TcpSide] = field(default_factory=lambda: (TcpSide(), TcpSide()))
    last_kind: str = ""
    last_reply: bool = False
    last_end: int = 0
    last_ack: int = 0
    last_window: int = 0
    challenge: bool = False
    simultaneous: bool = False
