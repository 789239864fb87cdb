"""The answer to "what happens to this packet": a value that every report shows in its own way. Part of `explanation`."""

from __future__ import annotations

from dataclasses import asdict, field
from typing import Any

from policyc.explanation.defaults import CLIENT_PORT
from policyc.explanation.filters import FlowFilter, flow_filters
from policyc.explanation.insights.found import insights
from policyc.explanation.insights.insight import Insight
from policyc.explanation.near import NearMiss
from policyc.explanation.outcomes import Way
from policyc.explanation.places import Places, RulePlace
from policyc.explanation.sender import SenderView, sender_views
from policyc.explanation.steps import step_of
from policyc.frozen import frozen
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.misses import Misses
from policyc.simulation.trace import DELIVERED, REJECTED, UNSUPPORTED
from policyc.simulation.view import PacketView


@frozen
class Alternative:
    """Another way that the packet may take; `assumes` are the conditions, in words, that lead to it instead of the first.

    `by_counters`: only rates, quotas and lists, which are used up or not, stand between the two.
    """

    way: Way
    assumes: tuple[str, ...]
    by_counters: bool = False


@frozen
class Explanation:
    """What happens to one packet. `way` is the likeliest, `alternatives` are all others whose outcome differs.

    `assumptions` are what `way` takes for granted, in words. `near` are the rules that one test kept from matching.
    `complete` False: there are more conditions than were tried.
    """

    question: str
    ruleset: Ruleset
    way: Way
    assumptions: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    near: tuple[NearMiss, ...]
    complete: bool
    places: Places = field(repr=False)

    @property
    def verdict(self) -> str:
        """LOCAL, FORWARDED, SENT, DROPPED, REJECTED, KERNEL_DROP or UNSUPPORTED, as in recorded verdicts."""
        return self.way.trace.verdict

    @property
    def word(self) -> str:
        """The verdict as policies and `--expect` write it: accept, drop, reject, or unknown."""
        return word_of(self.verdict)

    def keeps(self, word: str) -> bool:
        """Whether the verdict is the word in every outcome, counters not used up."""
        others = (word_of(one.way.trace.verdict) for one in self.alternatives if not one.by_counters)
        return self.complete and all(each == word for each in (self.word, *others))

    @property
    def sent(self) -> PacketView:
        """The packet as it entered."""
        return PacketView.of(self.way.sent)

    @property
    def final(self) -> PacketView:
        """The packet as it was last seen."""
        return PacketView.of(self.way.packet)

    @property
    def sender(self) -> tuple[SenderView, ...]:
        """What the sender will see, the commonest kind of program first."""
        return sender_views(self.way.trace, self.way.sent, self.way.situation.host.sysctls)

    @property
    def insights(self) -> tuple[Insight, ...]:
        """What a person should learn from it: typical causes whose facts hold here."""
        return insights(self.way, self.places)

    @property
    def filters(self) -> tuple[FlowFilter, ...]:
        """What tcpdump and Wireshark catch the flow with; the client's port is open where nobody said it or NAT draws one."""
        any_port = self.sent.sport == CLIENT_PORT or bool(self.way.noted)
        return flow_filters(self.verdict, self.sent, self.final, any_port=any_port)

    @property
    def deciding(self) -> RulePlace | None:
        """The rule or policy that decided, None where the kernel itself did or no rule had a say."""
        return self.decided(self.way)

    def decided(self, way: Way) -> RulePlace | None:
        """Return the rule or policy that decided a way."""
        step = way.trace.deciding
        return None if step is None else self.places.of(way.sent.family, step.table, step.chain, step.rule)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form: the keys of a recorded verdict, then the steps and what else an answer has."""
        misses = Misses(self.way.state)
        return {
            "question": self.question,
            **self._outcome(self.way),
            "packet": self.sent.to_dict(),
            "steps": [step_of(event, self.places, misses) for event in self.way.journey.events],
            "near_misses": [self._near(one) for one in self.near],
            "insights": [one.to_dict() for one in self.insights],
            "filters": [one.to_dict() for one in self.filters],
            "sender": [asdict(view) for view in self.sender],
            "assumptions": list(self.assumptions),
            "alternatives": [
                {"assumes": list(one.assumes), "by_counters": one.by_counters, **self._outcome(one.way)}
                for one in self.alternatives
            ],
            "complete": self.complete,
        }  # fmt: skip

    def _outcome(self, way: Way) -> dict[str, Any]:
        found = way.trace.to_dict(0, way.packet, way.sent)
        del found["n"]
        place = self.decided(way)
        found["decided_by"] = None if place is None else place.to_dict()
        return found

    def _near(self, near: NearMiss) -> dict[str, Any]:
        look = near.look
        assert look.rule is not None
        assert isinstance(look.number, int)
        place = self.places.of_rule(self.way.sent.family, near.table, look.chain, look.number, look.rule)
        return {
            "hook": near.hook.value,
            "rule": place.to_dict(),
            "miss": near.miss.to_dict(),
            "verdict_instead": None if near.instead is None else near.instead.trace.verdict,
        }


def word_of(verdict: str) -> str:
    """Return accept, drop, reject or unknown for a recorded verdict."""
    if verdict in DELIVERED:
        return "accept"
    return {REJECTED: "reject", UNSUPPORTED: "unknown"}.get(verdict, "drop")
