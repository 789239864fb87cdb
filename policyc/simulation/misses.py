"""Why a rule does not match a packet: the tests that fail, each with the packet's value. Part of `policyc.simulation`.

Nothing is changed by asking: counters stay, lists are not written to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policyc.netfilter.counters import Counter
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.fields import Field
from policyc.netfilter.parts import Part, Target
from policyc.netfilter.predicate import All, Any, Bits, In, Not, Predicate
from policyc.netfilter.rule import Rule
from policyc.simulation.evaluate import Test, compiled
from policyc.simulation.field_text import field_text
from policyc.simulation.packet import Packet
from policyc.simulation.readings import reader_of
from policyc.simulation.state import State


class Miss(NamedTuple):
    """A test that failed: the part of the rule as iptables writes it, the field and the packet's value of it.

    `field` is "" where no single field decides (an ipset, a counter); `value` is then "".
    """

    part: str
    field: str
    value: str

    @property
    def text(self) -> str:
        """What differs, in words: `dport is 8443`."""
        if not self.field:
            return "does not hold"
        if self.value == "none":
            return f"has no {self.field}"
        return f"{self.field} is {self.value}"

    def to_dict(self) -> dict[str, str]:
        """Return its JSON form."""
        return {"test": self.part, "field": self.field, "value": self.value, "text": self.text}


class Misses:
    """Finds the failing tests of rules; a test that many rules share is compiled once."""

    __slots__ = ("_state", "_tests")

    def __init__(self, state: State) -> None:
        self._state = state
        self._tests: dict[tuple[int, Surroundings], tuple[Part, Predicate, Test]] = {}

    def of(self, rule: Rule, packet: Packet) -> tuple[Miss, ...]:
        """Return the tests of a rule that fail, the first first; a condition that nobody can evaluate does not count."""
        around = rule.around(packet.family)
        return tuple(miss for part in rule.parts if (miss := self._of(part, around, packet)) is not None)

    def _of(self, part: Part, around: Surroundings, packet: Packet) -> Miss | None:
        if isinstance(part, Target):
            return None
        key = id(part), around
        known = self._tests.get(key)
        if known is None:
            meaning = part.meaning(around)
            known = self._tests[key] = part, meaning, compiled(meaning, self._state, _unknown)
        _, meaning, test = known
        if test(packet) is not False:
            return None
        field = next(self._failing(meaning, packet, wanted=True), None)
        if field is None:
            return Miss(part.text, "", "")
        reader = reader_of(field, self._state)
        value = None if reader is None else reader(packet)
        return Miss(part.text, field.name, field_text(field, value, packet.family, packet.proto))

    def _failing(self, meaning: Predicate, packet: Packet, *, wanted: bool) -> Iterator[Field]:
        """Yield the fields whose tests keep a predicate from being `wanted`, the first first."""
        if isinstance(meaning, In | Bits):
            yield meaning.field
        elif isinstance(meaning, Not):
            yield from self._failing(meaning.part, packet, wanted=not wanted)
        elif isinstance(meaning, All | Any):
            for part in meaning.parts:
                if compiled(part, self._state, _unknown)(packet) is not wanted:
                    yield from self._failing(part, packet, wanted=wanted)


def _unknown(_: Counter) -> Test:
    return lambda _: None
