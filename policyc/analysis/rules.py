"""The rules of one family as sets of packets: where a rule's tests hold, and what it does then. Part of `policyc.analysis`.

Everything that asks about all packets begins here; the packets of a family and the variables for them are made once.
"""

from __future__ import annotations

from dataclasses import replace

from policyc.analysis.diagrams import EMPTY, Diagrams
from policyc.analysis.encode import Encoder
from policyc.analysis.facts import all_facts, known_in
from policyc.analysis.literals import Literals
from policyc.analysis.meanings import Meaning, Meanings
from policyc.analysis.points import usable_addresses
from policyc.analysis.shares import Shares
from policyc.analysis.space import Space
from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import TCP, UDP
from policyc.netfilter import fields
from policyc.netfilter.effect import (
    Assign,
    Divert,
    Effect,
    Handshake,
    Mutate,
    Note,
    Reject,
    Rewrite,
    Shift,
    Track,
    Verdict,
)
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import ALWAYS, In, Predicate, all_of
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.reassembly import reassembles

CONTINUE, JUMP, GOTO, RETURN = "continue", "jump", "goto", "return"
ACCEPT, DROP, QUEUE = "accept", "drop", "queue"


@frozen
class Ending:
    """How a packet's way through a table ends: accept, drop or queue (a program decides, or nobody knows who).

    `answer` is REJECT's, `rewrite` what table nat does with the packet it accepts.
    """

    kind: str
    answer: str = ""
    rewrite: Rewrite | None = None

    @property
    def passes(self) -> bool:
        """Whether the packet may go on to the next table."""
        return self.kind != DROP

    @property
    def word(self) -> str:
        """The verdict in a word."""
        return "reject" if self.answer else self.kind


@frozen
class Step:
    """A rule as sets: all packets in `certain` match, none outside `possible`.

    `way` is continue, return, jump or goto (to `chain`), or end (with `ending`). `changes` alter the packet, `notes`: the rule
    leaves a trace elsewhere (a log line, a counter, a list), so that it does something even where it decides nothing.
    """

    certain: int
    possible: int
    way: str
    chain: str = ""
    ending: Ending | None = None
    changes: tuple[Effect, ...] = ()
    notes: bool = False

    @property
    def is_decided(self) -> bool:
        """Whether what becomes of a packet that matches is known."""
        return self.ending is None or self.ending.kind != QUEUE

    @property
    def leaves(self) -> bool:
        """Whether a packet that matches does not come to the next rule, unless a called chain gives it back."""
        return self.way != CONTINUE


class FamilyRules:
    """The rules of one family as steps, each computed when it is asked for; `diverts`: one hands packets to local sockets.

    A question about first packets names in `asked` what else is told apart. `unlimited`: rates and numbers of connections
    are not used up.
    """

    __slots__ = (
        "_known",
        "_outlines",
        "diverts",
        "encoder",
        "family",
        "is_tracking",
        "meanings",
        "ruleset",
        "shares",
        "space",
    )

    def __init__(
        self,
        ruleset: Ruleset,
        family: int,
        *,
        budget: int | None = None,
        asked: Predicate | None = None,
        unlimited: bool = False,
    ) -> None:
        self.ruleset = ruleset
        self.family = family
        self.meanings = Meanings(family)
        literals = Literals(family)
        written: set[str] = set()
        diverts = False
        rules = (rule for table in ruleset.family(family) for chain in table.chains for rule in chain.rules)
        distinct = {id(meaning): meaning for rule in rules for meaning in self.meanings.of(rule)}
        for meaning in distinct.values():
            literals.read(meaning.test)
            literals.change(meaning.effects)
            written |= _sets_written(meaning.effects)
            diverts = diverts or any(isinstance(effect, Divert) for effect in meaning.effects)
        self.is_tracking = reassembles(ruleset, family)
        if self.is_tracking:
            literals.closed[fields.FRAG] = ("whole",)
        _add_usual(literals)
        literals.read(all_facts(family))
        if asked is not None:
            literals.read(asked)
            literals.meet_originals()
        literals.follow_copies()
        self.space = Space(literals, Diagrams(budget))
        self.shares = Shares(self.space)
        fixed = {one.name for one in ruleset.sets if one.serves(family) and one.timeout is None}
        volatile = written | ({one.name for one in ruleset.sets} - fixed)
        self.encoder = Encoder(self.space, volatile, unlimited=unlimited)
        self.diverts = diverts
        self._known: dict[int, tuple[Rule, Step]] = {}
        self._outlines: dict[tuple[int, ...], tuple[Step, bool]] = {}

    def step(self, rule: Rule) -> Step:
        """Return a rule as sets."""
        found = self._known.get(id(rule))
        if found is None:
            found = self._known[id(rule)] = rule, self._step(rule)
        return found[1]

    def known_in(self, hook: Hook, table: str) -> Predicate:
        """Return what the kernel makes true of every packet that a table sees in a hook."""
        whole = (
            In(fields.FRAG, NameSet.of("whole")) if self.is_tracking and fields.FRAG in self.space.columns else ALWAYS
        )
        return all_of(known_in(hook, table, self.family), whole)

    def where(self, fact: Predicate) -> int:
        """Return the packets for which a predicate without `May` holds; its values must be among the literals."""
        return self.encoder.holds(fact).certain

    @property
    def has_own_connections(self) -> bool:
        """Whether rules translate packets or exempt them from tracking, so that not every connection is as its packets look."""
        steps = [outline for outline, _ in self._outlines.values()]
        rewrites = any(step.ending is not None and step.ending.rewrite is not None for step in steps)
        return rewrites or any(isinstance(each, Track) and not each.entry for step in steps for each in step.changes)

    def outline(self, rule: Rule) -> Step:
        """Return what a rule does, without saying for which packets: both of its sets are empty."""
        return self._outlined(rule)[0]

    def _step(self, rule: Rule) -> Step:
        outline, is_sure = self._outlined(rule)
        certain, possible = self.encoder.holds(self.meanings.tests(rule))
        return replace(outline, certain=certain if is_sure else EMPTY, possible=possible)

    def _outlined(self, rule: Rule) -> tuple[Step, bool]:
        """Return what a rule does, and whether a packet that matches certainly meets it; rules with equal effects share it."""
        meanings = self.meanings.of(rule)
        key = tuple([id(meaning) for meaning in meanings if meaning.effects or meaning.beside])
        found = self._outlines.get(key)
        if found is None:
            found = self._outlines[key] = _outline(meanings)
        return found


def _outline(meanings: list[Meaning]) -> tuple[Step, bool]:
    way, chain, ending = CONTINUE, "", None
    changes: list[Effect] = []
    notes = any(meaning.beside for meaning in meanings)
    is_sure = True
    rewrite = None
    for effect in (effect for meaning in meanings for effect in meaning.effects):
        if isinstance(effect, Verdict):
            if effect.kind in {JUMP, GOTO, RETURN}:
                way, chain = effect.kind, effect.chain
            else:
                kind = {ACCEPT: ACCEPT, DROP: DROP, "stolen": DROP}.get(effect.kind, QUEUE)
                way, ending = "end", Ending(kind, rewrite=rewrite)
        elif isinstance(effect, Reject):
            way, ending = "end", Ending(DROP, effect.answer)
        elif isinstance(effect, Rewrite):
            rewrite = effect
        elif isinstance(effect, Divert | Handshake) or (isinstance(effect, Note) and effect.kind == "unknown"):
            way, ending, is_sure = "end", Ending(QUEUE), False  # what becomes of the packet is not known here
            changes += [Assign(fields.MARK, effect.mask, effect.mark)] if isinstance(effect, Divert) else []
        elif isinstance(effect, Assign | Track | Shift | Mutate):
            changes.append(effect)
        else:
            notes = True
    return Step(EMPTY, EMPTY, way, chain, ending, tuple(changes), notes), is_sure


def _sets_written(effects: tuple[Effect, ...]) -> set[str]:
    return {effect.detail.split()[1] for effect in effects if isinstance(effect, Note) and effect.kind == "set"}


def _add_usual(literals: Literals) -> None:
    """Give the values classes of their own that witnesses and the kernel's own stages ask for."""
    literals.values(fields.SRC, usable_addresses(literals.family))
    literals.values(fields.IIF, NameSet.of("lo"))
    literals.values(fields.SPORT, IntervalSet.of((1, 1023)))
    for number in (TCP, UDP):
        literals.values(fields.PROTO, IntervalSet.of(number))
