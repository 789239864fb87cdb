"""Where a block stands: its pairs of resolved zones, and the hook that each of them needs."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.diagnostics import Related
from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language.rules import Pair as WrittenPair
from policyc.netfilter.hooks import Hook
from policyc.policy.defined import ANY, SELF, Side, Zone
from policyc.policy.definitions import Definitions
from policyc.policy.findings import Findings
from policyc.policy.model import Pair
from policyc.policy.values import Families
from policyc.source import Span

Sides = tuple[tuple[Side, v.Name], ...]
FORWARDED, BEFORE, AFTER = "forwarded", "before routing", "after routing"
"""When a rule sees its packet: in filter, or in PREROUTING, or in POSTROUTING."""


@frozen
class Place:
    """Table and pairs of the rules of a block.

    `hooks` are those of the pairs, each once; `within` are the lists of families that every pair has. Without pairs (a
    `define` that nothing uses) what depends on them is not checked.
    """

    table: str
    pairs: tuple[Pair, ...]
    text: str
    hooks: tuple[Hook, ...]
    within: frozenset[Families]

    @classmethod
    def of(cls, table: str, pairs: tuple[Pair, ...], text: str, families: Families) -> Place:
        """Return the place of a block in a policy for these families."""
        common = [family for family in families if all(family in pair.families for pair in pairs)]
        within = frozenset((*((family,) for family in common), tuple(common)))
        return cls(table, pairs, text, tuple(dict.fromkeys(pair.hook for pair in pairs)), within)

    @property
    def only_self(self) -> bool:
        """Whether all packets are sent by this host."""
        return all(pair.source is SELF for pair in self.pairs)


@frozen
class Places:
    """Resolves the two sides of blocks and intents."""

    definitions: Definitions
    findings: Findings
    families: Families

    def sides(self, names: Sequence[v.Name], allowed: Sequence[Side] = (SELF, ANY)) -> Sides | None:
        """Return the zones of a list; None when one is unknown, stands twice or is `self` or `any` where they do not fit."""
        found: dict[str, tuple[Side, v.Name]] = {}
        sound = True
        for name in names:
            side: Side | None
            if name.text in {v.SELF, v.ANY}:
                side = SELF if name.text == v.SELF else ANY
                if side not in allowed:
                    self.findings.report(
                        "wrong-kind", f"`{name.text}` cannot stand here: a zone is expected", name.span
                    )
                    side = None
            else:
                meaning = self.definitions.names.find(name, {}, ("zone",))
                side = self.definitions.zones.get(name.text) if meaning else None
            if side is None:
                sound = False
            elif name.text in found:
                self.findings.report("misplaced-word", f"`{name.text}` stands twice in this list", name.span)
                sound = False
            else:
                found[name.text] = (side, name)
        return tuple(found.values()) if sound else None

    def pairs(self, sources: Sides, targets: Sides, when: str) -> tuple[Pair, ...] | None:
        """Return every combination of the two sides; None when one cannot be tested, which is reported."""
        found = [self._pair(source, target, when) for source in sources for target in targets]
        return None if None in found else tuple(pair for pair in found if pair)

    def place(self, table: str, pair: WrittenPair, when: str, text: str) -> Place | None:
        """Return where a block of that table stands."""
        sources, targets = self.sides(pair.sources), self.sides(pair.targets)
        if sources is None or targets is None:
            return None
        pairs = self.pairs(sources, targets, when)
        if pairs is None:
            return None
        return Place.of(table, pairs, text, self.families)

    def _pair(self, source: tuple[Side, v.Name], target: tuple[Side, v.Name], when: str) -> Pair | None:
        (from_side, from_name), (to_side, to_name) = source, target
        span = Span(from_name.span.source, from_name.span.start, to_name.span.end)
        if from_side is SELF and to_side is SELF:
            hint = "what this host sends to itself is `in lo` in `any -> self` and `out lo` in `self -> any`"
            self.findings.report("impossible-pair", "`self -> self` is no pair of zones", span, hint)
            return None
        if when == AFTER:
            hook = Hook.POSTROUTING
            if to_side is SELF:
                message = "what this host receives does not pass POSTROUTING, where the source is translated"
                self.findings.report("impossible-pair", message, span)
                return None
            if not self._has_networks(from_side, from_name, "incoming", "no longer known in POSTROUTING"):
                return None
        elif from_side is SELF:
            hook = Hook.OUTPUT
        elif when == BEFORE:
            hook = Hook.PREROUTING
            if not self._has_networks(to_side, to_name, "outgoing", "not known yet in PREROUTING"):
                return None
        else:
            hook = Hook.INPUT if to_side is SELF else Hook.FORWARD
        return self._with_families(Pair(from_side, to_side, hook, self.families), span)

    def _has_networks(self, side: Side, name: v.Name, which: str, why: str) -> bool:
        if not isinstance(side, Zone) or side.networks:
            return True
        message = f"zone `{side.name}` has no network, and the {which} interface is {why}"
        hint = "give the zone its networks, or write `any`"
        related = [Related(f"zone `{side.name}` is defined here", side.span)]
        self.findings.report("impossible-pair", message, name.span, hint, related)
        return False

    def _with_families(self, pair: Pair, span: Span) -> Pair | None:
        zones = [side for side in (pair.source, pair.target) if isinstance(side, Zone) and side.families]
        if not zones:
            return pair
        left = tuple(family for family in self.families if all(family in (zone.families or ()) for zone in zones))
        if left:
            return pair if left == pair.families else Pair(pair.source, pair.target, pair.hook, left)
        names = " and ".join(f"`{zone.name}`" for zone in zones)
        message = f"the networks of {names} leave no family of the policy"
        related = [Related(f"zone `{zone.name}` is defined here", zone.span) for zone in zones]
        self.findings.report("wrong-family", message, span, related=related)
        return None
