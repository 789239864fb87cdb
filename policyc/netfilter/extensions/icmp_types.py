"""What `-m icmp` and `-m icmp6` share: a type, its codes, their names and their meaning."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.predicate import In, Predicate

_ANY_TYPE = 255
_Value = TypeVar("_Value")


class IcmpType(NamedTuple):
    """A type from 0 to 255 and a range of codes; a type alone has the codes 0 to 255."""

    type: int
    low: int = 0
    high: int = 255

    @property
    def test(self) -> Predicate:
        """The values of the field `icmp` that it stands for."""
        return In(fields.ICMP, IntervalSet.of((self.type * 256 + self.low, self.type * 256 + self.high)))


@frozen
class IcmpTypeArgument(Argument):
    """`TYPE`, `TYPE/CODE`, `TYPE/LOW:HIGH` or a name, which may be abbreviated; type 255 prints as `any_name` if that is set."""

    names: tuple[tuple[str, IcmpType], ...]
    any_name: str = ""

    def parse(self, word: str, family: int) -> IcmpType:  # noqa: ARG002
        """Return the type; raise ValueError for an unknown or ambiguous name or a number over 255."""
        if word[:1].isdecimal():
            number, slash, codes = word.partition("/")
            if not slash:
                return IcmpType(parse_number(number, 0, 255))
            first, colon, last = codes.partition(":")
            low = parse_number(first, 0, 255)
            return IcmpType(parse_number(number, 0, 255), low, parse_number(last, 0, 255) if colon else low)
        named = dict(self.names)
        if self.any_name:
            named[self.any_name] = IcmpType(_ANY_TYPE)
        return named_by(word, named.items())

    def write(self, value: IcmpType, family: int) -> str:  # noqa: ARG002
        """Return the numbers; a range of codes is written out, though iptables-save 1.8.9 prints its first code only."""
        if (value.low, value.high) == (0, 255):
            return self.any_name if self.any_name and value.type == _ANY_TYPE else str(value.type)
        codes = str(value.low) if value.low == value.high else f"{value.low}:{value.high}"
        return f"{value.type}/{codes}"


def named_by(word: str, names: Iterable[tuple[str, _Value]]) -> _Value:
    """Return what a name or its unique beginning stands for, whatever its case; raise ValueError."""
    wanted = word.lower()
    found = {name: value for name, value in names if name.lower().startswith(wanted)} if wanted else {}
    exact = [value for name, value in found.items() if name.lower() == wanted]
    if exact:
        return exact[0]
    if not found:
        raise ValueError(f"`{word}` is neither a number from 0 to 255 nor a known type name")
    if len(set(found.values())) > 1:
        raise ValueError(f"`{word}` may mean {', '.join(f'`{name}`' for name in found)}")
    return next(iter(found.values()))
