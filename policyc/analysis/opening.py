"""First packets of connections on their way through all hooks: which get where they are asked about, and which are lost.

Part of `policyc.analysis`. What is visited in which order is `policyc.netfilter.hooks.VISITS`, as in the simulator's walk; what
holds of a packet at each place is kept in pieces, so that every answer is about packets as they entered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from policyc.analysis.diagrams import EMPTY
from policyc.analysis.facts import (
    HAS_ENTRY,
    INCOMING,
    OUTGOING,
    begins_connection,
    exempted_by_the_kernel,
    is_state,
    seen_by_tracking,
)
from policyc.analysis.piece_tables import PieceTable
from policyc.analysis.pieces import TYPES, Piece, Rewriting, Substitution, joined
from policyc.analysis.rules import QUEUE, FamilyRules
from policyc.analysis.surroundings import Surroundings
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import TABLES, VISITS, Hook
from policyc.netfilter.predicate import ALWAYS, In, Predicate, all_of, any_of, negate
from policyc.netfilter.tested import Towards

_STAGES = {hook: tuple(visit.stage for visit in VISITS if visit.hook is hook) for hook in Hook}
_OWN_DST, _OWN_SRC = (In(one, NameSet.of("LOCAL")) for one in (fields.DST_TYPE, fields.SRC_TYPE))
_LOOPBACK = NameSet.of("lo")
_BY_LOOPBACK = In(fields.OIF, _LOOPBACK)
_STATUS = {fields.DST: 32, fields.SRC: 16}  # IPS_DST_NAT, IPS_SRC_NAT
_SIDES: dict[Hook, tuple[Field, Field]] = {
    Hook.PREROUTING: (fields.DST, fields.DPORT),
    Hook.OUTPUT: (fields.DST, fields.DPORT),
    Hook.INPUT: (fields.SRC, fields.SPORT),
    Hook.POSTROUTING: (fields.SRC, fields.SPORT),
}


class Way(Enum):
    """Where a packet ends, in the words of recorded verdicts."""

    LOCAL = "LOCAL"
    FORWARDED = "FORWARDED"
    SENT = "SENT"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about first packets in `states`, of NEW and INVALID; what is exempted from tracking counts as well.

    `from_own`: what this host sends comes from an address of its own.
    """

    towards: Towards
    states: frozenset[str] = frozenset(("NEW", "INVALID"))
    from_own: bool = True

    @property
    def all_tests(self) -> Predicate:
        """A predicate that mentions every value which the question tells apart."""
        one = self.towards
        parts = (one.source.where, one.target.where, one.entering, one.arriving)
        return any_of(*(part for part in (*parts, *map(negate, parts), _OWN_DST, _OWN_SRC) if part is not ALWAYS))


class Arrival(NamedTuple):
    """Packets that end in one way; `sent`: by this host."""

    way: Way
    piece: Piece
    sent: bool


@dataclass(slots=True)
class Opening:
    """The walk of one family. After `run`, `arrived` are the packets that get to the target, `lost` those on the way to it.

    Both are never too small; a packet may be in both where nobody knows a condition.
    """

    rules: FamilyRules
    asked: Asked
    around: Surroundings
    arrived: list[Arrival] = field(default_factory=list)
    lost: list[Arrival] = field(default_factory=list)
    rewriting: Rewriting = field(init=False)
    _tables: dict[str, PieceTable] = field(init=False)
    _sent: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        rules = self.rules
        self.rewriting = Rewriting(rules.space, rules.where(self.around.kinds))
        own = rules.ruleset.family(rules.family)
        self._tables = {table.name: PieceTable(rules, table, self.rewriting) for table in own if table.name in TABLES}
        for table in self._tables.values():
            table.encode()

    def run(self) -> None:
        """Send the packets of the source on their way. Raises OverBudgetError where they are cut into too many pieces."""
        source = self.asked.towards.source
        if source.away:
            self._sent = False
            outside = all_of(INCOMING, negate(In(fields.IIF, _LOOPBACK)), negate(OUTGOING), self.around.arriving)
            self._receive(self._hook(Hook.PREROUTING, self._entering(outside)))
        if source.here:
            self._sent = True
            own = _OWN_SRC if self.asked.from_own else ALWAYS
            self._send(self._entering(all_of(negate(INCOMING), OUTGOING, own, self._way_out)))

    @property
    def _way_out(self) -> Predicate:
        """By which interfaces this host sends: to itself by loopback, to many by any other."""
        elsewhere = any_of(self.around.onward, all_of(self.around.here, negate(_BY_LOOPBACK)))
        return any_of(all_of(_OWN_DST, _BY_LOOPBACK), all_of(negate(_OWN_DST), elsewhere))

    # ------------------------------------------------------------------ entry
    def _entering(self, fact: Predicate) -> list[Piece]:
        """Return the packets as they enter; the state in the region is the one that they will have."""
        rules, space, family = self.rules, self.rules.space, self.rules.family
        states = any_of(
            all_of(is_state("NEW"), begins_connection(family)),
            all_of(is_state("INVALID"), seen_by_tracking(family)),
        )
        exempt = all_of(is_state("UNTRACKED"), exempted_by_the_kernel(family))
        first = any_of(all_of(is_state(*sorted(self.asked.states)), states), exempt)
        tests = (fact, first, self.asked.towards.source.where, self.asked.towards.entering)
        region = space.diagrams.all_of([self.rewriting.kinds, *(rules.encoder.holds(test).possible for test in tests)])
        if rules.is_tracking and fields.FRAG in space.columns:
            region = space.diagrams.both(region, space.name(fields.FRAG, "whole"))
        now = self.rewriting.holding(Substitution(), fields.CT_STATE, NameSet.of("none"))
        for each in (fields.CT_STATUS, fields.CT_MARK, *(() if self._sent else (fields.MARK,))):
            if each in space.columns:
                now = now.fixing((level, 0) for level in space.columns[each].bits.values())
        if fields.CT_DIR in space.columns:
            now = self.rewriting.holding(now, fields.CT_DIR, NameSet.of("ORIGINAL"))
        if self._sent and fields.PKTTYPE in space.columns:
            region = space.diagrams.both(region, space.name(fields.PKTTYPE, "unicast"))
        if not self._sent:
            if fields.IPSEC_IN in space.columns:
                region = space.diagrams.without(region, space.lacking(fields.IPSEC_IN))
            for each in (fields.UID, fields.GID):
                if each in space.columns:
                    region = space.diagrams.both(region, space.lacking(each))
        return [Piece(region, now)] if region != EMPTY else []

    # ------------------------------------------------------------------ ways
    def _receive(self, pieces: list[Piece]) -> None:
        here = ALWAYS if self.rules.diverts else self.around.here
        self._deliver([self._part(each, here) for each in pieces])
        if self.asked.towards.target.away:
            leaves = all_of(OUTGOING, negate(_BY_LOOPBACK), self.around.onward, self.around.entries)
            gone = [self._part(each, negate(self.around.here)) for each in pieces]
            gone = [Piece(self.rules.space.release(each.region, fields.OIF), each.now) for each in gone]
            gone = [Piece(each.region, self.rewriting.freed(each.now, fields.TTL)) for each in gone]
            gone = [self._part(self._part(each, leaves), self.asked.towards.target.where) for each in gone]
            gone = self._hook(Hook.POSTROUTING, self._hook(Hook.FORWARD, gone))
            self._arrive(Way.FORWARDED, gone)

    def _deliver(self, pieces: list[Piece]) -> None:
        if self.asked.towards.target.here:
            asked = [self._part(each, self.asked.towards.target.where) for each in pieces]
            self._arrive(Way.LOCAL, self._hook(Hook.INPUT, asked))

    def _send(self, pieces: list[Piece]) -> None:
        """Let out what this host sends; the last table may see another way than the first, if the packet was changed."""
        routed = self.rules.space.levels(fields.DST, fields.MARK, fields.TOS)
        gone = [self._rerouted(each) if each.now.touches(routed) else each for each in self._hook(Hook.OUTPUT, pieces)]
        gone = self._hook(Hook.POSTROUTING, gone)
        self._loop([self._part(each, all_of(_BY_LOOPBACK, self.around.here)) for each in gone])
        if self.asked.towards.target.away:
            leaving = [
                self._part(self._part(each, negate(_BY_LOOPBACK)), self.asked.towards.target.where) for each in gone
            ]
            self._arrive(Way.SENT, leaving)

    def _rerouted(self, piece: Piece) -> Piece:
        """Let a packet that OUTPUT changed leave by any way that there is for it now."""
        now = self.rewriting.becoming(piece.now, fields.OIF, ~NameSet())
        return self._part(Piece(piece.region, now), self._way_out)

    def _loop(self, pieces: list[Piece]) -> None:
        """Let in what this host sends to itself: with its state and marks, without its socket."""
        if not self.asked.towards.target.here:
            return
        back = []
        for piece in pieces:
            now = self.rewriting.becoming(piece.now, fields.IIF, _LOOPBACK)
            now = self.rewriting.freed(now, *(each for each in _OF_ARRIVAL if each in self.rules.space.columns))
            back.append(Piece(piece.region, self.rewriting.lacking(now, fields.OIF, fields.UID, fields.GID)))
        self._deliver(self._hook(Hook.PREROUTING, joined(self.rules.space, back), again=True))

    def _arrive(self, way: Way, pieces: list[Piece]) -> None:
        ended = [self._part(each, self.asked.towards.arriving) for each in pieces]
        self.arrived += [Arrival(way, each, self._sent) for each in joined(self.rules.space, ended)]

    def _lose(self, hook: Hook, piece: Piece) -> None:
        """Note a packet that ends on the way, if it was on the way to the target; before routing nobody knows the interface."""
        target, space = self.asked.towards.target, self.rules.space
        possible, diagrams = self.rewriting.possible, space.diagrams
        here = self.rules.encoder.holds(all_of(_OWN_DST, target.where)).possible
        arriving = self.rules.encoder.holds(self.asked.towards.arriving).possible
        towards = []
        if target.here and hook is not Hook.FORWARD:
            towards.append(here)
        if target.away and hook is not Hook.INPUT:
            where = self.rules.encoder.holds(all_of(target.where, self.around.onward)).possible
            if hook in {Hook.PREROUTING, Hook.OUTPUT}:
                where = space.release(where, fields.OIF)
            towards.append(diagrams.without(where, self.rules.where(self.around.here)))
        asked = diagrams.both(diagrams.any_of(towards), arriving)
        region = diagrams.both(piece.region, possible(piece.now, asked))
        if region != EMPTY:
            self.lost.append(Arrival(Way.LOST, Piece(region, piece.now), self._sent))

    def _part(self, piece: Piece, test: Predicate) -> Piece:
        """Return the part of a piece of which something may hold as it is now."""
        if test is ALWAYS or piece.region == EMPTY:
            return piece
        edge = self.rewriting.possible(piece.now, self.rules.encoder.holds(test).possible)
        return Piece(self.rules.space.diagrams.both(piece.region, edge), piece.now)

    # ------------------------------------------------------------------ stages
    def _hook(self, hook: Hook, pieces: list[Piece], *, again: bool = False) -> list[Piece]:
        """Send pieces through a hook; `again`: over loopback, where tracking and translation are done with them."""
        for stage in _STAGES[hook]:
            pieces = joined(self.rules.space, pieces)
            if stage == "conntrack":
                pieces = [new for each in pieces for new in self._tracked(each)]
            elif stage == "nat":
                if "nat" in self._tables and not again:
                    pieces = [new for each in pieces for new in self._nat(hook, each)]
            elif stage in self._tables:
                pieces = [new for each in pieces for new in self._table(stage, hook, each)]
        return joined(self.rules.space, pieces)

    def _tracked(self, piece: Piece) -> list[Piece]:
        """Give a packet without a state the one that its header makes it have."""
        rules, rewriting, diagrams = self.rules, self.rewriting, self.rules.space.diagrams
        unseen, rest = rewriting.split(piece, rules.where(is_state("none")))
        if unseen.region != EMPTY:
            exempt = diagrams.both(unseen.region, rules.where(exempted_by_the_kernel(rules.family)))
            levels = rules.space.columns[fields.CT_STATE].all_levels
            own = Piece(diagrams.without(unseen.region, exempt), unseen.now.without(levels))
            untracked = rewriting.holding(unseen.now, fields.CT_STATE, NameSet.of("UNTRACKED"))
            return [own, self._as_untracked(Piece(exempt, untracked)), self._as_untracked(rest)]
        return [self._as_untracked(rest)]

    def _as_untracked(self, piece: Piece) -> Piece:
        """Say in the region what was found out: that the packet is untracked."""
        space, where = self.rules.space, self.rules.where
        fixed = self.rewriting.possible(piece.now, where(is_state("UNTRACKED")))
        if space.diagrams.both(piece.region, fixed) == EMPTY:
            return piece
        own = space.release(piece.region, fields.CT_STATE)
        return Piece(space.diagrams.both(own, where(is_state("UNTRACKED"))), piece.now)

    def _table(self, name: str, hook: Hook, piece: Piece) -> list[Piece]:
        passed = []
        for ending, ended in self._tables[name].run(hook.value, piece):
            if ending.passes:
                passed.append(ended)
            if not ending.passes or ending.kind == QUEUE:
                self._lose(hook, ended)
        return passed

    def _nat(self, hook: Hook, piece: Piece) -> list[Piece]:
        """Let table nat see what begins a connection, and translate it."""
        new, found = self.rewriting.split(piece, self.rules.where(HAS_ENTRY))
        passed = [found]
        if new.region != EMPTY:
            for ending, ended in self._tables["nat"].run(hook.value, new):
                if not ending.passes:
                    self._lose(hook, ended)
                elif ending.rewrite is None:
                    passed.append(ended)
                else:
                    passed += self._translated(hook, ended, ending.rewrite)
        return passed

    def _translated(self, hook: Hook, piece: Piece, rewrite: Rewrite) -> list[Piece]:
        """Return packets with their new address and port, and those for which it is the one that they have."""
        address, port = _SIDES[hook]
        now = piece.now
        values = self._addresses(hook, rewrite)
        if values is not None:
            now = self.rewriting.becoming(now, address, values)
        elif rewrite.how != "given":
            now = self.rewriting.freed(now, address)
            now = self.rewriting.holding(now, TYPES[address][0], NameSet.of("LOCAL"))
        if rewrite.ports is not None:
            now = self.rewriting.becoming(now, port, rewrite.ports)
        elif rewrite.random or address is fields.SRC:
            now = self.rewriting.freed(now, port)
        now = self.rewriting.freed(now, *(each for each in _REPLY if each in self.rules.space.columns))
        status = self.rules.space.columns.get(fields.CT_STATUS)
        bit = None if status is None else status.bits.get(_STATUS[address].bit_length() - 1)
        if bit is None:
            return [Piece(piece.region, now)]
        to_address = ALWAYS if values is None else In(address, values)
        to_port = ALWAYS if rewrite.ports is None else In(port, rewrite.ports)
        kept = self._part(piece, all_of(to_address, to_port))
        found = [Piece(piece.region, now.fixing(((bit, 1),)))]
        return found if kept.region == EMPTY else [*found, Piece(kept.region, now)]

    def _addresses(self, hook: Hook, rewrite: Rewrite) -> IntervalSet | None:
        """Return the addresses that a translation may lead to, None where the rules do not say it."""
        if rewrite.addresses is not None or rewrite.how not in {"incoming", "outgoing"}:
            return rewrite.addresses
        if hook is Hook.OUTPUT:
            return IntervalSet.of(127 << 24 | 1 if self.rules.family == 4 else 1)
        return self.around.own or None


_OF_ARRIVAL = (fields.MAC_SRC, fields.DEVGROUP_IN, fields.IPSEC_IN, fields.PHYSDEV_IN)
_REPLY = (fields.CT_REPLY_SRC, fields.CT_REPLY_DST, fields.CT_REPLY_SPORT, fields.CT_REPLY_DPORT)
