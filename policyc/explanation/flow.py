"""A conversation explained turn by turn: the handshake that a packet opens, its answer's way back. Part of `explanation`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyc.explanation.answer import Explanation
from policyc.explanation.explain import explain
from policyc.explanation.placing import Placement
from policyc.explanation.replies import answer_to, conversation, neighbours_on
from policyc.frozen import frozen
from policyc.net.addresses import Network
from policyc.simulation.packet import Packet


@frozen
class ExplainedTurn:
    """One packet of a conversation: its name (`SYN`, `data`, `answer` …), whether the answering side sends it, its way."""

    name: str
    reply: bool
    explanation: Explanation

    @property
    def answered_past(self) -> Network | None:
        """The network on which its answer goes past this host, None where it does not."""
        return neighbours_on(self.explanation.way)

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"name": self.name, "reply": self.reply, **self.explanation.to_dict()}


def flow(opening: Explanation) -> Iterator[ExplainedTurn]:
    """Yield the turns of the conversation that a packet opens, until one does not arrive; the first is the packet itself."""
    situation = opening.way.situation
    before = situation.before
    for turn in conversation(situation, opening.way.sent):
        if turn.way.sent is opening.way.sent:
            yield ExplainedTurn(turn.name, False, opening)
        else:
            yield ExplainedTurn(turn.name, turn.reply, _explained(opening, turn.way.sent, turn.name, before))
        before = (*before, turn.way.sent)


def reply(opening: Explanation) -> Explanation | None:
    """Return the way of the answer to a packet, None where the packet does not arrive, has no answer, or one past this host."""
    answer = answer_to(opening.way)
    if answer is None or neighbours_on(opening.way) is not None:
        return None
    return _explained(opening, answer, "the answer", (*opening.way.situation.before, opening.way.sent))


def _explained(opening: Explanation, packet: Packet, name: str, before: tuple[Packet, ...]) -> Explanation:
    placed = Placement(packet, opening.way.situation.host)
    return explain(opening.ruleset, (placed,), f"{name} of: {opening.question}", before)
