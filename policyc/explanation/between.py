"""The two sides of a question about all packets, from words as people write them. Part of `explanation`.

A word is a zone, a name for addresses, an address, network or range, or an interface. `self` is this host, `any` everything
that has an interface, as in the pairs of a policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.explanation.hints import hints_of
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.net.addresses import AddressError, Network, parse_address, parse_network
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.intent import Zone
from policyc.netfilter.predicate import ALWAYS, In, Predicate, all_of, any_of
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.tested import Side, Towards
from policyc.source import Source, Span

SELF, ANY = "self", "any"


@frozen
class Place:
    """What a word stands for: a zone, addresses (family, first, last) or an interface; none of them for self and any."""

    word: str
    zone: Zone | None = None
    items: tuple[tuple[int, int, int], ...] = ()
    interface: str = ""


@dataclass(slots=True)
class Between:
    """Reads the words of questions about one ruleset, on a host if there is one."""

    ruleset: Ruleset
    host: Host | None = None

    def pairs(self, source: str, target: str, services: Sequence[str] = ()) -> tuple[Towards, ...]:
        """Return the question for each family that both sides and the services have. Raises InputError with all that is wrong."""
        problems: list[Diagnostic] = []
        tests: dict[int, Predicate] = {}
        found: list[Place] = []
        for option, word in (("--from", source), ("--to", target)):
            try:
                found.append(self._place(option, word))
            except InputError as error:
                problems += error.diagnostics
        try:
            tests = _services(services)
        except InputError as error:
            problems += error.diagnostics
        if problems:
            raise InputError(problems)
        return tuple(self._pairs(found[0], found[1], tests))

    def _pairs(self, source: Place, target: Place, tests: dict[int, Predicate]) -> Iterator[Towards]:
        for family in (4, 6):
            if family not in tests:
                continue
            one = self._side(source, target, family, incoming=True)
            other = self._side(target, source, family, incoming=False)
            if one is not None and other is not None:
                yield Towards(family, one, other, arriving=tests[family])

    # ------------------------------------------------------------------ words
    def _place(self, option: str, word: str) -> Place:
        intent = self.ruleset.intent
        if word in {SELF, ANY}:
            return Place(word)
        zone = next((one for one in (intent.zones if intent else ()) if one.name == word), None)
        if zone is not None:
            return Place(word, zone=zone)
        named = next((one for one in (intent.addresses if intent else ()) if one.name == word), None)
        if named is not None:
            return Place(word, items=named.items)
        if (item := _addresses(word)) is not None:
            return Place(word, items=(item,))
        if self._is_interface(word):
            return Place(word, interface=word)
        names = [*(one.name for one in intent.zones), *(one.name for one in intent.addresses)] if intent else []
        raise InputError([_unknown(option, word, [SELF, ANY, *names, *self._interfaces])])

    @property
    def _interfaces(self) -> list[str]:
        if self.host is not None:
            return [one.name for one in self.host.interfaces]
        hints = hints_of(self.ruleset)
        return [*hints.interfaces, *hints.patterns]

    def _is_interface(self, word: str) -> bool:
        return word in self._interfaces or any(word in NameSet.interface(name) for name in self._interfaces)

    # ------------------------------------------------------------------ sides
    def _side(self, place: Place, other: Place, family: int, *, incoming: bool) -> Side | None:
        """Return a side in a family, None where it has none of its packets."""
        device, address = (fields.IIF, fields.SRC) if incoming else (fields.OIF, fields.DST)
        if place.word == SELF:
            return Side(here=True, away=False)
        if place.interface:
            return Side(here=False, away=True, where=In(device, NameSet.interface(place.interface)))
        if place.items:
            values = IntervalSet.of(*((low, high) for each, low, high in place.items if each == family))
            if not values:
                return None
            return Side(here=bool(values & self._own(family)), away=True, where=In(address, values))
        if place.zone is None:
            return Side(here=False, away=True)
        where = _of_zone(place.zone, family, near=other.word == SELF, incoming=incoming)
        return None if where is None else Side(here=False, away=True, where=where)

    def _own(self, family: int) -> IntervalSet:
        if self.host is not None:
            owned = [one for each in self.host.interfaces for one in each.addresses]
            return IntervalSet.of(*(one.address for one in owned if one.family == family))
        intent = self.ruleset.intent
        zones = (*intent.zones, *intent.bridges) if intent else ()
        return IntervalSet.of(*(one.address for zone in zones for one in zone.addresses if one.family == family))


def _of_zone(zone: Zone, family: int, *, near: bool, incoming: bool) -> Predicate | None:
    """Return what makes a packet one of a zone's; `near`: to this host link-local and the like count as inside."""
    device, address = (fields.IIF, fields.SRC) if incoming else (fields.OIF, fields.DST)
    inside: Predicate = ALWAYS
    if zone.networks:
        networks = [one for one in zone.networks if one.family == family]
        if not networks:
            return None
        if near and zone.interfaces:
            from policyc.lowering.sides import NEAR_SOURCES, NEAR_TARGETS

            close = (NEAR_SOURCES if incoming else NEAR_TARGETS)[family]
            networks += [one for one in close if isinstance(one, Network)]
        inside = In(address, IntervalSet.of(*(span for one in networks for span in one.values.spans)))
    if not zone.interfaces:
        return inside
    return all_of(any_of(*(In(device, NameSet.interface(name)) for name in zone.interfaces)), inside)


def _unknown(option: str, word: str, known: Sequence[str]) -> Diagnostic:
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    names = ", ".join(f"`{one}`" for one in dict.fromkeys(known))
    hint = f"did you mean `{near[0]}`?" if near else f"an address or network, or one of {names}"
    source = Source(option, word)
    return diagnose(
        "unknown-name", f"`{word}` is no zone, address or interface here", Span(source, 0, len(word)), help=hint
    )


def _addresses(word: str) -> tuple[int, int, int] | None:
    """Return family, first and last of an address, a network or a range, None for another word."""
    for family in (4, 6):
        try:
            if "-" in word:
                low, high = (parse_address(text, family) for text in word.split("-", 1))
                return (family, low, high) if low <= high else None
            ((low, high),) = parse_network(word, family).values.spans
        except (AddressError, ValueError):
            continue
        return family, low, high
    return None


def _services(texts: Sequence[str]) -> dict[int, Predicate]:
    """Return what a packet of these services is, for each family that has some."""
    if not texts:
        return {4: ALWAYS, 6: ALWAYS}
    from policyc.language.problems import Problems
    from policyc.language.read_services import service
    from policyc.lowering.pieces import Pieces
    from policyc.lowering.services import service_tests
    from policyc.netfilter.rule import Rule
    from policyc.policy.findings import Findings
    from policyc.policy.namespace import NOTHING, Names
    from policyc.policy.service_lists import ServiceLists

    findings, found, problems = Findings(), [], []
    for text in texts:
        here = Problems(Source("--service", text))
        value = service(text, 0, here) if text else None
        problems += here.found
        if value is not None:
            found.append(value)
    flat = ServiceLists(Names(findings), findings).flatten(found, NOTHING) if found else ()
    if problems or findings.found or flat is None:
        raise InputError([*problems, *findings.found])
    return {
        family: any_of(*(Rule(parts).predicate(family) for parts in tests))
        for family in (4, 6)
        if (tests := service_tests(Pieces(family), flat))
    }
