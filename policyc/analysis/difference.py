"""Which packets meet another fate in one ruleset than in another: hook by hook, table by table. Top of `policyc.analysis`.

A packet that comes to a table in a hook as the same in both rulesets, and ends there as the same, goes on as the same: where
that holds for every table, no packet tells the rulesets apart. Packets of every state are compared, whatever is in the
connection table (the open world). A difference is told with a packet that the simulator lets end in both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyc.analysis.comparable import decidable, leaves_more, our_part, owned_chains
from policyc.analysis.compared import ComparedFamily, Differing, changed
from policyc.analysis.diagrams import OverBudgetError
from policyc.analysis.fates import Fate
from policyc.analysis.meanings import Meanings
from policyc.analysis.points import packet_of
from policyc.analysis.rule_pairs import Standing, unlike
from policyc.diagnostics import Place, Witness
from policyc.diagnostics.diagnostic import location
from policyc.frozen import frozen
from policyc.netfilter.hooks import TABLES
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset, Table
from policyc.simulation.reassembly import reassembles
from policyc.simulation.view import PacketView

MOST_CHANGES = 100
"""Differences of a family that are shown; more are counted."""


@frozen
class RuleSeen:
    """A rule of one side: its place (number 0: the policy, or falling out of the chain) and the rule, None for a policy."""

    place: Place
    rule: Rule | None

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        text = None if self.rule is None else self.rule.text
        return {
            **self.place.to_dict(),
            "text": text,
            "location": location(None if self.rule is None else self.rule.span),
        }


@frozen
class PacketChange:
    """Packets that end as `now` in `b` and ended as `before` in `a`: ACCEPT, DROP, REJECT or QUEUE (a program decides).

    `becomes` is what else differs, by name, as text in `a` and in `b`: reject_with, translation, mark, connmark, tos,
    tracking. The witness is a packet as it comes to the table in that hook; the rules are those that decide about it.
    """

    before: str
    now: str
    becomes: dict[str, tuple[str | None, str | None]]
    hook: str
    table: str
    witness: Witness
    a: RuleSeen
    b: RuleSeen

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "from": self.before, "to": self.now,
            "becomes": {name: {"from": was, "to": now} for name, (was, now) in self.becomes.items()},
            "family": self.a.place.family, "hook": self.hook, "table": self.table, "witness": self.witness.to_dict(),
            "rules": {"a": self.a.to_dict(), "b": self.b.to_dict()},
        }  # fmt: skip


@frozen
class Beside:
    """A rule that stands on one side only, or elsewhere, and does something that is not compared; `side` is a or b."""

    side: str
    seen: RuleSeen

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {"side": self.side, "rule": self.seen.to_dict()}


@frozen
class Difference:
    """What differs between two rulesets. `more` changes are counted and not shown.

    `conditions` are texts of those that nobody can decide and that differ: on them it hangs whether packets meet another fate.
    `beside` are rules with effects that are not compared. `doubts` say what is not known. `ours`: only the chains of a shared
    policy were compared.
    """

    changes: tuple[PacketChange, ...] = ()
    more: int = 0
    conditions: tuple[str, ...] = ()
    beside: tuple[Beside, ...] = ()
    doubts: tuple[str, ...] = ()
    ours: bool = False

    @property
    def equal(self) -> bool:
        """Whether it is shown that no packet meets another fate."""
        return self.exact and not self.differs

    @property
    def exact(self) -> bool:
        """Whether all was compared and nothing is left unknown."""
        return not self.doubts

    @property
    def differs(self) -> bool:
        """Whether something is known that differs."""
        return bool(self.changes or self.more or self.conditions or self.beside)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract."""
        return {
            "equal": self.equal, "exact": self.exact, "because": list(self.doubts), "scope": "ours" if self.ours else "all",
            "changes": [one.to_dict() for one in self.changes], "more": self.more, "conditions": list(self.conditions),
            "beside": [one.to_dict() for one in self.beside],
        }  # fmt: skip


def difference(a: Ruleset, b: Ruleset) -> Difference:
    """Return which packets meet another fate in `b` than in `a`.

    Where one of them is a shared policy, its chains and the jumps to them are compared. What sets hold is compared where both
    are read from hosts; a policy does not fill its sets.
    """
    owned = owned_chains(a, b)
    if a.shared or b.shared:
        a, b = our_part(a, owned), our_part(b, owned)
    sides = decidable(a), decidable(b)
    found: list[PacketChange] = []
    conditions = list(_sets(a, b))
    doubts: list[str] = []
    more = 0
    for family in sorted({*a.families, *b.families}):
        compared = ComparedFamily(*sides, family, MOST_CHANGES)
        try:
            compared.run()
        except OverBudgetError:
            doubts.append(f"the IPv{family} rules are too many, or too entangled, to walk with all packets at once")
        except ValueError:
            doubts.append(f"IPv{family} chains jump to each other in a circle, which no kernel loads")
        if reassembles(a, family) != reassembles(b, family):
            doubts.append(
                f"only one side tracks IPv{family} connections: what that alone does to packets is not compared"
            )
        found += [_change(a, b, family, one) for one in compared.found]
        conditions += compared.conditions
        doubts += compared.doubts
        more += compared.more
    return Difference(
        tuple(found), more, tuple(conditions), tuple(_beside(a, b)), tuple(doubts), a.shared or bool(owned)
    )


def _sets(a: Ruleset, b: Ruleset) -> Iterator[str]:
    """Yield which sets hold other members, where both sides are from hosts."""
    if a.intent is not None or b.intent is not None:
        return
    others = {one.name: one for one in b.sets}
    for one in a.sets:
        other = others.get(one.name)
        if other is not None and {*one.members} != {*other.members}:
            yield f"set {one.name} holds other members"


def _beside(a: Ruleset, b: Ruleset) -> Iterator[Beside]:
    for family in sorted({*a.families, *b.families}):
        meanings = Meanings(family)
        for name in TABLES:
            was, now = (each.table(family, name) or Table(family, name) for each in (a, b))
            found = unlike(was, now, lambda rule, known=meanings: leaves_more(known.of(rule)))  # type: ignore[misc]
            for side, standings in (("a", found.a), ("b", found.b)):
                yield from (Beside(side, _seen(family, name, standing)) for standing in standings)


def _seen(family: int, table: str, standing: Standing) -> RuleSeen:
    chain, number, rule = standing
    return RuleSeen(Place(family, table, chain, number), rule)


# ---------------------------------------------------------------------- what is told of packets
def _change(a: Ruleset, b: Ruleset, family: int, one: Differing) -> PacketChange:
    seen = [_decided(ruleset, family, one.table, fate) for ruleset, fate in ((a, one.a), (b, one.b))]
    values = [_outcome(fate, by.rule) for fate, by in zip((one.a, one.b), seen, strict=True)]
    for value, packet in zip(values, (one.packet_a, one.packet_b), strict=True):
        value |= {name: word if isinstance(word, str) else hex(word) for name, word in changed(packet).items()}
    names = dict.fromkeys(name for value in values for name in value)
    becomes = {name: (values[0].get(name), values[1].get(name)) for name in names}
    unlike = {name: pair for name, pair in becomes.items() if pair[0] != pair[1]}
    return PacketChange(
        one.a.ending.word.upper(), one.b.ending.word.upper(), unlike, one.hook.value, one.table, _witness(one), *seen
    )


def _decided(ruleset: Ruleset, family: int, table: str, fate: Fate) -> RuleSeen:
    place = Place(family, table, fate.chain, fate.number)
    known = ruleset.table(family, table)
    chain = None if known is None else known.chain(fate.chain)
    return RuleSeen(place, chain.rules[fate.number - 1] if chain is not None and fate.number and chain.rules else None)


def _outcome(fate: Fate, rule: Rule | None) -> dict[str, str]:
    found = {"reject_with": fate.ending.answer} if fate.ending.answer else {}
    if fate.ending.rewrite is not None and rule is not None and rule.target is not None:
        found["translation"] = rule.target.text.removeprefix("-j ")
    return found


def _witness(one: Differing) -> Witness:
    view = PacketView.of(packet_of(one.point))
    ways = [f"{word} {name}" for word, name in (("in", view.iif), ("out", view.oif)) if name]
    state = [] if view.state == "none" else [f"state {view.state}"]
    return Witness(" ".join((view.text, *ways, *state)), view.to_dict(), one.assumes)
