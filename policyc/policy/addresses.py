"""Lists of addresses flattened: names of addresses, sets, containers and zones (for their networks) become values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from policyc.diagnostics import Related
from policyc.frozen import frozen
from policyc.language import definitions as d
from policyc.language import literals as v
from policyc.language import tree as t
from policyc.net.addresses import ALL_ONES, Network
from policyc.netfilter.intent import AddressName
from policyc.policy.defined import Set
from policyc.policy.findings import Findings
from policyc.policy.foreign import Beside, Service
from policyc.policy.namespace import NOTHING, Meaning, Names, Parameter
from policyc.policy.values import ONE, AddressItem, AddressRange, Families

LIST_KINDS = ("address", "set", "container", "zone")
"""What a list after `from` or `to`, and an `address` definition, may name."""


@frozen
class Flat:
    """A flattened list: items and sets in written order. One of them is there."""

    items: tuple[AddressItem, ...]
    sets: tuple[Set, ...]

    @property
    def families(self) -> Families:
        """Return the families of the items, ascending; empty where there are only sets."""
        return families_of(self.items)


def families_of(items: Sequence[AddressItem]) -> Families:
    """Return the families of some items, ascending."""
    if len(items) == 1:
        return ONE[items[0].family]
    return tuple(sorted({item.family for item in items}))


@cache
def mask_of(family: int, prefix: int) -> int:
    """Return the mask of a prefix length."""
    return ALL_ONES[family] ^ (ALL_ONES[family] >> prefix)


def item_of(value: v.Address | v.Network | v.AddressRange) -> AddressItem:
    """Return a literal as a value."""
    if isinstance(value, v.Address):
        return Network(value.family, value.value, ALL_ONES[value.family])
    if isinstance(value, v.Network):
        return Network(value.family, value.value, mask_of(value.family, value.prefix))
    return AddressRange(value.family, value.first, value.last)


@dataclass(slots=True)
class AddressLists:
    """Flattens lists; what a name of the policy means is found once."""

    names: Names
    findings: Findings
    sets: Mapping[str, Set]
    beside: Beside = field(default_factory=Beside)
    known: dict[str, Flat | None] = field(default_factory=dict)
    open: list[v.Name] = field(default_factory=list)
    remarked: set[str] = field(default_factory=set)
    """Containers with addresses that the engine draws: it is said where one is first used."""

    def flatten(
        self,
        values: Sequence[v.AddressValue],
        scope: Mapping[str, Parameter],
        kinds: tuple[str, ...] = LIST_KINDS,
    ) -> Flat | None:
        """Return a list without names; None when something in it was reported, after all of it was looked at."""
        if len(values) == 1 and type(values[0]) is not v.Name:
            return Flat((item_of(values[0]),), ())  # type: ignore[arg-type]
        items: list[AddressItem] = []
        sets: list[Set] = []
        sound = True
        for value in values:
            if not isinstance(value, v.Name):
                items.append(item_of(value))
                continue
            found = self._named(value, scope, kinds)
            if found is None:
                sound = False
            else:
                items += found.items
                sets += found.sets
        return Flat(tuple(items), tuple(sets)) if sound else None

    def _named(self, name: v.Name, scope: Mapping[str, Parameter], kinds: tuple[str, ...]) -> Flat | None:
        meaning = self.names.find(name, scope, kinds)
        if meaning is None:
            return None
        if isinstance(meaning, Parameter):
            own = kinds if meaning.kind == "address" else (meaning.kind,)
            return self.flatten(meaning.values, NOTHING, own)  # type: ignore[arg-type]
        if name.text not in self.known:
            self.known[name.text] = None  # so that a loop is reported once
            self.open.append(name)
            self.known[name.text] = self._meant(meaning, name)
            self.open.pop()
        elif any(name.text == other.text for other in self.open):
            self._loop(name)
        found = self.known[name.text]
        if isinstance(meaning, t.EngineObject | Service) and found is not None:
            self._remark(name)
        if found is not None and not found.items and not found.sets:
            self._empty(meaning, name)
            return None
        return found

    def names_of_addresses(self) -> tuple[AddressName, ...]:
        """Return what each name of addresses or a container means; those without an address are left out."""
        found = []
        for text, meaning in self.names.meanings.items():
            if isinstance(meaning, d.AddressDefinition | t.EngineObject | Service):
                flat = self.known[text] if text in self.known else self._meant(meaning, meaning.name)
                if flat and flat.items:
                    found.append(AddressName(text, tuple((item.family, *bounds(item)) for item in flat.items)))
        return tuple(found)

    def _meant(self, meaning: Meaning, name: v.Name) -> Flat | None:
        match meaning:
            case d.AddressDefinition(values=values):
                return self.flatten(values, NOTHING)
            case d.ZoneDefinition(networks=networks):
                return self.flatten(networks, NOTHING, ("address", "zone"))
            case d.SetDefinition():
                return Flat((), (self.sets[name.text],))
            case t.EngineObject() | Service():
                container = self.beside.containers.get(name.text)
                return Flat(container.addresses, ()) if container else None
            case _:
                return None

    def _remark(self, name: v.Name) -> None:
        """Say, where a container is first used, that the engine draws its address."""
        if not self.beside.containers[name.text].fixed and name.text not in self.remarked:
            self.remarked.add(name.text)
            message = f"the address of `{name.text}` is drawn by the engine, and may be another one tomorrow"
            self.findings.report("drawn-by-engine", message, name.span, "give it one: `address …`, `ipv4_address`")

    def _loop(self, name: v.Name) -> None:
        texts = [other.text for other in self.open]
        circle = self.open[texts.index(name.text) :]
        way = " -> ".join(f"`{text}`" for text in (*(other.text for other in circle), name.text))
        related = [Related(f"`{other.text}` is used here", other.span) for other in circle[1:]]
        self.findings.report("definition-loop", f"the definition contains itself: {way}", name.span, related=related)

    def _empty(self, meaning: Meaning, name: v.Name) -> None:
        zone = isinstance(meaning, d.ZoneDefinition)
        lacks = "network" if zone else "address"
        hint = f"add `{lacks} …` to it" if zone else "it is on no network of its own"
        message = f"`{name.text}` has no {lacks}, so that nothing would be tested"
        related = [Related(f"`{name.text}` is defined here", meaning.name.span)]
        self.findings.report("empty-list", message, name.span, hint, related)


def bounds(item: AddressItem) -> tuple[int, int]:
    """Return the first and the last address of an item."""
    if isinstance(item, AddressRange):
        return item.first, item.last
    return item.address, item.address | (item.mask ^ ALL_ONES[item.family])
