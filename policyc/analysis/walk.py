"""All packets of a family on their way through the hooks, whatever stands in the connection table. Part of `policyc.analysis`.

The open world of the model: connections outlive changes of the rules, so that packets of older connections have any tuple and
any translation. `OwnWalk` knows only connections that these rules translate and track. What is visited in which order is
`policyc.netfilter.hooks.VISITS`, as in the simulator's walk.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.analysis.chains import TableSets
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
from policyc.analysis.images import freed, replaced
from policyc.analysis.rules import FamilyRules
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import TABLES, VISITS, Hook
from policyc.netfilter.predicate import ALWAYS, In, Predicate, all_of, negate
from policyc.netfilter.ruleset import Table

_STAGES = {hook: tuple(visit.stage for visit in VISITS if visit.hook is hook) for hook in Hook}
_BY_LOOPBACK = NameSet.of("lo")
_HERE = In(fields.DST_TYPE, NameSet.of("LOCAL", "BROADCAST", "MULTICAST", "ANYCAST"))
_COMES_BACK = In(fields.IIF, _BY_LOOPBACK)  # its translation was decided when it was sent
_OWN = In(fields.DST_TYPE, NameSet.of("LOCAL"))
_ARRIVES = all_of(INCOMING, negate(OUTGOING))
_LEAVES = all_of(negate(INCOMING), OUTGOING)
# What nat translates at a hook.
_SIDES: dict[Hook, tuple[Field, Field]] = {
    Hook.PREROUTING: (fields.DST, fields.DPORT),
    Hook.OUTPUT: (fields.DST, fields.DPORT),
    Hook.INPUT: (fields.SRC, fields.SPORT),
    Hook.POSTROUTING: (fields.SRC, fields.SPORT),
}


class OpenWalk:
    """The walk of one family: after `run`, `tables` know what came to each of their rules.

    `came` is what came to a table in a hook, whether there is one or not. `tables` given are walked instead of those of
    `rules`, which must know their values.
    """

    __slots__ = ("came", "rules", "tables")

    def __init__(self, rules: FamilyRules, tables: Iterable[Table] | None = None) -> None:
        self.rules = rules
        own = rules.ruleset.family(rules.family) if tables is None else tables
        self.tables = {table.name: TableSets(rules, table) for table in own if table.name in TABLES}
        self.came: dict[tuple[Hook, str], int] = {}

    def run(self) -> None:
        """Send every packet there can be on its way: what this host sends, what comes back over loopback, what arrives."""
        space, where = self.rules.space, self.rules.where
        both, either = space.diagrams.both, space.diagrams.either
        sent = self._hook(Hook.OUTPUT, both(where(_LEAVES), where(is_state("none"))))
        sent = self._hook(Hook.POSTROUTING, sent)
        came = self._without_socket(both(where(_ARRIVES), where(is_state("none"))))
        came = self._hook(Hook.PREROUTING, either(came, self._looped(sent)))
        self._hook(Hook.INPUT, both(came, self._typed(ALWAYS if self.rules.diverts else _HERE)))
        gone = space.release(both(came, self._typed(negate(_OWN))), fields.OIF, fields.TTL)
        gone = self._hook(Hook.FORWARD, both(gone, where(OUTGOING)))
        self._hook(Hook.POSTROUTING, gone)

    def _without_socket(self, packets: int) -> int:
        for each in (fields.UID, fields.GID):
            if each in self.rules.space.columns:
                packets = self.rules.space.diagrams.both(packets, self.rules.space.lacking(each))
        return packets

    def _looped(self, sent: int) -> int:
        """Return what comes in by loopback: with its mark and state, without its socket."""
        space, diagrams = self.rules.space, self.rules.space.diagrams
        back = diagrams.both(sent, space.values(fields.OIF, _BY_LOOPBACK))
        back = space.release(back, fields.IIF, fields.OIF, fields.UID, fields.GID)
        came = diagrams.both(space.values(fields.IIF, _BY_LOOPBACK), space.lacking(fields.OIF))
        return self._without_socket(diagrams.both(back, came))

    def _typed(self, kind: Predicate) -> int:
        """Return the packets whose destination is of a kind, all where no rule tells the kinds apart."""
        return self.rules.where(kind if fields.DST_TYPE in self.rules.space.columns else ALWAYS)

    # ------------------------------------------------------------------ stages
    def _hook(self, hook: Hook, packets: int) -> int:
        for stage in _STAGES[hook]:
            if packets == EMPTY:
                return packets
            if stage == "conntrack":
                packets = self._tracked(packets)
            elif stage == "nat":
                packets = self._nat(hook, packets)
            elif stage in TABLES:
                self._note(hook, stage, packets)
                packets = self._table(stage, hook, packets) if stage in self.tables else packets
        return packets

    def _note(self, hook: Hook, table: str, packets: int) -> None:
        self.came[hook, table] = self.rules.space.diagrams.either(self.came.get((hook, table), EMPTY), packets)

    def _tracked(self, packets: int) -> int:
        """Give packets without a state every state that they can have; those that have one keep it."""
        space, diagrams, where = self.rules.space, self.rules.space.diagrams, self.rules.where
        unseen = diagrams.both(packets, where(is_state("none")))
        by_the_kernel = diagrams.both(unseen, where(exempted_by_the_kernel(space.family)))
        exempted = replaced(space, by_the_kernel, fields.CT_STATE, NameSet.of("UNTRACKED"))
        seen = diagrams.both(space.release(unseen, fields.CT_STATE), where(seen_by_tracking(space.family)))
        seen = diagrams.without(seen, where(is_state("UNTRACKED")))
        return diagrams.any_of((diagrams.without(packets, unseen), exempted, seen))

    def _table(self, name: str, hook: Hook, packets: int) -> int:
        endings = self.tables[name].run(hook.value, packets)
        return self.rules.space.diagrams.any_of(found for ending, found in endings.items() if ending.passes)

    def _nat(self, hook: Hook, packets: int) -> int:
        """Let table nat see first packets; whatever has an entry may have been translated, now or before."""
        diagrams, where = self.rules.space.diagrams, self.rules.where
        first = diagrams.both(packets, where(begins_connection(self.rules.family)))
        first = diagrams.without(first, where(_COMES_BACK))
        self._note(hook, "nat", first)
        if "nat" in self.tables:
            self._table("nat", hook, first)
        entered = diagrams.both(packets, where(HAS_ENTRY))
        return diagrams.either(packets, freed(self.rules.space, entered, *_SIDES[hook]))


class OwnWalk(OpenWalk):
    """The walk of connections that these rules let begin, and of packets without one.

    New connections have the translation that table nat gives to their first packet. What is not worked out counts as
    possible: where there is any translation, later packets and answers may have any.
    """

    def _nat(self, hook: Hook, packets: int) -> int:
        space, diagrams, where = self.rules.space, self.rules.space.diagrams, self.rules.where
        if "nat" not in self.tables:
            return packets
        new = diagrams.without(diagrams.both(packets, where(is_state("NEW"))), where(_COMES_BACK))
        # Later packets of a connection that no answer was seen of are NEW too: any flags, translated as the first was.
        first = diagrams.both(space.release(new, fields.TCP_FLAGS), where(begins_connection(space.family)))
        found = [diagrams.without(packets, new)]
        for ending, passed in self.tables["nat"].run(hook.value, first).items():
            if ending.passes:
                image = passed if ending.rewrite is None else self._translated(hook, passed, ending.rewrite)
                found.append(space.release(image, fields.TCP_FLAGS))
        answered = diagrams.both(packets, where(is_state("ESTABLISHED", "RELATED")))
        return diagrams.any_of((*found, freed(space, answered, *_SIDES[hook])))

    def _translated(self, hook: Hook, packets: int, rewrite: Rewrite) -> int:
        """Return first packets with their new address and port; one that the rules do not name may be any."""
        space = self.rules.space
        address, port = _SIDES[hook]
        if rewrite.ports is not None:
            packets = replaced(space, packets, port, rewrite.ports)
        elif rewrite.random or address is fields.SRC:
            packets = freed(space, packets, port)
        if rewrite.addresses is not None:
            return replaced(space, packets, address, rewrite.addresses)
        return freed(space, packets, address) if rewrite.how in {"incoming", "outgoing"} else packets
