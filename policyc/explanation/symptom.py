"""Somebody saw "connection refused": do the rules explain it, and if not, what would? Part of `explanation`, above `sender`.

Sources: tests/kernel/wire/test_sender.py for what rules and routes lead to; what they do not lead to, from what the kernel's
documentation and the measured facts about conntrack, neighbours and ICMP limits say.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from policyc.explanation.icmp_errors import WORDS
from policyc.explanation.sender import Seen, SenderView
from policyc.frozen import frozen
from policyc.net.addresses import format_address
from policyc.net.protocols import TCP
from policyc.simulation.view import PacketView


class Symptom(StrEnum):
    """What somebody saw.

    `unreachable` is "No route to host" and "Network is unreachable", `no-route` the same before anything is sent,
    `prohibited` an ICMP prohibition or "Permission denied", `expired` ping's "Time to live exceeded".
    """

    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    PROHIBITED = "prohibited"
    RESET = "reset"
    EPERM = "eperm"
    NO_ROUTE = "no-route"
    EXPIRED = "expired"


# Other words for them: what programs print and what programmers see.
_SYNONYMS = {
    "connection refused": Symptom.REFUSED, "econnrefused": Symptom.REFUSED, "destination port unreachable": Symptom.REFUSED,
    "timed out": Symptom.TIMEOUT, "connection timed out": Symptom.TIMEOUT, "etimedout": Symptom.TIMEOUT,
    "silence": Symptom.TIMEOUT, "hangs": Symptom.TIMEOUT,
    "no route to host": Symptom.UNREACHABLE, "ehostunreach": Symptom.UNREACHABLE,
    "network is unreachable": Symptom.UNREACHABLE, "enetunreach": Symptom.UNREACHABLE,
    "destination host unreachable": Symptom.UNREACHABLE, "destination net unreachable": Symptom.UNREACHABLE,
    "permission denied": Symptom.PROHIBITED, "eacces": Symptom.PROHIBITED, "packet filtered": Symptom.PROHIBITED,
    "destination host prohibited": Symptom.PROHIBITED, "connection reset by peer": Symptom.RESET, "econnreset": Symptom.RESET,
    "connection reset": Symptom.RESET, "operation not permitted": Symptom.EPERM, "no route": Symptom.NO_ROUTE,
    "time to live exceeded": Symptom.EXPIRED, "ttl": Symptom.EXPIRED,
}  # fmt: skip
_LIKE_UNREACHABLE = frozenset(("EHOSTUNREACH", "ENETUNREACH", "ENOPROTOOPT"))
# What a program sees of these is the same as of the symptom.
_KINDS = {
    Symptom.REFUSED: {Seen.REFUSED},
    Symptom.TIMEOUT: {Seen.TIMEOUT},
    Symptom.UNREACHABLE: {Seen.UNREACHABLE},
    Symptom.PROHIBITED: {Seen.PROHIBITED},
    Symptom.RESET: {Seen.RESET},
    Symptom.EPERM: {Seen.EPERM},
    Symptom.NO_ROUTE: {Seen.NO_ROUTE},
    Symptom.EXPIRED: {Seen.EXPIRED},
}
_AT_ONCE_BY_THE_SENDER = frozenset((Seen.EPERM, Seen.NO_ROUTE))
_SILENT = frozenset((Seen.TIMEOUT, Seen.NOTHING))


@frozen
class Diagnosis:
    """Whether a packet's fate explains a symptom.

    `explained` None: nobody can know the packet's fate. `view` is the one that fits, or the one to expect instead. `text` is
    one sentence without a full stop; `causes` are what else leads to the symptom, likeliest first, none where it is explained.
    """

    symptom: Symptom
    explained: bool | None
    view: SenderView
    text: str
    causes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "symptom": self.symptom.value, "explained": self.explained, "expected": self.view.kind.value, "text": self.text,
            "causes": list(self.causes),
        }  # fmt: skip


def parse_symptom(text: str) -> Symptom:
    """Return the symptom that a word or a program's message means; raises ValueError that names all words."""
    word = " ".join(text.strip().strip("`'\".").lower().split())
    if word in _SYNONYMS:
        return _SYNONYMS[word]
    try:
        return Symptom(word.replace("_", "-").replace(" ", "-"))
    except ValueError:
        names = ", ".join(f"`{one.value}`" for one in Symptom)
        raise ValueError(
            f"`{text}` is no symptom; there are {names}, and what programs print, as `Connection refused`"
        ) from None


def explain_symptom(symptom: Symptom, views: Sequence[SenderView], sent: PacketView) -> Diagnosis:
    """Return whether what the sender of a packet sees, `views` (at least one), is the symptom, and what else would lead to it."""
    expected = views[0]
    if expected.kind is Seen.UNKNOWN:
        return Diagnosis(
            symptom, None, expected, f"whether the rules explain it cannot be known: {expected.because}", ()
        )
    fitting = next((view for view in views if _fits(symptom, view)), None)
    if fitting is not None:
        whose = "" if fitting is expected else f" for {fitting.program}"
        return Diagnosis(symptom, True, fitting, f"this explains it{whose}: {_said(fitting)}", ())
    if expected.kind is Seen.ANSWER:
        return Diagnosis(symptom, False, expected, _lets_pass(symptom), _causes(symptom, sent))
    return Diagnosis(
        symptom, False, expected, f"this does not explain it: {_said(expected)}", _elsewhere(symptom, expected, sent)
    )


def _said(view: SenderView) -> str:
    return f"{view.because} ({view.text})" if view.because else view.text


def _fits(symptom: Symptom, view: SenderView) -> bool:
    if view.kind in _KINDS[symptom]:
        return True
    if symptom in {Symptom.UNREACHABLE, Symptom.NO_ROUTE}:  # one message of programs for both
        return view.errno in _LIKE_UNREACHABLE and view.kind is not Seen.TIMEOUT
    return symptom is Symptom.PROHIBITED and view.errno == "EACCES"


def _lets_pass(symptom: Symptom) -> str:
    if symptom is Symptom.TIMEOUT:
        return "the rules let the packet pass, so it is its answer that is lost, or the packet never comes here"
    return f"the rules let the packet pass, so `{symptom.value}` comes from somewhere else"


# ---------------------------------------------------------------------- causes, where the packet passes
_ANOTHER_FIREWALL = "another firewall rejects it, on the way or at the receiver"
_CAUSES = {
    Symptom.REFUSED: (
        "nothing listens there, or only on 127.0.0.1 or on the other address family: `{listening}` at the receiver",
        "the packet is not translated where that is expected: {address} itself answers instead of a host behind it",
        _ANOTHER_FIREWALL,
    ),
    Symptom.TIMEOUT: (
        "the answer is dropped on its way back: ask again with `--reply`",
        "the answer leaves by another way, past this host, so that NAT is not undone or the other end drops it",
        "the packet does not come here at all: listen with the filters of `--filter` on each side",
        "the receiver drops it: by rules of its own, or since a queue is full (`{listening}`: Recv-Q over Send-Q)",
    ),
    Symptom.UNREACHABLE: (
        "the receiver or the next hop does not answer {asks}: this takes about three seconds (`ip neigh` says FAILED)",
        "a router further on has no route",
        _ANOTHER_FIREWALL,
    ),
    Symptom.PROHIBITED: (
        _ANOTHER_FIREWALL,
        "a prohibit route of a router further on, or of the sender itself (`ip route get {address}` there)",
    ),
    Symptom.RESET: (
        "the program at the other end closed the connection before it had read all, or ended",
        "conntrack forgot the connection (a timeout, `conntrack -F`, a restart): without NAT it comes to a host that resets it",
        "a proxy or a firewall on the way resets it",
    ),
    Symptom.EPERM: (
        "rules in OUTPUT or POSTROUTING of the sender, where that is another host or the packet another one",
        "the sender's connection table is full: `nf_conntrack: table full, dropping packet` in its kernel log",
        "a program of the sender's control group (BPF) forbids it, or it asks for a raw socket without the right to it",
    ),
    Symptom.NO_ROUTE: (
        "the sender's own routes: `ip route get {address}` there",
        "its interface is down or has no address of this family",
    ),
    Symptom.EXPIRED: (
        "routers send it round in a circle: traceroute shows the same ones again and again",
        "it starts with a small TTL, as packets of traceroute and of some multicast programs do",
    ),
}


def _causes(symptom: Symptom, sent: PacketView) -> tuple[str, ...]:
    words = {
        "address": format_address(sent.dst, sent.family),
        "asks": "ARP" if sent.family == 4 else "neighbour discovery",
        "listening": "ss -ltn" if sent.proto == TCP else "ss -lun",
    }
    return tuple(cause.format(**words) for cause in _CAUSES[symptom])


# ---------------------------------------------------------------------- causes, where it does not
def _elsewhere(symptom: Symptom, expected: SenderView, sent: PacketView) -> tuple[str, ...]:
    other = (
        "the program tries another address than this packet's: the other family, another record of the name, a proxy"
    )
    if symptom is Symptom.TIMEOUT:
        if expected.kind in _AT_ONCE_BY_THE_SENDER:
            return ("the program tries again and hides the error: look at it with `strace -e trace=network`", other)
        return (
            "the answer is dropped on its way back, by a firewall or by the sender's own INPUT; many drop ICMP errors",
            "the kernel sends ICMP errors to one address only so often (net.ipv4.icmp_ratelimit): wait a second and try again",
            "the packet never comes here: listen with the filter of `--filter`",
        )
    if expected.kind in _AT_ONCE_BY_THE_SENDER:
        return (other, "the error is another socket's, or from before the rules were changed")
    nearer = f"another firewall or host nearer to the sender answers `{symptom.value}` before the packet comes here"
    old = "the connection is older than the rules: conntrack lets it pass, and what is seen comes from the other end"
    causes = [nearer, other]
    if symptom is Symptom.RESET or (expected.kind in _SILENT and sent.proto == TCP):
        causes.append(old)
    if symptom in {Symptom.EPERM, Symptom.NO_ROUTE}:
        causes[0] = f"the sender's own host refuses it before it is sent: {_own_words(symptom)}"
    return tuple(causes)


def _own_words(symptom: Symptom) -> str:
    return f"its rules in OUTPUT (`{WORDS['EPERM']}`)" if symptom is Symptom.EPERM else "its routes (`ip route get`)"
