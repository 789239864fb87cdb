"""How an option's words become a value and a value becomes words: the argument kinds that extensions declare.

`read` raises ValueError with a message for people (lower case, no final period, the word in backticks); `write` gives the
spelling of iptables-save.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from policyc.frozen import frozen
from policyc.net.protocols import format_protocol, parse_protocol
from policyc.net.services import port_of
from policyc.netfilter.hooks import MAX_INTERFACE_NAME
from policyc.netfilter.quoting import has_control_character, quote_word, save_string


class Argument:
    """One kind of argument; subclasses read one word with `parse`, or set `words` and override `read`."""

    __slots__ = ()
    words: ClassVar[int] = 1

    def read(self, words: Sequence[str], family: int) -> Any:
        """Return the value of the words; raise ValueError."""
        return self.parse(words[0], family)

    def parse(self, word: str, family: int) -> Any:
        """Return the value of one word; raise ValueError."""
        raise NotImplementedError

    def write(self, value: Any, family: int) -> str:  # noqa: ARG002
        """Return the value as iptables-save spells it."""
        return str(value)


def parse_number(word: str, low: int, high: int) -> int:
    """Return a decimal, 0x hexadecimal or 0 octal number as strtoul(3) with base 0 reads it; raise ValueError."""
    try:
        if not word.isascii() or not word.isalnum():
            raise ValueError
        octal = len(word) > 1 and word.isdecimal() and word[0] == "0"
        number = int(word, 8 if octal else 0)
    except ValueError:
        raise ValueError(f"`{word}` is not a number from {low} to {high}") from None
    if not low <= number <= high:
        raise ValueError(f"`{word}` is not between {low} and {high}")
    return number


@frozen
class Number(Argument):
    """A number; `form` is how it is printed: `d`, `#x` (0x1f), `#04x` and so on."""

    low: int = 0
    high: int = 0xFFFFFFFF
    form: str = "d"

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the number; raise ValueError outside its range."""
        return parse_number(word, self.low, self.high)

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the number in its form."""
        return format(value, self.form)


@frozen
class NumberRange(Argument):
    """`N`, `N:M`, `:M`, `N:` as (low, high); printed as one number when both are equal, unless `always_both`."""

    low: int = 0
    high: int = 0xFFFFFFFF
    separator: str = ":"
    always_both: bool = False
    open_ends: bool = True

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both ends; raise ValueError when they are out of range or out of order."""
        first, mark, last = word.partition(self.separator)
        if not mark:
            number = parse_number(first, self.low, self.high)
            return number, number
        if not self.open_ends and not (first and last):
            raise ValueError(f"`{word}` lacks one end of the range")
        low = parse_number(first, self.low, self.high) if first else self.low
        high = parse_number(last, self.low, self.high) if last else self.high
        if low > high:
            raise ValueError(f"the range `{word}` runs backwards")
        return low, high

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `N` or `N:M`."""
        low, high = value
        return str(low) if low == high and not self.always_both else f"{low}{self.separator}{high}"


@frozen
class PortRange(Argument):
    """A port or port range, service names allowed, as (low, high)."""

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both ends; raise ValueError for an unknown name, a number over 65535 or a backward range."""
        first, mark, last = word.partition(":")
        if not mark:
            number = port_of(first)
            return number, number
        low = port_of(first) if first else 0
        high = port_of(last) if last else 65535
        if low > high:
            raise ValueError(f"the port range `{word}` runs backwards")
        return low, high

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `N` or `N:M`."""
        low, high = value
        return str(low) if low == high else f"{low}:{high}"


@frozen
class Port(Argument):
    """One port from 0 to 65535, by number or service name."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the port; raise ValueError."""
        return port_of(word)


@frozen
class MaskedNumber(Argument):
    """`VALUE[/MASK]` as (value, mask), in hexadecimal; a full mask is left out when printed, unless `always_mask`."""

    bits: int = 32
    always_mask: bool = False

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return value and mask; raise ValueError when one does not fit in the bits."""
        first, mark, last = word.partition("/")
        full = (1 << self.bits) - 1
        return parse_number(first, 0, full), parse_number(last, 0, full) if mark else full

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `0xV` or `0xV/0xM`."""
        number, mask = value
        if mask == (1 << self.bits) - 1 and not self.always_mask:
            return f"{number:#x}"
        return f"{number:#x}/{mask:#x}"


@frozen
class Choice(Argument):
    """One of a few words; `spellings` maps what is read to what is kept and printed. Case counts unless `fold`."""

    spellings: Mapping[str, str]
    fold: bool = False

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the canonical word; raise ValueError with the words that fit."""
        table = {k.lower(): v for k, v in self.spellings.items()} if self.fold else self.spellings
        found = table.get(word.lower() if self.fold else word)
        if found is None:
            raise ValueError(f"`{word}` is none of {', '.join(dict.fromkeys(self.spellings.values()))}")
        return found

    def __hash__(self) -> int:
        return hash(tuple(self.spellings.items()))


def choice(*words: str, fold: bool = False) -> Choice:
    """Return the argument that takes one of these words."""
    return Choice({word: word for word in words}, fold)


@frozen
class ChoiceList(Argument):
    """Comma-separated words out of a few, as a frozenset, printed in the order of `names`.

    `abbreviated`: any beginning of a name, in any case, stands for the first name that has it.
    """

    names: tuple[str, ...]
    fold: bool = False
    abbreviated: bool = False

    def parse(self, word: str, family: int) -> frozenset[str]:  # noqa: ARG002
        """Return the words; raise ValueError for an unknown one or an empty list."""
        known = {name.lower(): name for name in self.names} if self.fold else {name: name for name in self.names}
        found = set()
        for part in word.split(","):
            name = known.get(part.lower() if self.fold else part)
            if name is None and self.abbreviated and part:
                name = next((whole for whole in self.names if whole.startswith(part.upper())), None)
            if name is None:
                raise ValueError(f"`{part}` is none of {', '.join(self.names)}")
            found.add(name)
        return frozenset(found)

    def write(self, value: frozenset[str], family: int) -> str:  # noqa: ARG002
        """Return the words in canonical order."""
        return ",".join(name for name in self.names if name in value)


class TooLongError(ValueError):
    """A text is longer than the kernel keeps; iptables would cut it without a word."""


@frozen
class Text(Argument):
    """Free text of `shortest` to `longest` bytes, without control characters; quoted as iptables-save does."""

    longest: int = 255
    what: str = "text"
    shortest: int = 0

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the text; raise ValueError when it is too long, empty or holds a control character."""
        if has_control_character(word):
            raise ValueError(f"the {self.what} holds a line end or control character")
        size = len(word.encode(errors="surrogateescape"))
        if size < self.shortest:
            raise ValueError(f"the {self.what} is empty")
        if size > self.longest:
            raise TooLongError(f"the {self.what} is {size} bytes long, at most {self.longest} are kept")
        return word

    def write(self, value: str, family: int) -> str:  # noqa: ARG002
        """Return the text, quoted where it needs to be."""
        return save_string(value)


@frozen
class Word(Argument):
    """A name of at most `longest` bytes that is printed bare (ipset, helper, label, class …)."""

    longest: int = 31
    what: str = "name"

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the word; raise ValueError when it is empty, too long or holds a control character."""
        if not word:
            raise ValueError(f"the {self.what} is empty")
        if has_control_character(word):
            raise ValueError(f"the {self.what} holds a line end or control character")
        if len(word.encode(errors="surrogateescape")) > self.longest:
            raise ValueError(f"the {self.what} `{word}` is longer than {self.longest} characters")
        return word

    def write(self, value: str, family: int) -> str:  # noqa: ARG002
        """Return the word."""
        return quote_word(value)


@frozen
class Interface(Argument):
    """An interface name or `PREFIX+`, at most 15 characters."""

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the pattern; raise ValueError when it cannot be an interface name."""
        return interface_name(word)

    def write(self, value: str, family: int) -> str:  # noqa: ARG002
        """Return the pattern."""
        return quote_word(value)


def interface_name(word: str) -> str:
    """Return an interface name or pattern; raise ValueError when the kernel would not take it.

    Source: dev_valid_name in net/core/dev.c: no `/`, no blank, not `.` or `..`, at most 15 bytes.
    """
    if not word:
        raise ValueError("an interface name is empty")
    if has_control_character(word):
        raise ValueError("an interface name holds a line end or control character")
    if len(word.encode(errors="surrogateescape")) > MAX_INTERFACE_NAME:
        raise ValueError(f"the interface name `{word}` is longer than {MAX_INTERFACE_NAME} characters")
    return word


@frozen
class MacAddress(Argument):
    """Six bytes in hexadecimal with colons, as an integer."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the address; raise ValueError."""
        parts = word.split(":")
        try:
            if len(parts) != 6 or not all(0 < len(part) <= 2 for part in parts):
                raise ValueError
            return int("".join(part.zfill(2) for part in parts), 16)
        except ValueError:
            raise ValueError(f"`{word}` is not a MAC address such as 02:00:5e:10:00:01") from None

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the address as iptables-save does, in lower case."""
        return ":".join(f"{(value >> shift) & 255:02x}" for shift in range(40, -8, -8))


@frozen
class Protocol(Argument):
    """A protocol by name or number; `numeric` prints the number always."""

    numeric: bool = False
    low: int = 0

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the number; raise ValueError."""
        number = parse_protocol(word)
        if number < self.low:
            raise ValueError(f"the protocol `{word}` stands for all protocols, which cannot be tested here")
        return number

    def write(self, value: int, family: int) -> str:  # noqa: ARG002
        """Return the name that iptables-save prints, or the number."""
        return str(value) if self.numeric else format_protocol(value)


@frozen
class Pair(Argument):
    """Two words, such as `--match-set NAME DIRECTIONS`; the value is a tuple of both values."""

    first: Argument
    second: Argument
    words: ClassVar[int] = 2

    def read(self, words: Sequence[str], family: int) -> tuple[Any, Any]:
        """Return both values; raise ValueError."""
        return self.first.parse(words[0], family), self.second.parse(words[1], family)

    def write(self, value: tuple[Any, Any], family: int) -> str:
        """Return both words."""
        return f"{self.first.write(value[0], family)} {self.second.write(value[1], family)}"
