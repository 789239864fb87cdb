"""Questions as people have them: a sentence, a log line, headers; placed on a host and explained. Part of `explanation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policyc.explanation.answer import Explanation
from policyc.explanation.explain import explain
from policyc.explanation.logged import Logged, logged
from policyc.explanation.placing import Placement, place
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.net.headers import Headers
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.files import refusal
from policyc.readers.logline import is_logline, read_logline
from policyc.simulation.packet import Packet
from policyc.simulation.recorded import headers_of, packet_of, reading
from policyc.simulation.view import PacketView
from policyc.source import Source


@frozen
class Asked:
    """An answered question; several where a name in it stands for several addresses. `line`: it was a line of the log."""

    explanations: tuple[Explanation, ...]
    line: Logged | None = None


def ask(
    ruleset: Ruleset, question: str | Headers | Mapping[str, Any], host: Host | None = None, after: Sequence[str] = ()
) -> Asked:
    """Return the answer to a question about a ruleset: a sentence, a line of the log, headers, a packet of a recorded case.

    `host` None: the one that the ruleset has, or one that is assumed from it. `after` are sentences about packets that
    passed before. Raises InputError with all that is wrong with a question.
    """
    known = ruleset.host if host is None else host
    if isinstance(question, Mapping):
        headers = reading("the packet", headers_of, question)
        if known is not None:
            placed = Placement(reading("the packet", packet_of, {"dir": "in", **question}, known), known)
            text = PacketView.of(placed.packet).text
            return Asked((explain(ruleset, (placed,), text, _before(ruleset, placed, after)),))
        question = headers
    if isinstance(question, Headers):
        placements = place((question,), ruleset, known)
        text = PacketView.of(placements[0].packet).text
        return Asked((explain(ruleset, placements, text, _before(ruleset, placements[0], after)),))
    if is_logline(question):
        if after:
            hint = (
                "a line of the log says what the kernel saw; ask for its packet in a sentence to put others before it"
            )
            raise refusal("LOG", "packets that passed before cannot be added to a line of the log", hint)
        found = logged(ruleset, read_logline(Source("LOG", question)), question.strip(), known)
        return Asked((found.explanation,), found)
    from policyc.explanation.sentence import questions_of

    return Asked(
        tuple(
            explain(ruleset, placements, question, _before(ruleset, placements[0], after))
            for one in questions_of(question, ruleset.intent)
            for placements in [place((one,), ruleset, known)]
        )
    )


def _before(ruleset: Ruleset, placed: Placement, after: Sequence[str]) -> tuple[Packet, ...]:
    """Return the packets of earlier sentences, on the same host."""
    from policyc.explanation.sentence import questions_of

    return tuple(
        place((one,), ruleset, placed.host)[0].packet
        for sentence in after
        for one in questions_of(sentence, ruleset.intent)
    )
