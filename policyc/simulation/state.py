"""What a simulation knows and changes as packets pass: host, sets, connections, counters. Part of `policyc.simulation`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from policyc.host.fib import Fib
from policyc.host.host import Host
from policyc.host.set_changes import Sets
from policyc.simulation.choices import Choices
from policyc.simulation.connection import Connection, ConnectionTable
from policyc.simulation.recent import RecentLists


class UnknowableError(Exception):
    """What happens next cannot be known; the message is the reason, lower case, without a final period."""


@dataclass(slots=True)
class State:
    """One host's kernel between two packets.

    `assumptions` decide conditions that nobody can evaluate, by their text; where one is missing the walk raises
    UnknowableError, unless `choices` are there to be made: then the walk goes on with one. `address_types` are those asked
    for so far, by family, address and interface. `now` is the time in seconds since 1970, None where nobody said.
    `miscounted`: a packet has passed that nobody could follow, so that what rules have counted is unknown.
    `unreached` counts, by IPv4 source, the answers that there is no route.
    """

    host: Host
    fib: Fib
    sets: Sets
    connections: ConnectionTable = field(default_factory=ConnectionTable)
    recent: RecentLists = field(default_factory=RecentLists)
    assumptions: Mapping[str, bool] = field(default_factory=dict)
    choices: Choices | None = None
    now: int | None = None
    address_types: dict[tuple[int, int, str], frozenset[str]] = field(default_factory=dict)
    checksum: bool = True
    tcp_loose: bool = True
    tcp_liberal: bool = False
    miscounted: bool = False
    unreached: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, host: Host, choices: Choices | None = None) -> State:
        """Return the state of a host whose rules have counted nothing yet."""
        number = host.sysctls.number
        state = cls(
            host,
            Fib(host),
            host.sets,
            choices=choices,
            checksum=bool(number("net.netfilter.nf_conntrack_checksum")),
            tcp_loose=bool(number("net.netfilter.nf_conntrack_tcp_loose")),
            tcp_liberal=bool(number("net.netfilter.nf_conntrack_tcp_be_liberal")),
        )
        for one in host.connections:
            state.connections.add(Connection.known(one))
        return state

    def decide(self, text: str, default: bool, unknown: str) -> bool:
        """Return what is taken for a condition; raises UnknowableError with `unknown` where nothing is chosen."""
        if self.choices is None:
            raise UnknowableError(unknown)
        return self.choices.decide(text, default)

    def forget_connections(self) -> None:
        """Empty the connection table and the `recent` lists, as before a fresh packet of a recorded case."""
        self.connections.clear()
        self.recent.clear()
