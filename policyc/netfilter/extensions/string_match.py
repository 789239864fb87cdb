"""-m string: bytes anywhere in the packet, headers included (net/netfilter/xt_string.c).

Whether a pattern is given as text or in hexadecimal does not matter: iptables-save prints text where every byte is
printable ASCII. Nothing here sees the payload, so the match is opaque.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, Number, choice
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking, written
from policyc.netfilter.predicate import Opaque, Predicate, negate_if

LONGEST = 128  # XT_STRING_MAX_PATTERN_SIZE
_PATTERNS = ("string", "hex-string")


@frozen
class Pattern(Argument):
    """Plain text as bytes."""

    def parse(self, word: str, family: int) -> bytes:  # noqa: ARG002
        """Return the bytes; raise ValueError when there are none or too many."""
        return _fitting(_bytes(word))

    def write(self, value: bytes, family: int) -> str:  # noqa: ARG002
        """Return the text in double quotes."""
        text = value.decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'


@frozen
class HexPattern(Argument):
    """Text with bytes in hexadecimal between bars, `|0d 0a|`; a backslash takes the next character literally."""

    def parse(self, word: str, family: int) -> bytes:  # noqa: ARG002
        """Return the bytes; raise ValueError where the bars or digits do not fit."""
        return _fitting(_unhexed(word))

    def write(self, value: bytes, family: int) -> str:  # noqa: ARG002
        """Return all bytes in hexadecimal."""
        return f'"|{value.hex()}|"'


def _bytes(word: str) -> bytes:
    if "\ufffd" in word:
        raise ValueError("the pattern holds bytes that are not UTF-8; write them with `--hex-string`")
    return word.encode(errors="surrogateescape")


def _fitting(pattern: bytes) -> bytes:
    if not pattern:
        raise ValueError("the pattern is empty")
    if len(pattern) > LONGEST:
        raise ValueError(f"the pattern is {len(pattern)} bytes long, at most {LONGEST} fit in a rule")
    return pattern


def _unhexed(word: str) -> bytes:
    found = bytearray()
    at = 0
    while at < len(word):
        if word[at] == "|":
            end = word.find("|", at + 1)
            if end < 0:
                raise ValueError(f"`{word[at:]}` lacks the bar that ends its hexadecimal digits")
            found += _digits(word[at + 1 : end])
            at = end + 1
            continue
        if word[at] == "\\":
            at += 1
            if at == len(word):
                raise ValueError("a backslash at the end takes nothing literally")
        found += _bytes(word[at])
        at += 1
    return bytes(found)


def _digits(text: str) -> bytes:
    try:
        pattern = bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"`|{text}|` is not pairs of hexadecimal digits") from None
    if not pattern:
        raise ValueError(f"`|{text}|` holds no hexadecimal digits")
    return pattern


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, *_PATTERNS)
    if options.get("from", 0) > options.get("to", 0xFFFF):
        yield f"`--from {options['from']}` lies behind `--to {options['to']}`"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    given = []
    for item in options.without("from", 0).without("to", 0xFFFF).given:
        if item.name in _PATTERNS:
            printable = all(0x20 <= byte < 0x7F for byte in item.value)
            given.append(Given("string" if printable else "hex-string", item.value, item.negated))
        else:
            given.append(item)
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    negated = any(options.negated(name) for name in _PATTERNS)
    positive = Options(tuple(Given(item.name, item.value) for item in options.given if item.name != "algo"))
    return negate_if(negated, Opaque(f"-m string{written(MATCH, positive, around.family)}", fields.IN_PACKET))


MATCH = MatchExtension(
    name="string",
    options=(
        Option("string", Pattern(), negatable=True, excludes=("hex-string",)),
        Option("hex-string", HexPattern(), negatable=True, excludes=("string",)),
        Option("algo", choice("bm", "kmp"), required=True),
        Option("from", Number(0, 0xFFFF)),
        Option("to", Number(0, 0xFFFF)),
        Option("icase"),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
