"""What a target does, as values: a rule's target is a tuple of effects, carried out in order."""

from __future__ import annotations

from dataclasses import dataclass

from policyc.net.intervals import IntervalSet
from policyc.netfilter.fields import Field


@dataclass(frozen=True, slots=True)
class Verdict:
    """The fate of the packet in this table: accept, drop, return, jump, goto, queue or stolen; `chain` for jump and goto."""

    kind: str
    chain: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """Drop with an answer; `answer` as iptables spells it (`icmp-port-unreachable`, `tcp-reset`)."""

    answer: str


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Translate `side` (SRC or DST) for the connection: to `addresses` (None: kept, or chosen by `how`) and `ports`.

    `how` is given, incoming (the primary address of the incoming interface), outgoing, or prefix (the host part stays).
    `port_offset`: ports are shifted by base instead of chosen. `random`: the choice of port is not the first free one.
    """

    side: Field
    addresses: IntervalSet | None
    ports: IntervalSet | None
    how: str
    random: bool = False
    persistent: bool = False
    port_base: int | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """`field = (field & ~mask) ^ value`, or with `source`: bits of another field copied under `source_mask`."""

    field: Field
    mask: int
    value: int
    source: Field | None = None
    source_mask: int = 0


@dataclass(frozen=True, slots=True)
class Track:
    """What connection tracking will do with the packet: `entry` False for none, a helper's name, a zone."""

    entry: bool = True
    helper: str = ""
    zone: str = ""
    events: tuple[str, ...] = ()
    timeout: str = ""


@dataclass(frozen=True, slots=True)
class Divert:
    """Hand the packet to a local socket (TPROXY): address and port, 0 for the packet's own, and the mark it gets."""

    address: int
    port: int
    mark: int = 0
    mask: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """Change the TTL or hop limit: `how` is set, inc or dec."""

    how: str
    amount: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something is written down and the packet goes on unchanged: `kind` log, trace, audit, counter, set, copy, checksum."""

    kind: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Mutate:
    """A change of the packet that no modelled field shows (TCP options, checksum, class): named, so that nothing is silent."""

    what: str
    detail: str = ""


Effect = Verdict | Reject | Rewrite | Assign | Track | Divert | Shift | Note | Mutate
