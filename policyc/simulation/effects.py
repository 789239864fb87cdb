"""What a rule's target does to a packet, its connection and the sets. Part of `policyc.simulation`, used by `rules`.

A target's effects become one function that returns how the packet goes on in its table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from policyc.host.set_changes import with_packet, without_packet
from policyc.netfilter import fields
from policyc.netfilter.effect import (
    Assign,
    Divert,
    Effect,
    Handshake,
    Mutate,
    Note,
    Record,
    Reject,
    Rewrite,
    Shift,
    Track,
    Verdict,
)
from policyc.simulation import nat
from policyc.simulation.mss import clamp
from policyc.simulation.packet import ACK, FIN, MSS_OPTION, RST, SYN, Packet
from policyc.simulation.state import State, UnknowableError

CONTINUE, ACCEPT, DROP, RETURN, JUMP, GOTO, STOLEN = "continue", "accept", "drop", "return", "jump", "goto", "stolen"


@dataclass(slots=True)
class Outcome:
    """How a packet goes on behind a rule.

    `chain` of a jump or goto; `reject` is REJECT's answer; `kernel` says why the kernel itself drops the packet.
    """

    kind: str
    chain: str = ""
    reject: str = ""
    kernel: str = ""

    @property
    def word(self) -> str:
        """The verdict as traces spell it."""
        return f"{self.kind}:{self.chain}" if self.chain else self.kind


GOES_ON = Outcome(CONTINUE)
Action = Callable[[Packet], Outcome | None]


def _always(outcome: Outcome | None) -> Action:
    def act(_: Packet) -> Outcome | None:
        return outcome

    return act


def action_of(effect: Effect, state: State) -> Action:
    """Return the function of one effect, None from it meaning that the rule's next effect follows."""
    if isinstance(effect, Verdict):
        return _verdict(effect, state)
    if isinstance(effect, Reject):
        return _always(Outcome(DROP, reject=effect.answer))
    if isinstance(effect, Rewrite):
        return _rewrite(effect, state)
    if isinstance(effect, Assign):
        return _assign(effect)
    if isinstance(effect, Track):
        return _track(effect)
    if isinstance(effect, Shift):
        return _shift(effect)
    if isinstance(effect, Note):
        return _note(effect, state)
    if isinstance(effect, Record):
        return lambda packet: state.recent.record(effect.into, packet, state.now or 0)
    if isinstance(effect, Mutate):
        return _mutate(effect, state)
    if isinstance(effect, Divert):
        return _divert(effect, state)
    if isinstance(effect, Handshake):
        return _handshake(state)
    assert_never(effect)


def _unknowable(reason: str) -> Action:
    def refuse(_: Packet) -> Outcome | None:
        raise UnknowableError(reason)

    return refuse


def _verdict(effect: Verdict, state: State) -> Action:
    if effect.kind != "queue":
        return _always(Outcome(effect.kind, effect.chain))

    def ask(_: Packet) -> Outcome | None:
        accepted = state.decide(
            "the program behind NFQUEUE accepts it", True, "what the program behind NFQUEUE decides"
        )
        return Outcome(ACCEPT if accepted else DROP)

    return ask


def _divert(effect: Divert, state: State) -> Action:
    """Hand the packet to a socket (tproxy_tg4): it goes on to INPUT where its mark, or the address, is routed as local."""

    def divert(packet: Packet) -> Outcome | None:
        if not state.decide(
            f"a local socket listens on port {effect.port or 'of the packet'} with IP_TRANSPARENT", True,
            "whether a local socket takes the packet (TPROXY)",
        ):  # fmt: skip
            return Outcome(DROP)
        packet.mark = packet.mark & ~effect.mask ^ effect.mark
        return Outcome(ACCEPT)

    return divert


def _rewrite(effect: Rewrite, state: State) -> Action:
    def translate(packet: Packet) -> Outcome | None:
        refused = nat.rewrite(state, packet, effect)
        return Outcome(DROP, kernel=refused) if refused else None

    return translate


_NAMES = {fields.MARK: "mark", fields.TOS: "tos", fields.TCP_FLAGS: "tcp_flags"}
_NO_OPERATION = 1  # the TCP option that fills


def _read(packet: Packet, effect: Assign) -> int | None:
    """Return what is to be xored into the field."""
    if effect.source is None:
        return effect.value
    if effect.source is fields.CT_MARK:
        if packet.ct is None:
            return None
        value = packet.ct.mark
    elif effect.source is fields.MARK:
        value = packet.mark
    else:
        raise UnknowableError(f"the packet's {effect.source!r}")
    value &= effect.source_mask
    shifted = value << effect.shift if effect.shift >= 0 else value >> -effect.shift
    return shifted & 0xFFFFFFFF


def _assign(effect: Assign) -> Action:
    def assign(packet: Packet) -> Outcome | None:
        value = _read(packet, effect)
        if value is None:
            return None
        if effect.field is fields.CT_MARK:
            if packet.ct is not None:
                packet.ct.mark = packet.ct.mark & ~effect.mask ^ value
        elif (name := _NAMES.get(effect.field)) is not None:
            if (before := getattr(packet, name)) is not None:
                setattr(packet, name, before & ~effect.mask ^ value)
        elif effect.field is fields.CT_LABEL:
            if packet.ct is not None and effect.source is None:
                changed = {bit for bit in range(128) if effect.value >> bit & 1}
                packet.ct.labels = frozenset(packet.ct.labels | changed)
        else:
            raise UnknowableError(f"what becomes of the packet's {effect.field!r}")
        return None

    return assign


def _track(effect: Track) -> Action:
    def exempt(packet: Packet) -> Outcome | None:
        if packet.ct is not None:
            return None
        if not effect.entry:
            packet.ct_state = "UNTRACKED"
        elif effect.zone:
            raise UnknowableError("connection tracking zones are not simulated")
        else:
            packet.helper = effect.helper
        return None

    return exempt


def _shift(effect: Shift) -> Action:
    def shift(packet: Packet) -> Outcome | None:
        if effect.how == "set":
            packet.ttl = effect.amount
        else:
            change = effect.amount if effect.how == "inc" else -effect.amount
            packet.ttl = min(max(packet.ttl + change, 0), 255)
        return None

    return shift


def _note(effect: Note, state: State) -> Action:
    if effect.kind == "unknown":
        return _unknowable(f"what `{effect.detail}` does")
    if effect.kind != "set":
        return _always(None)
    way, name, directions = effect.detail.split()
    change = with_packet if way == "add" else without_packet

    def note(packet: Packet) -> Outcome | None:
        if name in state.sets:
            state.sets = change(state.sets, name, directions.split(","), packet.probe, now=state.now or 0)
        return None

    return note


def _mutate(effect: Mutate, state: State) -> Action:
    if effect.what == "tcp-mss":
        size = int(effect.detail) if effect.detail.isdecimal() else None

        def change(packet: Packet) -> Outcome | None:
            clamp(state, packet, size)
            return None

        return change
    if effect.what == "tcp-options":
        return _strip({int(kind) for kind in effect.detail.split(",")})
    if effect.fields:
        return _unknowable(f"what becomes of {', '.join(map(repr, effect.fields))}: {effect.what}")
    return _always(None)


def _strip(kinds: set[int]) -> Action:
    def strip(packet: Packet) -> Outcome | None:
        if packet.tcp_option is not None:
            packet.tcp_option = tuple(_NO_OPERATION if kind in kinds else kind for kind in packet.tcp_option)
            if MSS_OPTION in kinds:
                packet.tcp_mss = None
        return None

    return strip


def _handshake(state: State) -> Action:
    def answer(packet: Packet) -> Outcome | None:
        bare = (packet.tcp_flags or 0) & (SYN | ACK | FIN | RST)
        if bare == SYN:
            return Outcome(STOLEN)
        if bare == ACK:
            unknown = "whether the ACK belongs to a handshake that SYNPROXY answered"
            return Outcome(
                STOLEN if state.decide("the ACK ends a handshake that SYNPROXY answered", True, unknown) else DROP
            )
        return None

    return answer


def together(actions: Sequence[Action]) -> Callable[[Packet], Outcome]:
    """Return the function of all effects of a target, in their order."""
    if not actions:
        return lambda _: GOES_ON
    if len(actions) == 1:
        only = actions[0]
        return lambda packet: only(packet) or GOES_ON

    def carry_out(packet: Packet) -> Outcome:
        for act in actions:
            if (outcome := act(packet)) is not None:
                return outcome
        return GOES_ON

    return carry_out
