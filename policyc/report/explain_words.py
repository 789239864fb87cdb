"""What an explanation says about verdict, packet and rule, in words: what its terminal form and its page have in common."""

from __future__ import annotations

from policyc.explanation.answer import Explanation
from policyc.explanation.outcomes import Way
from policyc.explanation.places import RulePlace
from policyc.net.protocols import TCP
from policyc.netfilter.parts import Match
from policyc.netfilter.rule import Rule
from policyc.netfilter.statement_ids import id_of
from policyc.simulation.journey import Tracked
from policyc.simulation.misses import Miss
from policyc.simulation.packet import SYN
from policyc.simulation.trace import DROPPED, FORWARDED, KERNEL_DROP, LOCAL, REJECTED, SENT, UNSUPPORTED
from policyc.simulation.view import PacketView

WORDS = {
    LOCAL: "ACCEPT", FORWARDED: "ACCEPT", SENT: "ACCEPT", DROPPED: "DROP", REJECTED: "REJECT", KERNEL_DROP: "DROP",
    UNSUPPORTED: "UNKNOWN",
}  # fmt: skip
"""How people write a verdict."""

_OPENINGS = {"NEW": "new connection", "ESTABLISHED": "known connection", "RELATED": "related to a known connection"}
_IMPLIED = {"ipv6-icmp": "icmp6"}  # the match that `-p` brings along where it is not of the same name


def packet_text(view: PacketView) -> str:
    """Return protocol and both ends with an arrow."""
    return f"{view.protocol} {view.source} → {view.destination}"


def question_text(explanation: Explanation) -> str:
    """Return the packet as it entered, with where it came in and what connection tracking took it for."""
    sent = explanation.sent
    words = [f"in {sent.iif}" if sent.iif else "from this host"]
    if sent.proto == TCP and sent.flags != SYN:
        words.append(f"flags {sent.shown()['flags']}")
    if sent.mark:
        words.append(f"mark {sent.mark:#x}")
    tracked = next((one for one in explanation.way.journey.events if isinstance(one, Tracked)), None)
    if tracked is not None:
        opening = _OPENINGS.get(tracked.state, tracked.state)
        words.append(f"a reply of a {opening}" if tracked.reply and tracked.state == "ESTABLISHED" else opening)
    return f"{packet_text(sent)}  {', '.join(words)}"


def fate(way: Way) -> str:
    """Return where a delivered packet arrives and what it looks like there, where it changed; "" for any other."""
    device = way.trace.device
    said = {
        LOCAL: f"delivered to this host, in by {device}",
        FORWARDED: f"forwarded, out by {device}",
        SENT: f"sent, out by {device}",
    }.get(way.trace.verdict, "")
    before, after = PacketView.of(way.sent), PacketView.of(way.packet)
    if said and (before.source, before.destination) != (after.source, after.destination):
        said += f", as {packet_text(after)}"
    return said


def decision(way: Way, place: RulePlace | None) -> str:
    """Return what decided: a rule, a chain's policy, or the kernel itself."""
    trace = way.trace
    if trace.verdict == KERNEL_DROP:
        return f"by the kernel itself: {trace.reason}"
    if trace.verdict == UNSUPPORTED:
        return f"nobody can say {trace.reason}" if trace.reason.startswith("whe") else trace.reason
    if place is None:
        return "no rule of table filter had a say"
    with_what = f", with {trace.reject_with}" if trace.reject_with else ""
    if place.number == "policy":
        return f"by the policy of {place.table}/{place.chain}{with_what}"
    name = f" `{place.statement}`" if place.statement else ""
    return f"by {place.name}{name}{with_what}"


def missed_text(failing: tuple[Miss, ...]) -> str:
    """Return why a rule was not taken: its first failing test, as what the packet has instead."""
    if not failing:
        return "taken not to hold"
    miss = failing[0]
    said = _INSTEAD.get(miss.field)
    if not miss.field:
        return f"`{miss.part}` does not hold"
    return miss.text if said is None or miss.value == "none" else said.format(miss.value)


_INSTEAD = {"iif": "came in by {}", "oif": "leaves by {}", "ct.state": "state is {}", "icmp": "type is {}"}


def rule_text(rule: Rule) -> str:
    """Return a rule as iptables takes it, without what `-p` implies and without the comment that leads back to a policy."""
    selector = rule.selector("-p")
    protocol = selector.text.removeprefix("-p ") if selector is not None else ""
    implied = f"-m {_IMPLIED.get(protocol, protocol)} "
    own = bool(id_of(rule))
    return " ".join(
        part.text.removeprefix(implied) if isinstance(part, Match) else part.text
        for part in rule.parts
        if not (own and part.text.startswith("-m comment "))
    )


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
