"""Connections that a change would translate in another way, and their end: `--flush-changed-flows`.

NAT is decided by the first packet of a connection; what is open keeps its translation as long as the kernel knows of it. Each
connection's first packet is walked through the new rules, and forgotten by the kernel where it would get other addresses.
Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from socket import AF_INET, AF_INET6
from typing import TYPE_CHECKING

from policyc.kernel.apply.change import Change
from policyc.kernel.apply.future import future, host_now
from policyc.net.addresses import format_address
from policyc.netfilter.saved import Saved

if TYPE_CHECKING:
    from policyc.host.known_connection import KnownConnection
    from policyc.netfilter.ruleset import Ruleset

_SYN = 2
_TCP, _UDP = 6, 17


def changes_translation(change: Change) -> bool:
    """Whether a change is about table nat at all."""
    return any(old != new for old, new in zip(change.before, change.after, strict=True) if old.table == "nat")


def changed_flows(after: Saved, new_sets: str) -> list[KnownConnection]:
    """Return the connections of TCP and UDP whose translation will be another one.

    Connections whose first packet would not come through are none of them: filter rules see each packet, and decide anew.
    Raises InputError where the rules cannot be read.
    """
    host = host_now()
    rules = future(replace(host, connections=()), after, new_sets)
    return list(_changed(rules, host.connections))


def _changed(rules: Ruleset, connections: Sequence[KnownConnection]) -> Iterator[KnownConnection]:
    from policyc.diagnostics import InputError
    from policyc.explanation.ask import ask
    from policyc.net.headers import Headers

    for one in connections:
        if one.protocol not in {_TCP, _UDP}:
            continue
        first = one.original
        flags = _SYN if one.protocol == _TCP else None
        asked = Headers(
            one.family, first.source, first.destination, one.protocol, first.sport, first.dport, flags, state="NEW"
        )
        try:
            answer = ask(rules, asked).explanations[0]
        except InputError:  # no way in that fits: the connection is of another time
            continue
        final = answer.way.packet
        if answer.word == "accept" and (final.dst, final.dport, final.src) != (
            one.reply.source, one.reply.sport, one.reply.destination,
        ):  # fmt: skip
            yield one


def forget(connections: Sequence[KnownConnection]) -> int:
    """Let the kernel forget connections; return how many it still knew."""
    from pyroute2.netlink.exceptions import NetlinkError
    from pyroute2.netlink.nfnetlink.nfctsocket import NFCTAttrTuple, NFCTSocket

    gone = 0
    for one in connections:
        first, family = one.original, AF_INET if one.family == 4 else AF_INET6
        source, destination = (format_address(each, one.family) for each in (first.source, first.destination))
        words = NFCTAttrTuple(family, source, destination, one.protocol, first.sport, first.dport)
        with NFCTSocket(nfgen_family=family) as socket, suppress(NetlinkError):
            socket.entry("del", tuple_orig=words)
            gone += 1
    return gone
