"""What a target does, as values: a rule's target is a tuple of effects, carried out in order."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.netfilter.counters import RecentList
from policyc.netfilter.fields import Field


@frozen
class Verdict:
    """The fate of the packet in this table: accept, drop, return, jump, goto, queue or stolen; `chain` for jump and goto."""

    kind: str
    chain: str = ""


@frozen
class Reject:
    """Drop with an answer; `answer` as iptables spells it (`icmp-port-unreachable`, `tcp-reset`)."""

    answer: str


@frozen
class Rewrite:
    """Translate `side` (SRC or DST) for the connection: to `addresses` (None: kept, or chosen by `how`) and `ports`.

    `side` None is what the hook translates: DST in PREROUTING and OUTPUT, SRC in INPUT and POSTROUTING (NETMAP). `how` is
    given, incoming (the primary address of the incoming interface), outgoing, or prefix (the host part stays).
    `port_base`: the port's distance from it is kept in `ports` instead of a free one chosen. `random`: the choice of port
    is not the first free one.
    """

    side: Field | None
    addresses: IntervalSet | None
    ports: IntervalSet | None
    how: str
    random: bool = False
    persistent: bool = False
    port_base: int | None = None


@frozen
class Assign:
    """`field = (field & ~mask) ^ value`; with `source`, the value is `source & source_mask` shifted left by `shift` bits.

    A negative `shift` goes to the right; what leaves the field's width is lost. Of a set-valued field (`ct.label`) the bits are
    its members. A field that does not exist is neither read nor written.
    """

    field: Field
    mask: int
    value: int
    source: Field | None = None
    source_mask: int = 0
    shift: int = 0


@frozen
class Track:
    """What connection tracking will do with the packet: `entry` False for none, a helper's name, a zone.

    `zone` is a number or `mark` (the packet's), behind `original ` or `reply ` where it holds for that direction only.
    """

    entry: bool = True
    helper: str = ""
    zone: str = ""
    events: tuple[str, ...] = ()
    timeout: str = ""


@frozen
class Divert:
    """Hand the packet to a local socket (TPROXY): address and port, 0 for the packet's own, and the mark it gets.

    The mark is set as by `Assign`. Where a socket takes it the packet is accepted, where none does it is dropped.
    """

    address: int
    port: int
    mark: int = 0
    mask: int = 0


@frozen
class Shift:
    """Change the TTL or hop limit: `how` is set, inc or dec."""

    how: str
    amount: int


@frozen
class Note:
    """Something is written down and the packet goes on unchanged.

    `kind` is log, nflog, queue, trace, audit, counter, timer, led, copy, checksum, set, or unknown: nobody knows what happens.
    """

    kind: str
    detail: str = ""


@frozen
class Mutate:
    """A change of the packet that nobody here computes (TCP options, class, label): named, so that nothing is silent.

    `fields` are the modelled ones that may have any value afterwards.
    """

    what: str
    detail: str = ""
    fields: tuple[Field, ...] = ()


@frozen
class Handshake:
    """Answer TCP handshakes for the server (SYNPROXY): a bare SYN is stolen, a bare ACK stolen or dropped, all else goes on.

    Bare means without the other one of the two, FIN and RST (net/ipv4/netfilter/ipt_SYNPROXY.c).
    """


@frozen
class Record:
    """The packet's address is written into a list (`recent --set`), whatever its match and the rest of the rule say."""

    into: RecentList


Effect = Verdict | Reject | Rewrite | Assign | Track | Divert | Shift | Note | Mutate | Handshake | Record
