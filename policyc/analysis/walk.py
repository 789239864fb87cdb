"""All packets of a family on their way through the hooks, whatever stands in the connection table. Part of `policyc.analysis`.

The open world of the model: connections outlive changes of the rules, so that packets of older connections have any tuple and
any translation. What is visited in which order is `policyc.netfilter.hooks.VISITS`, as in the simulator's walk.
"""

from __future__ import annotations

from policyc.analysis.chains import TableSets
from policyc.analysis.diagrams import ALL, EMPTY
from policyc.analysis.images import ENTRY, freed
from policyc.analysis.rules import FamilyRules
from policyc.analysis.tracked import first_packets, tracked
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import TABLES, VISITS, Hook
from policyc.simulation.reassembly import reassembles

_STAGES = {hook: tuple(visit.stage for visit in VISITS if visit.hook is hook) for hook in Hook}
_NAMED = ~NameSet()
_HERE = NameSet.of("LOCAL", "BROADCAST", "MULTICAST", "ANYCAST")
# What nat translates at a hook.
_SIDES: dict[Hook, tuple[Field, Field]] = {
    Hook.PREROUTING: (fields.DST, fields.DPORT),
    Hook.OUTPUT: (fields.DST, fields.DPORT),
    Hook.INPUT: (fields.SRC, fields.SPORT),
    Hook.POSTROUTING: (fields.SRC, fields.SPORT),
}


class OpenWalk:
    """The walk of one family: after `run`, the tables know what came to each of their rules."""

    __slots__ = ("rules", "tables")

    def __init__(self, rules: FamilyRules) -> None:
        self.rules = rules
        self.tables = {
            table.name: TableSets(rules, table) for table in rules.ruleset.family(rules.family) if table.name in TABLES
        }

    def run(self) -> None:
        """Send every packet there can be on its way: what this host sends, what comes back over loopback, what arrives."""
        space, diagrams = self.rules.space, self.rules.space.diagrams
        sent = diagrams.both(space.lacking(fields.IIF), space.values(fields.OIF, _NAMED))
        sent = self._hook(Hook.OUTPUT, self._fresh(sent))
        sent = self._hook(Hook.POSTROUTING, sent)
        back = self._looped(sent)
        came = diagrams.both(space.values(fields.IIF, _NAMED), space.lacking(fields.OIF))
        came = self._without_socket(self._with_mark(self._fresh(came), 0))
        came = self._hook(Hook.PREROUTING, diagrams.either(came, back))
        self._hook(Hook.INPUT, diagrams.both(came, self._local()))
        gone = space.release(diagrams.both(came, self._elsewhere()), fields.OIF, fields.TTL)
        gone = self._hook(Hook.FORWARD, diagrams.both(gone, space.values(fields.OIF, _NAMED)))
        self._hook(Hook.POSTROUTING, gone)

    def _fresh(self, packets: int) -> int:
        return self.rules.space.diagrams.both(packets, self.rules.space.name(fields.CT_STATE, "none"))

    def _with_mark(self, packets: int, mark: int) -> int:
        return self.rules.space.diagrams.both(packets, self.rules.space.bits(fields.MARK, 0xFFFFFFFF, mark)) if (
            fields.MARK in self.rules.space.columns
        ) else packets  # fmt: skip

    def _without_socket(self, packets: int) -> int:
        for each in (fields.UID, fields.GID):
            if each in self.rules.space.columns:
                packets = self.rules.space.diagrams.both(packets, self.rules.space.lacking(each))
        return packets

    def _looped(self, sent: int) -> int:
        """Return what comes in by loopback: with its mark and state, without its socket."""
        space, diagrams = self.rules.space, self.rules.space.diagrams
        by_loopback = NameSet.of("lo")
        back = space.release(
            diagrams.both(sent, space.values(fields.OIF, by_loopback)), fields.IIF, fields.OIF, fields.UID, fields.GID
        )
        back = diagrams.all_of((back, space.values(fields.IIF, by_loopback), space.lacking(fields.OIF)))
        return self._without_socket(back)

    def _local(self) -> int:
        space = self.rules.space
        return space.values(fields.DST_TYPE, _HERE) if fields.DST_TYPE in space.columns else ALL

    def _elsewhere(self) -> int:
        space = self.rules.space
        return space.name(fields.DST_TYPE, "LOCAL") ^ 1 if fields.DST_TYPE in space.columns else ALL

    # ------------------------------------------------------------------ stages
    def _hook(self, hook: Hook, packets: int) -> int:
        for stage in _STAGES[hook]:
            if packets == EMPTY:
                return packets
            if stage == "defrag":
                packets = self._put_together(packets)
            elif stage == "conntrack":
                packets = tracked(self.rules.space, packets)
            elif stage == "nat":
                packets = self._nat(hook, packets)
            elif stage in self.tables:
                packets = self._table(stage, hook, packets)
        return packets

    def _put_together(self, packets: int) -> int:
        """Leave no fragments where connections are tracked."""
        space = self.rules.space
        if fields.FRAG not in space.columns or not reassembles(self.rules.ruleset, self.rules.family):
            return packets
        return space.diagrams.both(packets, space.name(fields.FRAG, "whole"))

    def _table(self, name: str, hook: Hook, packets: int) -> int:
        endings = self.tables[name].run(hook.value, packets)
        return self.rules.space.diagrams.any_of(found for ending, found in endings.items() if ending.passes)

    def _nat(self, hook: Hook, packets: int) -> int:
        """Let table nat see first packets; whatever has an entry may have been translated, now or before."""
        space, diagrams = self.rules.space, self.rules.space.diagrams
        table = self.tables.get("nat")
        if table is not None:
            first = diagrams.both(packets, first_packets(space))
            table.run(hook.value, first)
        entered = diagrams.both(packets, space.values(fields.CT_STATE, ENTRY))
        return diagrams.either(packets, freed(space, entered, *_SIDES[hook]))
