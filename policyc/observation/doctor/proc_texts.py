"""The counters that the kernel prints in /proc/net, as numbers by the names of nstat(8). First step of `doctor`.

Sources: net/ipv4/proc.c, net/ipv6/proc.c, net/core/net-procfs.c, net/ipv4/route.c, net/core/neighbour.c.
"""

from __future__ import annotations

from itertools import pairwise

# The columns of softnet_stat, hexadecimal numbers, one line for each processor (softnet_seq_show).
_SOFTNET = {1: "dropped", 2: "time_squeeze", 10: "flow_limit"}


def from_snmp(text: str) -> dict[str, int]:
    """Return the counters of /proc/net/snmp or netstat, where names and numbers stand in pairs of lines: `TcpExtListenDrops`."""
    found: dict[str, int] = {}
    for names, numbers in pairwise(text.splitlines()):
        group, _, words = names.partition(":")
        same, _, values = numbers.partition(":")
        first = words.split()[:1]
        if group != same or not words or not first or first[0].lstrip("-").isdecimal():
            continue
        found |= {f"{group}{name}": int(value) for name, value in zip(words.split(), values.split(), strict=False)}
    return found


def from_snmp6(text: str) -> dict[str, int]:
    """Return the counters of /proc/net/snmp6, one on each line: `Ip6InNoRoutes`."""
    lines = (line.split() for line in text.splitlines())
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}


def from_softnet(text: str) -> dict[str, int]:
    """Return what the processors dropped before the network stack, of all together: `softnet.dropped`."""
    rows = [[int(word, 16) for word in line.split()] for line in text.splitlines()]
    return {f"softnet.{name}": sum(row[at] for row in rows if len(row) > at) for at, name in _SOFTNET.items() if rows}


def from_stat(text: str, prefix: str) -> dict[str, int]:
    """Return the columns of a file of /proc/net/stat, hexadecimal numbers, of all processors together.

    The first column is a gauge that each line repeats; it is left out.
    """
    head, *lines = text.splitlines() or [""]
    rows = [[int(word, 16) for word in line.split()] for line in lines]
    return {
        f"{prefix}.{name}": sum(row[at] for row in rows if len(row) > at)
        for at, name in enumerate(head.split())
        if at and rows
    }


def time_wait(text: str) -> int:
    """Return how many sockets are in TIME_WAIT, by /proc/net/sockstat."""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["TCP:"] and "tw" in words:
            return int(words[words.index("tw") + 1])
    return 0
