"""What a family's table declares beside its chains: sets of constants, sets that rules fill, limits, shared subroutines.

One for each family, filled while rules are written. Sets of constants are shared by all rules that test for the same
values: the kernel checks thousands of anonymous sets a hundred times slower than their rules.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

SHORT = 4  # elements
MANY = 256  # sets; loading them takes the kernel a millisecond each


@dataclass(slots=True)
class Declared:
    """The declarations of one table, in the order in which rules came to need them."""

    family: int
    objects: dict[str, list[str]] = field(default_factory=dict)
    sets: dict[str, list[str]] = field(default_factory=dict)
    chains: dict[str, list[str]] = field(default_factory=dict)
    _constants: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    _numbers: Counter[str] = field(default_factory=Counter)

    @property
    def address(self) -> str:
        """The type of the family's addresses."""
        return "ipv4_addr" if self.family == 4 else "ipv6_addr"

    @property
    def ip(self) -> str:
        """The word for the family's header."""
        return "ip" if self.family == 4 else "ip6"

    def constants(self, kind: str, of_type: str, elements: Iterable[str]) -> str:
        """Return `@NAME` of the set that holds these values for ever; `kind` begins its name."""
        given = tuple(elements)
        name = self._constants.get((of_type, given))
        if name is None:
            self._numbers[kind] += 1
            name = self._constants[of_type, given] = f"{kind}/{self._numbers[kind]}"
            ranges = any("-" in one or "/" in one for one in given)
            self.sets[name] = set_lines(of_type, ["constant", *["interval"] * ranges], elements=given)
        return f"@{name}"

    def wants_set(self, of_type: str, elements: Sequence[str]) -> bool:
        """Whether a list is to become a set: beyond MANY of them a short one that no other rule has costs less as rules."""
        return len(elements) > SHORT or len(self._constants) < MANY or (of_type, tuple(elements)) in self._constants

    def filled(self, name: str, lines: list[str]) -> str:
        """Return `@NAME` of a set that has memory, declared once."""
        self.sets.setdefault(name, lines)
        return f"@{name}"

    def subroutine(self, name: str, lines: Iterable[str]) -> str:
        """Return the name of a chain that rules jump to for what it does; its lines are made once."""
        if name not in self.chains:
            self.chains[name] = list(lines)
        return name


def set_lines(
    of_type: str, flags: Sequence[str], settings: Sequence[str] = (), elements: Sequence[str] = ()
) -> list[str]:
    """Return what stands between the braces of a set."""
    lines = [f"type {of_type}", *([f"flags {','.join(flags)}"] if flags else []), *settings]
    if len(elements) == 1:
        lines.append(f"elements = {{ {elements[0]} }}")
    elif elements:
        lines += ["elements = {", *(f"  {one}," for one in elements[:-1]), f"  {elements[-1]}", "}"]
    return lines
