"""A live trace: our own table marks the packets that fit, and the kernel tells which rules of nf_tables they meet.

The table belongs to a netlink socket and ends with it (`flags owner`), however this process ends: there is nothing to clean
up. It changes no packet. What a trace tells: nft_trace.c; `iptables-legacy` tables take no part in it.
"""

from __future__ import annotations

import errno
import os
import select
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from policyc.kernel import nft_messages as nft
from policyc.kernel.inside import asked_inside, namespace_at
from policyc.kernel.privilege import require_privilege
from policyc.kernel.processes import NotPrivileged, Unanswered
from policyc.kernel.replica.netlink import Netlink, TraceSocket, generation, rule_numbers
from policyc.kernel.rulesets import iptables_texts
from policyc.net.addresses import parse_address
from policyc.observation.criteria import MOST, Criteria
from policyc.observation.traced import Event, Watch
from policyc.readers.snapshot_model import Backends

_BEFORE_ALL = -350  # before raw (-300), behind the reassembly of fragments (-400)
_BEHIND_ALL = 0x7FFFFFFE  # only the confirmation of a connection comes later
_CHAINS = (
    (Watch.RECEIVED, nft.PREROUTING, _BEFORE_ALL), (Watch.SENT, nft.LOCAL_OUT, _BEFORE_ALL),
    (Watch.FORWARDING, nft.FORWARD, _BEFORE_ALL), (Watch.DELIVERED, nft.LOCAL_IN, _BEHIND_ALL),
    (Watch.LEFT, nft.POSTROUTING, _BEHIND_ALL),
)  # fmt: skip
_BUFFER = 1 << 24
_MOST_TRIES = 5


class Tracing:
    """A trace in a network namespace, used as a context manager: from entering to leaving, packets that fit are traced.

    `texts` are the rules of iptables-nft by family as they were when it began, `lengths` how many rules each chain of
    nf_tables had, by family, table and name. `legacy` says that iptables-legacy has rules,
    which the trace does not see; `lost` how often the kernel told more than could be taken.

    Entering raises NotPrivileged, NoNamespace, MissingProgram, and Unanswered where this kernel cannot trace so, or where only
    iptables-legacy has rules.
    """

    def __init__(self, criteria: Sequence[Criteria], netns: str | None = None, pid: int | None = None) -> None:
        self._criteria = criteria
        self._place = netns, pid
        self._table = f"policyc_trace_{os.getpid()}"
        self._links: dict[int, str] = {}
        self._numbers: dict[tuple[int, str, str, int], int] = {}
        self.lengths: dict[tuple[int, str, str], int] = {}
        self._owner: Netlink | None = None
        self._events: TraceSocket | None = None
        self.texts: dict[int, str] = {}
        self.legacy = False
        self.lost = 0

    def __enter__(self) -> Self:
        # The sockets stay in the namespace in which they are made; only this happens inside.
        try:
            asked_inside(namespace_at(*self._place), self._open)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the trace: the table is gone with its socket."""
        for socket in (self._owner, self._events):
            if socket is not None:
                socket.socket.close()
        self._owner = self._events = None

    def fileno(self) -> int:
        """Return the descriptor that is readable when something was told."""
        assert self._events is not None, "the trace is not entered"
        return self._events.socket.fileno()

    def told(self, seconds: float) -> list[Event]:
        """Wait up to so many seconds; return what was told by then, which may be nothing."""
        assert self._events is not None, "the trace is not entered"
        ready, _, _ = select.select([self], [], [], max(seconds, 0))
        found: list[Event] = []
        try:
            if ready:
                found.extend(self._event(one) for one in self._events.events())
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            self.lost += 1
        return found

    def _open(self) -> None:
        require_privilege()
        backends = self._rules()
        nft_rules, legacy = backends.nft, backends.legacy
        self.legacy = legacy is not None and any(line.startswith("-A ") for line in (*legacy.ipv4, *legacy.ipv6))
        of_nft = nft_rules is not None and any(line.startswith("-A ") for line in (*nft_rules.ipv4, *nft_rules.ipv6))
        if self.legacy and not of_nft:
            raise Unanswered(
                "the rules here are of iptables-legacy, whose packets only TRACE rules trace; such rules would stay behind if "
                "policyc were killed, so none are made: ask `policyc explain live PACKET`"
            )
        if nft_rules is not None:
            families = {4: nft_rules.ipv4, 6: nft_rules.ipv6}
            self.texts = {family: "".join(f"{line}\n" for line in lines) for family, lines in families.items() if lines}
        criteria = self._with_own_addresses()
        self._events = TraceSocket(_BUFFER)
        self._owner = Netlink()
        _make(self._owner, self._table, criteria)

    def _rules(self) -> Backends:
        """Return the rules as text, and learn their handles: both of one moment."""
        try:
            generation()
        except OSError as error:
            raise Unanswered(f"this kernel has no nf_tables, by which it would be traced ({error.strerror})") from None
        for _ in range(_MOST_TRIES):
            before = generation()
            backends, _others = iptables_texts()
            numbers = rule_numbers()
            if generation() == before:
                for family, table, chain, handle, number in numbers:
                    self._numbers[family, table, chain, handle] = self.lengths[family, table, chain] = number
                return backends
        raise Unanswered("the rules change faster than they can be read; try again")

    def _with_own_addresses(self) -> list[Criteria]:
        """Return the criteria with the addresses of this host for `self`, and learn the names of its interfaces."""
        from pyroute2 import IPRoute

        own: dict[int, set[int]] = {4: set(), 6: set()}
        with IPRoute() as ip:
            self._links = {link["index"]: str(link.get_attr("IFLA_IFNAME")) for link in ip.get_links()}
            for message in ip.get_addr():
                family = {2: 4, 10: 6}.get(message["family"])
                address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
                if family and address:
                    own[family].add(parse_address(str(address), family))
        found = [filled for one in self._criteria for filled in _filled(one, sorted(own[one.family]))]
        if len(found) > MOST:
            raise Unanswered(f"this host has so many addresses that `self` makes {len(found)} rules; name one address")
        if not found:
            raise Unanswered("this host has no address that `self` could stand for")
        return found

    def _event(self, told: dict[str, Any]) -> Event:
        ours = told["table"] == self._table
        # A rule without a handle is the end of a chain (nft_do_chain: the last, empty rule of each).
        kind = "end" if told["kind"] == "rule" and not told["handle"] else told["kind"]
        key = told["family"], told["table"], told["chain"], told["handle"]
        return Event(
            told["id"], told["family"], told["table"], told["chain"], kind, told["verdict"], told["target"],
            self._numbers.get(key) if kind == "rule" else None, Watch(told["chain"]) if ours else None,
            begins=ours and kind == "rule", packet=bytes.fromhex(told["packet"]), entry=self._link(told["iif"]),
            exit=self._link(told["oif"]), mark=told["mark"], state=told["state"],
        )  # fmt: skip

    def _link(self, index: int) -> str:
        return self._links.get(index, f"interface {index}") if index else ""


def _filled(criteria: Criteria, own: Sequence[int]) -> Iterator[Criteria]:
    """Yield the criteria for each address that `self` stands for."""
    sources = [(one, one) for one in own] if criteria.from_self else [criteria.source]
    destinations = [(one, one) for one in own] if criteria.to_self else [criteria.destination]
    for source in sources:
        for destination in destinations:
            yield replace(criteria, source=source, destination=destination, from_self=False, to_self=False)


def _make(owner: Netlink, name: str, criteria: Sequence[Criteria]) -> None:
    """Make the table with its chains and rules in one transaction; raises NotPrivileged and Unanswered."""
    messages = [nft.table(name)]
    messages += [nft.chain(name, watch.value, hook, priority) for watch, hook, priority in _CHAINS]
    for watch, received in ((Watch.RECEIVED, True), (Watch.SENT, False)):
        fitting = (one for one in criteria if (one.received if received else one.sent))
        messages += [nft.tracing_rule(name, watch.value, one, received=received) for one in fitting]
    try:
        owner.socket.send(nft.batch(messages))
        for _ in messages:
            owner.settled()
    except OSError as error:
        if error.errno in {errno.EPERM, errno.EACCES}:
            raise NotPrivileged("tracing packets needs root (CAP_NET_ADMIN)") from None
        reason = os.strerror(error.errno or 0)
        raise Unanswered(
            f"this kernel refuses the table of a trace ({reason}); it needs nf_tables of Linux 5.12"
        ) from None
