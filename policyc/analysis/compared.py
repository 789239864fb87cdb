"""The tables of one family in two rulesets, compared over one space. Part of `policyc.analysis`, asked by `difference`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from policyc.analysis.comparable import COMPARED, decides
from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.facts import HAS_ENTRY
from policyc.analysis.fates import DecidedTable, Fate, by_outcome, undecided, within
from policyc.analysis.meanings import Meanings
from policyc.analysis.onward import Onward
from policyc.analysis.pieces import Piece, Substitution
from policyc.analysis.points import Point, lowest, usual_packets
from policyc.analysis.replayed import Replay
from policyc.analysis.rule_pairs import Unlike, unlike
from policyc.analysis.rules import FamilyRules, Step
from policyc.analysis.state_rewriting import StateRewriting, history
from policyc.analysis.surroundings import anywhere
from policyc.analysis.walk import OpenWalk
from policyc.frozen import frozen
from policyc.net.addresses import ALL_ONES
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import UDP
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Mutate, Shift, Track
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import TABLES, VISITS, Hook
from policyc.netfilter.predicate import ALWAYS, Ask, In, Opaque, any_of, negate, nodes
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset, Table
from policyc.simulation.packet import Packet

MOST_NODES = 1_500_000
"""How many nodes the comparison of a family may cost; each takes about 300 bytes."""
_LEFT_BEHIND = (fields.CT_MARK,)  # what a dropped packet leaves in an older connection's entry
_LOOPBACK = NameSet.of("lo")
_TRANSLATED_HERE = negate(In(fields.IIF, _LOOPBACK))  # by loopback a packet comes back with its translation


@frozen
class Differing:
    """Packets that end otherwise in `b` than in `a`: one of them as it comes to the table, and what each makes of it.

    `assumes` are the conditions that decide beside the packet.
    """

    hook: Hook
    table: str
    a: Fate
    b: Fate
    point: Point
    packet_a: Packet
    packet_b: Packet
    assumes: tuple[str, ...]


class _ComparedRules(FamilyRules):
    """The rules of both sides in one space. What nobody decides is a condition, so that a match is certain."""

    __slots__ = ()

    def _step(self, rule: Rule) -> Step:
        step = super()._step(rule)
        return replace(step, certain=step.possible)


@dataclass(slots=True)
class _Pair:
    """Packets that two fates part, still to be shown."""

    hook: Hook
    table: str
    a: Fate
    b: Fate
    region: int


@dataclass(slots=True)
class ComparedFamily:
    """The comparison of a family. After `run`, `found` are the differences that are shown, `doubts` what is not known.

    `conditions` are those that nobody decides and on which it hangs whether there is a difference. `more` differences are
    counted and not shown. Both rulesets must be `decidable`. Raises ValueError where chains jump in a circle,
    OverBudgetError where the rules are too many or too entangled.
    """

    a: Ruleset
    b: Ruleset
    family: int
    most: int
    found: list[Differing] = field(default_factory=list)
    more: int = 0
    conditions: dict[str, None] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    rules: FamilyRules = field(init=False)
    rewriting: StateRewriting = field(init=False)
    _sides: tuple[dict[str, Table], dict[str, Table]] = field(init=False)
    _one_sided: frozenset[int] = field(init=False, default=frozenset())
    _onward: tuple[Onward, Onward] = field(init=False)
    _came: dict[tuple[Hook, str], int] | None = field(init=False, default=None)

    def run(self) -> None:
        """Compare every base chain that rules differ for."""
        sides = [{table.name: table for table in each.family(self.family)} for each in (self.a, self.b)]
        self._sides = tuple({name: each.get(name) or Table(self.family, name) for name in TABLES} for each in sides)  # type: ignore[assignment]
        changed = {name: found for name in TABLES if (found := self._unlike(name))}
        if not changed:
            return
        self._prepare()
        for hook, stage in ((visit.hook, visit.stage) for visit in VISITS):
            if stage in changed:
                self._compare(hook, stage, changed[stage])

    def _unlike(self, name: str) -> Unlike:
        meanings = Meanings(self.family)
        a, b = self._sides
        return unlike(a[name], b[name], lambda rule: decides(meanings.of(rule)))

    def _prepare(self) -> None:
        """Make the space and every condition's variable, before anything is rewritten."""
        tables = [table for side in self._sides for table in side.values()]
        kinds = anywhere(self.family) if _tests_kinds(tables) else None
        asked = any_of(In(fields.DST, self._upper_half), *(() if kinds is None else (kinds.all_facts,)))
        self.rules = _ComparedRules(Ruleset(tuple(tables)), self.family, budget=MOST_NODES, asked=asked)
        known = self.rules.where(ALWAYS if kinds is None else kinds.kinds)
        self.rewriting = StateRewriting(self.rules.space, known, self.rules.where(HAS_ENTRY))
        for rule in (rule for table in tables for chain in table.chains for rule in chain.rules):
            self.rules.step(rule)
        keys = [self._keys(side) for side in self._sides]
        levels = self.rules.space.all_conditions
        self._one_sided = frozenset(levels[key] for key in keys[0] ^ keys[1] if key in levels)
        self._onward = tuple(Onward(self.rules, side.values(), self.rewriting) for side in self._sides)  # type: ignore[assignment]

    def _keys(self, side: dict[str, Table]) -> frozenset[str]:
        meanings = self.rules.meanings
        distinct = {
            id(meaning): meaning.test
            for table in side.values() for chain in table.chains for rule in chain.rules for meaning in meanings.of(rule)
        }  # fmt: skip
        found = (node for test in distinct.values() for node in nodes(test))
        return frozenset(_key(node) for node in found if isinstance(node, Opaque | Ask))

    # ------------------------------------------------------------------ one base chain
    def _compare(self, hook: Hook, table: str, unlike: Unlike) -> None:
        space = self.rules.space
        asked = space.diagrams.all_of((self.rules.where(self.rules.known_in(hook, table)), self.rewriting.kinds))
        if table == "nat":
            asked = space.diagrams.both(asked, self.rules.where(_TRANSLATED_HERE))
        if hook.value not in unlike.policies:
            asked = space.diagrams.both(asked, self._touched(unlike))
        if asked == EMPTY:
            return
        fates = [self._fates(side[table], hook, asked) for side in self._sides]
        outcomes = [by_outcome(space, each) for each in fates]
        same = space.diagrams.any_of(
            space.diagrams.both(packets, outcomes[1].get(outcome, EMPTY)) for outcome, packets in outcomes[0].items()
        )
        doubtful = space.diagrams.any_of(undecided(space, each.values()) for each in outcomes)
        apart = space.diagrams.without(asked, space.diagrams.without(same, doubtful))
        if apart == EMPTY:
            return
        apart = space.diagrams.both(apart, self._coming(hook, table))
        parted = [list(within(space, each, apart)) for each in fates]
        for a, b in product(*parted):
            region = self._parted(hook, table, a, b)
            if region != EMPTY:
                self._tell(_Pair(hook, table, a, b, region), doubtful)

    def _touched(self, unlike: Unlike) -> int:
        """Return the packets that a rule may match which is not the same in both, whatever rules have made of them."""
        space = self.rules.space
        found = space.diagrams.any_of(self.rules.step(rule).possible for _, _, rule in (*unlike.a, *unlike.b))
        return space.release(found, *self._changing)

    @property
    def _changing(self) -> frozenset[Field]:
        """The fields that rules change on the way through a table."""
        found: set[Field] = set()
        tables = (table for side in self._sides for table in side.values())
        for rule in (rule for table in tables for chain in table.chains for rule in chain.rules):
            for effect in self.rules.outline(rule).changes:
                if isinstance(effect, Assign):
                    found.add(effect.field)
                elif isinstance(effect, Track):
                    found.add(fields.CT_STATE)
                elif isinstance(effect, Shift):
                    found.add(fields.TTL)
                elif isinstance(effect, Mutate):
                    found |= {*effect.fields}
        return frozenset(found)

    def _fates(self, table: Table, hook: Hook, packets: int) -> list[Fate]:
        return DecidedTable(self.rules, table, self.rewriting).fates(hook.value, packets)

    def _coming(self, hook: Hook, table: str) -> int:
        """Return the packets that come to the table in both rulesets, in whatever state."""
        both = self.rules.space.diagrams.both
        if self._came is None:
            walks = [OpenWalk(self.rules, side.values()) for side in self._sides]
            for walk in walks:
                walk.run()
            self._came = {key: both(came, walks[1].came.get(key, EMPTY)) for key, came in walks[0].came.items()}
        return self._came.get((hook, table), EMPTY)

    def _parted(self, hook: Hook, table: str, a: Fate, b: Fate) -> int:
        """Return the packets of both fates of which one is not as good as the other in the end."""
        diagrams = self.rules.space.diagrams
        region = diagrams.both(a.region, b.region)
        if region == EMPTY:
            return EMPTY
        if a.ending == b.ending:
            region = diagrams.both(
                region, self._unlike_now(a.now, b.now, COMPARED if a.ending.passes else _LEFT_BEHIND)
            )
        if region == EMPTY or not (a.ending.passes or b.ending.passes):
            return region
        answer = "" if a.ending.passes and b.ending.passes else (b if a.ending.passes else a).ending.answer
        return diagrams.any_of(
            onward.otherwise(hook, table, Piece(region, each.now), answer)
            for each, onward in zip((a, b), self._onward, strict=True)
            if each.ending.passes
        )

    def _unlike_now(self, a: Substitution, b: Substitution, compared: tuple[Field, ...]) -> int:
        """Return the packets that have another value of a field after one substitution than after the other."""
        space = self.rules.space
        if any(history(a, each) != history(b, each) for each in compared):
            return ALL
        levels = sorted(level for each in compared if each in space.columns for level in space.columns[each].all_levels)
        found = []
        for level in levels:
            one, other = (self.rewriting.possible(now, space.diagrams.variable(level)) for now in (a, b))
            found.append(space.diagrams.either(space.diagrams.without(one, other), space.diagrams.without(other, one)))
        return space.diagrams.any_of(found)

    # ------------------------------------------------------------------ what is told
    def _tell(self, pair: _Pair, doubtful: int) -> None:
        """Show the difference by a packet, or say on which conditions it hangs, or that it is not known."""
        diagrams = self.rules.space.diagrams
        sure = diagrams.without(pair.region, doubtful)
        sure = diagrams.project(sure ^ 1, self._one_sided) ^ 1
        if sure == EMPTY:
            hangs = self._one_sided & diagrams.support((pair.region,))
            named = self.rules.space.all_conditions.items()
            self.conditions |= dict.fromkeys(key for key, level in named if level in hangs)
            if not hangs:
                self.doubts.append(f"whether packets part in {pair.table} {pair.hook.value}: {_decided(pair)}")
        elif len(self.found) >= self.most:
            self.more += 1
        elif (shown := self._shown(pair, sure)) is not None:
            self.found.append(shown)
        else:
            self.doubts.append(
                f"the simulator does not follow packets in {pair.table} {pair.hook.value}: {_decided(pair)}"
            )

    def _shown(self, pair: _Pair, packets: int) -> Differing | None:
        """Return the difference with a packet that the simulator lets end in both ways, by the same rules."""
        space = self.rules.space
        usual = usual_packets(space)
        udp = space.values(fields.PROTO, IntervalSet.of(UDP))
        for wishes in ((*self._plain, *usual), (udp, *self._plain, *usual), usual):
            found = lowest(space, packets, wishes)
            assert found is not None
            for point in (found, self._marked(found)):
                ends = self._ends(pair, point)
                if ends is not None:
                    assumes = tuple(self._assumed(pair, point))
                    return Differing(pair.hook, pair.table, pair.a, pair.b, point, *ends, assumes)
        return None

    def _assumed(self, pair: _Pair, point: Point) -> Iterator[str]:
        """Yield the conditions that the difference hangs on, as they are taken for a packet."""
        hangs = self.rules.space.diagrams.support((pair.region,))
        for key, level in self.rules.space.all_conditions.items():
            if level in hangs:
                yield f"`{key}` {'holds' if point.conditions[key] else 'does not hold'}"

    def _marked(self, point: Point) -> Point:
        """Return the packet of a connection that an earlier ruleset has marked, in all bits that no rule tests."""
        column = self.rules.space.columns.get(fields.CT_MARK)
        tested = 0 if column is None else sum(1 << bit for bit in column.bits)
        mark = (point.get(fields.CT_MARK) or 0) | (0xFFFFFFFF & ~tested)
        return replace(point, values={**point.values, fields.CT_MARK: mark})

    @property
    def _plain(self) -> Iterator[int]:
        """Wishes for a packet of the wire whose addresses are two, and of the kind that most are."""
        space = self.rules.space
        for each in (fields.IIF, fields.OIF):
            yield space.values(each, ~_LOOPBACK)
        yield space.values(fields.DST, self._upper_half)
        for each in (fields.DST_TYPE, fields.SRC_TYPE):
            if each in space.columns:
                yield space.name(each, "UNICAST")

    @property
    def _upper_half(self) -> IntervalSet:
        """Addresses that the first of all is not among."""
        last = ALL_ONES[self.family]
        return IntervalSet.of((last // 2 + 1, last))

    def _ends(self, pair: _Pair, point: Point) -> tuple[Packet, Packet] | None:
        """Return what both sides make of a packet, None where the simulator does not see them differ as it is said."""
        ends: list[Packet] = []
        for side, fate in zip(self._sides, (pair.a, pair.b), strict=True):
            run = Replay(side[pair.table]).run(pair.hook, point)
            if run is None:
                return None
            steps, packet = run
            decided = (steps[-1].chain, steps[-1].rule) if steps else (pair.hook.value, "policy")
            if decided != (fate.chain, fate.number or "policy"):
                return None
            ends.append(packet)
        same = pair.a.ending == pair.b.ending and changed(ends[0]) == changed(ends[1])
        return None if same else (ends[0], ends[1])


def changed(packet: Packet) -> dict[str, int | str]:
    """Return what rules can make of a packet beside its translation, by name."""
    found: dict[str, int | str] = {"mark": packet.mark, "tos": packet.tos}
    if packet.ct is not None:
        found["connmark"] = packet.ct.mark
    if packet.ct_state == "UNTRACKED":
        found["tracking"] = "none"
    return found


def _decided(pair: _Pair) -> str:
    ends = [f"{each.chain} {each.number or 'policy'}" for each in (pair.a, pair.b)]
    return f"by {ends[0]} and {ends[1]}"


def _key(node: Opaque | Ask) -> str:
    return node.key if isinstance(node, Opaque) else " ".join((node.kind, *node.subject))


def _tests_kinds(tables: list[Table]) -> bool:
    """Whether a rule tests what kind of address a packet has."""
    return any(
        part.text.startswith("-m addrtype ")
        for table in tables for chain in table.chains for rule in chain.rules for part in rule.parts
    )  # fmt: skip
