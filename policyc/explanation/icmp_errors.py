"""What an ICMP error does to whoever sent the packet that it is about. Part of `policyc.explanation`, used by `sender`.

Sources: icmp_err_convert of net/ipv4/icmp.c and net/ipv6/icmp.c; the words of ping are those of iputils. Every row that REJECT
or routing can send is measured in tests/kernel/test_sender.py.
"""

from __future__ import annotations

from policyc.frozen import frozen

# What programs print for an errno (strerror(3) of glibc).
WORDS = {
    "ECONNREFUSED": "Connection refused", "ECONNRESET": "Connection reset by peer", "EHOSTUNREACH": "No route to host",
    "ENETUNREACH": "Network is unreachable", "EACCES": "Permission denied", "EPERM": "Operation not permitted",
    "ETIMEDOUT": "Connection timed out", "ENOPROTOOPT": "Protocol not available", "EMSGSIZE": "Message too long",
    "EINVAL": "Invalid argument",
}  # fmt: skip


@frozen
class IcmpError:
    """One type and code.

    `errno` is what a TCP connect gets at once. `hard`: connected UDP sockets get it too; others keep it for programs that
    ask for errors (IP_RECVERR). `name` is that of the message, `ping` what ping prints about it.
    """

    name: str
    errno: str
    hard: bool
    ping: str


_V4 = {
    (3, 0): IcmpError("net-unreachable", "ENETUNREACH", False, "Destination Net Unreachable"),
    (3, 1): IcmpError("host-unreachable", "EHOSTUNREACH", False, "Destination Host Unreachable"),
    (3, 2): IcmpError("protocol-unreachable", "ENOPROTOOPT", True, "Destination Protocol Unreachable"),
    (3, 3): IcmpError("port-unreachable", "ECONNREFUSED", True, "Destination Port Unreachable"),
    (3, 4): IcmpError("fragmentation-needed", "EMSGSIZE", False, "Frag needed and DF set"),
    (3, 9): IcmpError("net-prohibited", "ENETUNREACH", True, "Destination Net Prohibited"),
    (3, 10): IcmpError("host-prohibited", "EHOSTUNREACH", True, "Destination Host Prohibited"),
    (3, 13): IcmpError("admin-prohibited", "EHOSTUNREACH", True, "Packet filtered"),
    (11, 0): IcmpError("time-exceeded", "EHOSTUNREACH", False, "Time to live exceeded"),
}
_V6 = {
    (1, 0): IcmpError("no-route", "ENETUNREACH", False, "Destination unreachable: No route"),
    (1, 1): IcmpError("adm-prohibited", "EACCES", True, "Destination unreachable: Administratively prohibited"),
    (1, 2): IcmpError("beyond-scope", "EHOSTUNREACH", False, "Destination unreachable: Beyond scope of source address"),
    (1, 3): IcmpError("addr-unreachable", "EHOSTUNREACH", False, "Destination unreachable: Address unreachable"),
    (1, 4): IcmpError("port-unreachable", "ECONNREFUSED", True, "Destination unreachable: Port unreachable"),
    (1, 5): IcmpError("policy-fail", "EACCES", True, "Destination unreachable: Unknown code 5"),
    (1, 6): IcmpError("reject-route", "EACCES", True, "Destination unreachable: Unknown code 6"),
    (2, 0): IcmpError("packet-too-big", "EMSGSIZE", False, "Packet too big"),
    (3, 0): IcmpError("time-exceeded", "EHOSTUNREACH", False, "Time exceeded: Hop limit"),
}
PROHIBITIONS = frozenset((
    "net-prohibited", "host-prohibited", "admin-prohibited", "adm-prohibited", "policy-fail", "reject-route",
))  # fmt: skip


def icmp_error(family: int, kind: int, code: int) -> IcmpError:
    """Return what an error of that type and code does; KeyError for one that neither REJECT nor routing sends."""
    return (_V4 if family == 4 else _V6)[kind, code]
