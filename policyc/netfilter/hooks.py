"""Hooks, tables and the order in which the kernel visits them: written once, here.

Priorities are those of linux/netfilter_ipv4.h (enum nf_ip_hook_priorities). The order around routing, connection tracking
and confirmation was measured on Linux 6.18.
"""

from __future__ import annotations

from enum import Enum

from policyc.frozen import frozen


class Hook(Enum):
    """A place in the kernel's packet path where tables are visited; the value is the built-in chain's name."""

    PREROUTING = "PREROUTING"
    INPUT = "INPUT"
    FORWARD = "FORWARD"
    OUTPUT = "OUTPUT"
    POSTROUTING = "POSTROUTING"

    def __repr__(self) -> str:
        return self.value


@frozen
class Visit:
    """One stop in a hook: its priority and what stands there, a table's name or a part of the kernel."""

    hook: Hook
    priority: int
    stage: str


PRE, IN, FWD, OUT, POST = Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING

LAST = 2**31 - 1

VISITS: tuple[Visit, ...] = (
    Visit(PRE, -400, "defrag"),
    Visit(PRE, -300, "raw"),
    Visit(PRE, -200, "conntrack"),
    Visit(PRE, -150, "mangle"),
    Visit(PRE, -100, "nat"),
    Visit(PRE, LAST, "routing"),
    Visit(IN, -150, "mangle"),
    Visit(IN, 0, "filter"),
    Visit(IN, 50, "security"),
    Visit(IN, 100, "nat"),
    Visit(IN, 300, "helper"),
    Visit(IN, LAST, "confirm"),
    Visit(FWD, -150, "mangle"),
    Visit(FWD, 0, "filter"),
    Visit(FWD, 50, "security"),
    Visit(OUT, -400, "defrag"),
    Visit(OUT, -300, "raw"),
    Visit(OUT, -200, "conntrack"),
    Visit(OUT, -150, "mangle"),
    Visit(OUT, -100, "nat"),
    Visit(OUT, 0, "filter"),
    Visit(OUT, 50, "security"),
    Visit(POST, -150, "mangle"),
    Visit(POST, 100, "nat"),
    Visit(POST, 300, "helper"),
    Visit(POST, LAST, "confirm"),
)

# The order in which iptables-save and our writers print tables.
TABLES: tuple[str, ...] = ("raw", "mangle", "nat", "filter", "security")

BASE_CHAINS: dict[str, tuple[str, ...]] = {
    table: tuple(hook.value for hook in Hook if any(v.hook is hook and v.stage == table for v in VISITS))
    for table in TABLES
}
"""The built-in chains of each table, in hook order."""

HOOK_OF: dict[str, Hook] = {hook.value: hook for hook in Hook}

MAX_CHAIN_NAME = 28  # XT_EXTENSION_MAXNAMELEN - 1: a jump's target name holds 29 bytes with its NUL
MAX_INTERFACE_NAME = 15  # IFNAMSIZ - 1


def is_base_chain(table: str, chain: str) -> bool:
    """Whether the kernel itself enters the chain of that table."""
    return chain in BASE_CHAINS.get(table, ())
