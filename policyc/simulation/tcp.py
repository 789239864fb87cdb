"""TCP as connection tracking follows it: states, windows, what makes a segment invalid. Part of `policyc.simulation`.

Source: net/netfilter/nf_conntrack_proto_tcp.c of Linux 6.18. Window scaling and SACK options are not in a packet here, so
the windows are those of the headers.
"""

from __future__ import annotations

from enum import Enum

from policyc.simulation.connection import ASSURED, SEEN_REPLY, Connection
from policyc.simulation.packet import ACK, FIN, RST, SYN, Packet, Segment
from policyc.simulation.tcp_state import TcpConnection, TcpSide

_COLUMNS = (
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
)  # fmt: skip
_SHORT = {
    "SS": "SYN_SENT", "SR": "SYN_RECV", "ES": "ESTABLISHED", "FW": "FIN_WAIT", "CW": "CLOSE_WAIT", "LA": "LAST_ACK",
    "TW": "TIME_WAIT", "CL": "CLOSE", "S2": "SYN_SENT2", "IV": "INVALID", "IG": "IGNORE",
}  # fmt: skip
# By direction and kind of segment: what follows each state of _COLUMNS (tcp_conntracks).
_ORIGINAL = {
    "syn": "SS SS IG IG IG IG IG SS SS S2",
    "synack": "IV IV SR IV IV IV IV IV IV SR",
    "fin": "IV IV FW FW LA LA LA TW CL IV",
    "ack": "ES IV ES ES CW CW TW TW CL IV",
    "rst": "IV CL CL CL CL CL CL CL CL CL",
    "none": "IV IV IV IV IV IV IV IV IV IV",
}
_REPLY = {
    "syn": "IV S2 IV IV IV IV IV SS IV S2",
    "synack": "IV SR IG IG IG IG IG IG IG SR",
    "fin": "IV IV FW FW LA LA LA TW CL IV",
    "ack": "IV IG SR ES CW CW TW TW CL IG",
    "rst": "IV CL CL CL CL CL CL CL CL CL",
    "none": "IV IV IV IV IV IV IV IV IV IV",
}
_NEXT = tuple(
    {
        kind: dict(zip(_COLUMNS, (_SHORT[short] for short in row.split()), strict=True))
        for kind, row in side.items()
    }
    for side in (_ORIGINAL, _REPLY)
)  # fmt: skip
_OVER = frozenset(("TIME_WAIT", "CLOSE", "SYN_SENT2"))  # at and behind TIME_WAIT in the kernel's order
_EARLY_DROP = frozenset(("FIN_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "CLOSE_WAIT"))  # tcp_can_early_drop
_ACK_WINDOW = 66000  # MAXACKWINCONST
_VALID_FLAGS = frozenset(  # tcp_valid_flags, without PSH, ECE and CWR
    (SYN, SYN | 32, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | 32, ACK, ACK | 32)
)


class Fate(Enum):
    """What tracking says of a segment: belongs to the connection, belongs to none, or begins one anew.

    IGNORE: it passes as the connection's and changes nothing of it; it is not counted either.
    """

    ACCEPT = "accept"
    IGNORE = "ignore"
    INVALID = "invalid"
    REPEAT = "repeat"
    DELETE = "delete"


def has_valid_flags(packet: Packet) -> bool:
    """Whether the combination of flags may occur at all (tcp_error)."""
    return ((packet.tcp_flags or 0) & (FIN | SYN | RST | ACK | 32)) in _VALID_FLAGS


def kind_of(flags: int) -> str:
    """Return the row of the state tables."""
    if flags & RST:
        return "rst"
    if flags & SYN:
        return "synack" if flags & ACK else "syn"
    if flags & FIN:
        return "fin"
    return "ack" if flags & ACK else "none"


def begin(one: Connection, packet: Packet, *, loose: bool) -> bool:
    """Set up the entry by its first segment (tcp_new); False where it cannot begin a connection."""
    flags, segment = packet.tcp_flags or 0, packet.segment or Segment()
    state = _NEXT[0][kind_of(flags)]["NONE"]
    if state == "INVALID" or (state != "SYN_SENT" and not loose):
        return False
    one.tcp = TcpConnection()
    side = one.tcp.sides[0]
    side.end = side.max_end = _end(segment, flags)
    side.max_window = segment.window or 1
    if state != "SYN_SENT":
        side.max_end += side.max_window
        for each in one.tcp.sides:
            each.liberal = True
    return True


def follow(one: Connection, packet: Packet, *, reply: bool, liberal: bool) -> Fate:
    """Carry the connection's state on by a segment (nf_conntrack_tcp_packet)."""
    tcp, flags, segment = one.tcp, packet.tcp_flags or 0, packet.segment or Segment()
    kind, old = kind_of(flags), tcp.state
    new = _NEXT[reply][kind][old]
    if new == "INVALID":
        return Fate.INVALID
    if new == "SYN_SENT" and old in _OVER:
        if any(side.closed_first for side in tcp.sides) or (tcp.last_kind == "rst" and tcp.last_reply is reply):
            return Fate.REPEAT
        new = "IGNORE"
    if new == "IGNORE":
        if not (
            kind == "synack" and tcp.last_kind == "syn" and tcp.last_reply is not reply and segment.ack == tcp.last_end
        ):
            _let_through(tcp, kind, segment, flags, reply=reply)
            return Fate.IGNORE
        _believe_earlier_syn(tcp, reply=reply)
        old, new = "SYN_SENT", "SYN_RECV"
    elif new == "TIME_WAIT":
        if (
            old == "LAST_ACK"
            and kind == "ack"
            and tcp.last_reply is not reply
            and tcp.last_kind == "syn"
            and tcp.challenge
        ):
            tcp.challenge = False
            return Fate.IGNORE
    elif new == "SYN_SENT2":
        tcp.simultaneous = True
    elif new == "SYN_RECV" and reply and kind == "ack" and tcp.simultaneous:
        new = "ESTABLISHED"
    in_window = False
    if new == "CLOSE" and kind == "rst":
        verdict = _reset(one, segment, old, reply=reply)
        if verdict is None:
            return Fate.INVALID
        new, in_window = verdict
    if not in_window:
        inside = _in_window(tcp, flags, segment, reply=reply, liberal=liberal)
        if inside is None:
            _remember_invalid(one, kind, reply=reply)
            return Fate.INVALID
        if not inside:
            return Fate.IGNORE
    tcp.last_kind, tcp.last_reply, tcp.state = kind, reply, new
    if old != new and new == "FIN_WAIT":
        tcp.sides[reply].closed_first = True
    if not one.status & SEEN_REPLY:
        if flags & RST:
            return Fate.DELETE
        if kind == "syn" and old == "SYN_SENT":
            return Fate.IGNORE  # sent once more
    elif not one.status & ASSURED and old in {"SYN_RECV", "ESTABLISHED"} and new == "ESTABLISHED":
        one.status |= ASSURED
    return Fate.ACCEPT


def _let_through(tcp: TcpConnection, kind: str, segment: Segment, flags: int, *, reply: bool) -> None:
    """Note a segment that may belong to a connection which the entry does not know yet; the state stays."""
    tcp.last_kind, tcp.last_reply = kind, reply
    tcp.last_end, tcp.last_window = _end(segment, flags), segment.window
    if tcp.state == "SYN_SENT" and kind == "ack" and reply:
        tcp.last_ack = segment.ack
    if kind == "syn" and not reply:
        tcp.challenge = tcp.state == "LAST_ACK"


def _remember_invalid(one: Connection, kind: str, *, reply: bool) -> None:
    """Note a FIN or RST outside the window, unless it answers one (nf_tcp_handle_invalid)."""
    tcp = one.tcp
    answers = tcp.last_reply is not reply and tcp.last_kind in {"fin", "rst"}
    if one.status & ASSURED and kind in {"fin", "rst"} and not answers:
        tcp.last_kind, tcp.last_reply = kind, reply


def _believe_earlier_syn(tcp: TcpConnection, *, reply: bool) -> None:
    """Both ends are in step and only the entry was not: start again from the SYN that was let through."""
    asker = tcp.sides[tcp.last_reply]
    asker.end = asker.max_end = tcp.last_end
    asker.max_window = tcp.last_window or 1
    asker.liberal = asker.closed_first = False
    answerer = tcp.sides[reply]
    answerer.end = answerer.max_end = answerer.max_window = 0
    answerer.max_ack = None
    answerer.liberal = answerer.closed_first = False


def _reset(one: Connection, segment: Segment, old: str, *, reply: bool) -> tuple[str, bool] | None:
    """Return the state after a reset and whether its window is beyond question; None where the reset is not credible."""
    tcp, new = one.tcp, "CLOSE"
    if tcp.state in _EARLY_DROP:
        return new, True
    acked = tcp.sides[not reply].max_ack
    if acked is not None and tcp.last_kind != "syn":
        established = tcp.state == "ESTABLISHED" and bool(one.status & ASSURED)
        if segment.seq == 0 and not established:
            return new, False
        if _before(segment.seq, acked):
            return None
        if not established or segment.seq == acked:
            return new, False
        if tcp.last_kind == "ack" and tcp.last_reply is reply and segment.seq == tcp.last_end:
            return new, False
        new = old
    answers_syn = one.status & SEEN_REPLY and tcp.last_kind == "syn" and tcp.last_reply is not reply
    answers_ack = not one.status & ASSURED and tcp.last_kind == "ack"
    if (answers_syn or answers_ack) and segment.ack == tcp.last_end:
        return new, True
    answers_challenge = old == "SYN_SENT" and tcp.last_kind == "ack" and tcp.last_reply
    return new, bool(answers_challenge and segment.seq == tcp.last_ack)


def _in_window(tcp: TcpConnection, flags: int, segment: Segment, *, reply: bool, liberal: bool) -> bool | None:
    """Return True inside the window, False for a segment to let through, None for an invalid one (tcp_in_window)."""
    sender, receiver = tcp.sides[reply], tcp.sides[not reply]
    seq, ack, window = segment.seq, segment.ack, segment.window
    end = _end(segment, flags)
    if sender.max_window == 0:
        if flags & SYN:
            _greet(sender, end, window)
            if not flags & ACK:
                return True
        else:
            sender.end = end
            sender.max_window = window or 1
            sender.max_end = end + sender.max_window
            if receiver.max_window == 0:
                receiver.end = receiver.max_end = ack
            elif ack == receiver.end + 1:
                receiver.end += 1
    elif flags & SYN and _before(sender.end, end) and tcp.state in {"SYN_SENT", "SYN_RECV"}:
        _greet(sender, end, window)
        if reply and not flags & ACK:
            return True
    if not flags & ACK or (flags & RST and ack == 0):
        ack = receiver.end
    if flags & RST and seq == 0 and tcp.state == "SYN_SENT":
        seq = end = sender.end
    forgiving = liberal or sender.liberal
    floor = receiver.end - max(sender.max_window, _ACK_WINDOW) - 1
    reaches = receiver.max_window == 0 or _before(sender.end - receiver.max_window - 1, end)
    if not _before(seq, sender.max_end + 1):
        overshot = (end - sender.max_end + 1) & 0xFFFFFFFF
        slight = receiver.max_window and reaches and _before(floor, ack) and overshot <= receiver.max_window
        if slight and _before(ack, receiver.end + 1):
            sender.end = end  # so that an answer to these bytes is not taken for one to bytes never sent
            return forgiving
        return True if forgiving else None
    if not _before(ack, receiver.end + 1):
        return True if forgiving else None
    if not reaches or not _before(floor, ack):
        return forgiving
    _move(sender, receiver, end, ack if flags & ACK else None, window, ack)
    if kind_of(flags) == "ack":  # what is only forgiven is not remembered
        tcp.last_end, tcp.last_window = end, window
    return True


def _move(sender: TcpSide, receiver: TcpSide, end: int, acked: int | None, window: int, ack: int) -> None:
    """Carry both windows on by a segment inside them."""
    sender.max_window = max(sender.max_window, window)
    if _before(sender.end, end):
        sender.end = end
    if acked is not None and (sender.max_ack is None or _before(sender.max_ack, acked)):
        sender.max_ack = acked
    if receiver.max_window and _before(sender.max_end, end):
        receiver.max_window += (end - sender.max_end) & 0xFFFFFFFF
    if _before(receiver.max_end - 1, ack + window):
        receiver.max_end = ack + window + (window == 0)


def _greet(sender: TcpSide, end: int, window: int) -> None:
    sender.end = sender.max_end = end
    sender.max_window = window or 1
    sender.liberal = False


def _end(segment: Segment, flags: int) -> int:
    return segment.seq + segment.payload + bool(flags & SYN) + bool(flags & FIN)


def _before(a: int, b: int) -> bool:
    """Whether sequence number a comes before b, in the circle of 32 bits."""
    return ((a - b) & 0xFFFFFFFF) >= 0x80000000
