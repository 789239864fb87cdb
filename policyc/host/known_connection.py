"""A connection that a host's connection tracking knows of already, as a snapshot shows it. A value of `policyc.host`."""

from __future__ import annotations

from typing import NamedTuple

from policyc.frozen import frozen


class Ends(NamedTuple):
    """One direction of a connection. Of ICMP `sport` is the identifier, `dport` type * 256 + code."""

    source: int
    destination: int
    sport: int
    dport: int


@frozen
class KnownConnection:
    """An entry of the table: both directions, `status` as bits of enum ip_conntrack_status, `tcp_state` "" but for TCP."""

    family: int
    protocol: int
    original: Ends
    reply: Ends
    status: int
    mark: int = 0
    tcp_state: str = ""
