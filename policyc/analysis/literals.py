"""Which values the rules of a family mention: from these come the classes of each field. Part of `policyc.analysis`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from policyc.net.addresses import WIDTH
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Effect, Rewrite
from policyc.netfilter.fields import Domain, Field
from policyc.netfilter.predicate import Bits, In, Predicate, nodes

# Fields whose values meet: one is rewritten to, compared with or swapped for the other, so they share their cut points.
PARTNERS: dict[Field, Field] = {
    fields.DST: fields.SRC,
    fields.DPORT: fields.SPORT,
    fields.OIF: fields.IIF,
    fields.CT_ORIG_DST: fields.CT_ORIG_SRC,
    fields.CT_REPLY_SRC: fields.CT_ORIG_SRC,
    fields.CT_REPLY_DST: fields.CT_ORIG_SRC,
    fields.CT_ORIG_DPORT: fields.CT_ORIG_SPORT,
    fields.CT_REPLY_SPORT: fields.CT_ORIG_SPORT,
    fields.CT_REPLY_DPORT: fields.CT_ORIG_SPORT,
}
ORIGINALS: dict[Field, Field] = {
    fields.CT_ORIG_SRC: fields.SRC,
    fields.CT_ORIG_DST: fields.DST,
    fields.CT_ORIG_SPORT: fields.SPORT,
    fields.CT_ORIG_DPORT: fields.DPORT,
    fields.CT_PROTO: fields.PROTO,
}
"""What a connection remembers of the packet that began it."""
MOST_HOLES = 10
"""How many zero bits a mask may have above others before a test under it is no set of ranges any more."""


class Literals:
    """The values seen, by field; partners are seen together. Of bits only those count that some rule tests in the end.

    `closed` holds the only names that a field can have, where that is known.
    """

    __slots__ = ("assigned", "bits", "closed", "family", "fields", "names", "prefixes", "starts")

    def __init__(self, family: int) -> None:
        self.family = family
        self.fields: set[Field] = set()
        self.starts: defaultdict[Field, set[int]] = defaultdict(set)
        self.names: defaultdict[Field, set[str]] = defaultdict(set)
        self.prefixes: defaultdict[Field, set[str]] = defaultdict(set)
        self.bits: defaultdict[Field, int] = defaultdict(int)
        self.assigned: set[Assign] = set()
        self.closed: dict[Field, tuple[str, ...]] = {}

    def read(self, predicate: Predicate) -> None:
        """Note the values that a predicate mentions."""
        for node in nodes(predicate):
            if isinstance(node, In):
                self.values(node.field, node.values)
            elif isinstance(node, Bits):
                if node.field.domain is Domain.BITS:
                    self.fields.add(node.field)
                    self.bits[node.field] |= node.mask
                elif (spans := under_holes(node.mask, node.value, width_of(node.field, self.family))) is not None:
                    self.values(node.field, spans)

    def values(self, field: Field, values: IntervalSet | NameSet) -> None:
        """Note a set of values of a field."""
        self.fields.add(field)
        key = PARTNERS.get(field, field)
        if isinstance(values, IntervalSet):
            starts = self.starts[key]
            for low, high in values.spans:
                starts.add(low)
                starts.add(high + 1)
        else:
            self.names[key] |= values.members
            self.prefixes[key] |= values.prefixes

    def meet_originals(self) -> None:
        """Let packets and the first packets of their connections share their cut points: one may be asked for the other."""
        for original, now in ORIGINALS.items():
            if original in self.fields:
                self.fields.add(now)
                self.starts[PARTNERS.get(now, now)] |= self.starts[PARTNERS.get(original, original)]

    def change(self, effects: Iterable[Effect]) -> None:
        """Note the values that effects give to fields."""
        for effect in effects:
            if isinstance(effect, Assign):
                self.assigned.add(effect)
            elif isinstance(effect, Rewrite):
                for field, values in ((fields.SRC, effect.addresses), (fields.SPORT, effect.ports)):
                    if values is not None:
                        self.values(field, values)

    def follow_copies(self) -> None:
        """Note the bits that are copied to bits which count."""
        before = None
        while before != self.bits:
            before = dict(self.bits)
            for effect in self.assigned:
                if effect.source is not None:
                    wanted = self.bits[effect.field]
                    back = wanted >> effect.shift if effect.shift >= 0 else wanted << -effect.shift
                    self.bits[effect.source] |= back & effect.source_mask


def width_of(field: Field, family: int) -> int:
    """Return how many bits the field's numbers have in a family."""
    return WIDTH[family] if field.bits == 128 else field.bits


def under_holes(mask: int, value: int, width: int) -> IntervalSet | None:
    """Return the numbers of a width that have `value` under a mask with holes, None where they are too many ranges."""
    free = next((bit for bit in range(width) if mask >> bit & 1), width)
    holes = [bit for bit in range(free, width) if not mask >> bit & 1]
    if len(holes) > MOST_HOLES:
        return None
    block = (1 << free) - 1
    spans = []
    for choice in range(1 << len(holes)):
        low = value
        for place, bit in enumerate(holes):
            low |= (choice >> place & 1) << bit
        spans.append((low, low | block))
    return IntervalSet.union_of(spans)
