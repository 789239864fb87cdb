"""Can a first packet get from one side to another? A packet that was seen to, or the proof that none does.

Part of `explanation`. `policyc.api.reach`, the command `reach` and the proofs of policies ask it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from policyc import FORMAT_VERSION
from policyc.analysis.diagrams import OverBudgetError
from policyc.analysis.excepted import RulesWithout
from policyc.analysis.opening import Asked, Opening
from policyc.analysis.surroundings import Surroundings, anywhere, of_host
from policyc.collector import resting_collector
from policyc.explanation.answer import Explanation
from policyc.explanation.answering import answered, errors_fit, mirrored
from policyc.explanation.first_packet import Witness, Witnesses, told_apart
from policyc.explanation.hints import hints_of
from policyc.explanation.outcomes import Way
from policyc.explanation.places import Places, RulePlace
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.predicate import Predicate, any_of
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of
from policyc.netfilter.tested import Towards
from policyc.simulation.counters import Counters
from policyc.simulation.evaluate import compiled
from policyc.simulation.packet import Packet
from policyc.simulation.trace import DROPPED, LOCAL, REJECTED, UNSUPPORTED
from policyc.simulation.view import PacketView

MOST_NODES = 3_000_000
"""How many nodes an answer may cost in each family; each takes about 300 bytes."""


@frozen
class Reach:
    """Whether a packet gets there. `exact`: no condition that nobody knows stands in between, and the sets were small enough.

    `because` says why in words. `witness` is a packet that was seen to get there, None where none does or none was found.
    """

    reachable: bool
    exact: bool
    because: tuple[str, ...]
    witness: Witness | None = None
    places: Places | None = field(default=None, repr=False, compare=False)

    @property
    def path(self) -> tuple[RulePlace, ...]:
        """The rules and policies that the witness met."""
        if self.witness is None or self.places is None:
            return ()
        way = self.witness.way
        return tuple(self.places.of(way.sent.family, step.table, step.chain, step.rule) for step in way.trace.steps)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract (`reach --format json`)."""
        witness = self.witness
        return {
            "format_version": FORMAT_VERSION,
            "reachable": self.reachable,
            "exact": self.exact,
            "because": list(self.because),
            "witness": None if witness is None else witness_dict(witness),
            "path": [{"table": one.table, "chain": one.chain, "number": one.number} for one in self.path],
            "assumptions": [] if witness is None else [*witness.conditions, *witness.assumptions],
        }


def witness_dict(witness: Witness) -> dict[str, Any]:
    """Return the JSON form of a packet that shows something."""
    way = witness.way
    return {
        "sentence": witness.sentence,
        "beside": list(witness.beside),
        "packet": PacketView.of(way.sent).to_dict(),
        "verdict": way.trace.verdict,
        "interface": way.trace.device or None,
        "final": PacketView.of(way.packet).to_dict(),
        "assumes": [*witness.conditions, *witness.assumptions],
    }


@dataclass(slots=True)
class Reaching:
    """Asks questions about first packets of one ruleset; `host` is where it runs, by default its own."""

    ruleset: Ruleset
    host: Host | None = None
    _places: Places = field(init=False)

    def __post_init__(self) -> None:
        self.host = self.host or self.ruleset.host
        self._places = Places(self.ruleset)

    def arriving(self, pairs: Iterable[Towards], excepted: Collection[str] = ()) -> Reach:
        """Return whether a packet of one of the pairs arrives; what statements with these ids accept does not count."""
        return self._asked(pairs, excepted, always=False)

    def arriving_later(self, pairs: Iterable[Towards], excepted: Collection[str] = ()) -> Reach:
        """Return the same of any packet: of the first ones, and of answers and related packets that the rules let exist."""
        listed = tuple(pairs)
        found = self.arriving(listed, excepted)
        if found.reachable:
            return found
        doubts: list[str] = []
        for one in listed:
            back = mirrored(one)
            opened = None if back is None else self.arriving((back,))
            if opened is None or (opened.reachable and opened.witness is None):
                doubts.append("nobody knows which connections these packets could answer")
            elif opened.witness is not None:
                answer = answered(opened.witness.way, partial(self._arrives, towards=one, excepted=excepted))
                if answer is not None:
                    said = f"an answer to `{opened.witness.sentence}`"
                    witness = replace(opened.witness, sentence=said, way=answer)
                    because = (f"{said} is {fate(self._places, answer)}",)
                    return Reach(True, not witness.conditions, because, witness, self._places)
                doubts.append(f"`{opened.witness.sentence}` opens a connection, and its answer does not get there")
            if errors_fit(one):
                doubts.append("an ICMP error about another connection could be one of these packets")
        if doubts:
            return Reach(reachable=True, exact=False, because=tuple(dict.fromkeys(doubts)), places=self._places)
        return found

    def failing(self, pairs: Iterable[Towards]) -> Reach:
        """Return whether a new packet of one of the pairs may be lost on its way; no rate is taken to be used up."""
        return self._asked(pairs, (), always=True)

    def _asked(self, pairs: Iterable[Towards], excepted: Collection[str], *, always: bool) -> Reach:
        doubt: Reach | None = None
        reasons: list[str] = []
        for one in pairs:
            with resting_collector():
                found = self._of_pair(one, excepted, always=always)
            if found.reachable and found.exact:
                return found
            if found.reachable:
                doubt = doubt if doubt is not None and doubt.witness is not None else found
            reasons += found.because
        return doubt or Reach(reachable=False, exact=True, because=tuple(dict.fromkeys(reasons)), places=self._places)

    def _of_pair(self, towards: Towards, excepted: Collection[str], *, always: bool) -> Reach:
        family = towards.family
        tables = self.ruleset.family(family)
        if any(JumpGraph.of(table).order() is None for table in tables):
            return Reach(reachable=True, exact=False, because=("chains jump to each other in a circle",))
        around = self._around(family)
        asked = Asked(towards, frozenset(("NEW",))) if always else Asked(towards)
        tests = any_of(asked.all_tests, around.all_facts, told_apart(family))
        try:
            rules = RulesWithout(self.ruleset, family, excepted, asked=tests, unlimited=always, budget=MOST_NODES)
            walk = Opening(rules, asked, around)
            walk.run()
            return self._answer(walk, towards, excepted, always=always)
        except OverBudgetError:
            why = f"the IPv{family} rules cut these packets into too many pieces"
            return Reach(reachable=True, exact=False, because=(why,))

    def _answer(self, walk: Opening, towards: Towards, excepted: Collection[str], *, always: bool) -> Reach:
        ends = walk.lost if always else walk.arrived

        def fits(way: Way) -> bool:
            return _is_lost(way) if always else self._arrives(way, towards, excepted)

        if not ends:
            return Reach(
                reachable=False, exact=True, because=() if always else self._stopped(walk), places=self._places
            )
        witness = Witnesses(self.ruleset, self.host, walk, fits).first(ends)
        if witness is None:
            why = "the rules leave a way, but no packet was found that takes it"
            return Reach(reachable=True, exact=False, because=(why,), places=self._places)
        return Reach(
            reachable=True, exact=not witness.conditions,
            because=witness.conditions or (fate(self._places, witness.way),), witness=witness, places=self._places,
        )  # fmt: skip

    def _around(self, family: int) -> Surroundings:
        if self.host is not None:
            return of_host(self.host, family)
        intent = self.ruleset.intent
        if intent is None:
            return anywhere(family)
        own = [one for zone in (*intent.zones, *intent.bridges) for one in zone.addresses]
        # As tests of a policy are read: an address that it translates to is another host's unless a zone says so.
        return anywhere(family, own, (address for each, address in hints_of(self.ruleset).targets if each == family))

    def _stopped(self, walk: Opening) -> tuple[str, ...]:
        """Return, in words, what stops a packet that is on its way there."""
        if not walk.lost:
            return ("no packet sets out from there that could be on its way to it",)
        witness = Witnesses(self.ruleset, self.host, walk, _is_lost).first(walk.lost)
        return () if witness is None else (f"`{witness.sentence}` is {fate(self._places, witness.way)}",)

    def _arrives(self, way: Way, towards: Towards, excepted: Collection[str]) -> bool:
        """Whether a packet was seen to get to the target, by a rule that counts."""
        if not way.delivered:
            return False
        target = towards.target
        if not (target.here if way.trace.verdict == LOCAL else target.away):
            return False
        asked: list[Predicate] = [target.where, towards.arriving]
        state = way.state
        if any(compiled(one, state, Counters(state).test)(_as_seen(way)) is False for one in asked):
            return False
        step = way.trace.deciding
        if not excepted or step is None or not isinstance(step.rule, int):
            return True
        table = self.ruleset.table(way.sent.family, step.table)
        chain = table.chain(step.chain) if table else None
        return chain is None or id_of(chain.rules[step.rule - 1]) not in excepted


def _as_seen(way: Way) -> Packet:
    """Return a packet at its end, with the interface that it leaves by."""
    return way.packet if way.trace.verdict == LOCAL else replace(way.packet, oif=way.trace.device)


def _is_lost(way: Way) -> bool:
    return way.trace.verdict in {DROPPED, REJECTED}


def fate(places: Places, way: Way) -> str:
    """Return what became of a packet and which rule or policy decided."""
    done = "accepted" if way.delivered else {REJECTED: "rejected"}.get(way.trace.verdict, "dropped")
    step = way.trace.deciding
    if step is None:
        return f"{done}: no rule decides"
    place = places.of(way.sent.family, step.table, step.chain, step.rule)
    if place.number == "policy":
        return f"{done} by the policy of {place.table}/{place.chain}"
    return f"{done} by `{place.statement}`" if place.statement else f"{done} by {place.line or place.name}"


def of_explained(found: Explanation) -> Reach:
    """Return whether one packet, which was explained, gets anywhere; what nobody knows leaves it open."""
    ways = [found.way, *(one.way for one in found.alternatives if not one.by_counters)]
    there = [way for way in ways if way.delivered]
    exact = found.complete and len(there) in {0, len(ways)} and found.verdict != UNSUPPORTED
    conditions = () if exact else tuple(text for one in found.alternatives for text in one.assumes)
    witness = Witness(found.question, (), there[0], conditions, found.assumptions) if there else None
    because = (fate(found.places, (there or ways)[0]), *conditions)
    return Reach(bool(there), exact, because, witness, found.places)
