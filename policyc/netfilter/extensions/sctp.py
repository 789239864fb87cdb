"""-m sctp: ports and chunks of SCTP (net/netfilter/xt_sctp.c, RFC 9260).

A packet has a set of chunk types. The flags of a chunk are no field of the model: a test of them is opaque.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from policyc.frozen import frozen
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import SCTP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.ports import DESTINATION_PORT, SOURCE_PORT, has_header, port_tests
from policyc.netfilter.predicate import In, Opaque, Predicate, all_of, any_of, negate, negate_if

# Types by number (IANA, SCTP chunk types), in the order in which iptables-save prints them.
TYPES = {
    "DATA": 0, "INIT": 1, "INIT_ACK": 2, "SACK": 3, "HEARTBEAT": 4, "HEARTBEAT_ACK": 5, "ABORT": 6, "SHUTDOWN": 7,
    "SHUTDOWN_ACK": 8, "ERROR": 9, "COOKIE_ECHO": 10, "COOKIE_ACK": 11, "ECN_ECNE": 12, "ECN_CWR": 13,
    "SHUTDOWN_COMPLETE": 14, "I_DATA": 64, "ASCONF_ACK": 128, "RE_CONFIG": 130, "PAD": 132, "FORWARD_TSN": 192,
    "ASCONF": 193, "I_FORWARD_TSN": 194,
}  # fmt: skip
_NAMES = {number: name for name, number in TYPES.items()}
_DATA_FLAGS = {"I": 8, "U": 4, "B": 2, "E": 1}
FLAGS = {"DATA": _DATA_FLAGS, "I_DATA": _DATA_FLAGS, "ABORT": {"T": 1}, "SHUTDOWN_COMPLETE": {"T": 1}}
MODES = ("all", "any", "only")
_EVERY_TYPE = IntervalSet.of((0, 255))


class Chunk(NamedTuple):
    """A chunk type, and which of its flags (`mask`) must have which values."""

    type: int
    mask: int = 0
    flags: int = 0

    def __str__(self) -> str:
        name = _NAMES[self.type]
        letters = "".join(
            letter if self.flags & bit else letter.lower()
            for letter, bit in FLAGS.get(name, {}).items()
            if self.mask & bit
        )
        return f"{name}:{letters}" if letters else name


class ChunkTest(NamedTuple):
    """What `--chunk-types` asks for: `mode` of MODES; `chunks` None stands for ALL, () for NONE."""

    mode: str
    chunks: tuple[Chunk, ...] | None


@frozen
class Chunks(Argument):
    """`all|any|only TYPE[:FLAGS],…` as a ChunkTest."""

    words: ClassVar[int] = 2

    def read(self, words: Sequence[str], family: int) -> ChunkTest:  # noqa: ARG002
        """Return the test; raise ValueError for an unknown mode, type or flag."""
        mode = words[0].lower()
        if mode not in MODES:
            raise ValueError(f"`{words[0]}` is none of {', '.join(MODES)}")
        if words[1].upper() in {"ALL", "NONE"}:
            return ChunkTest(mode, None if words[1].upper() == "ALL" else ())
        chunks: dict[int, Chunk] = {}
        for part in words[1].split(","):
            chunk = _chunk(part)
            seen = chunks.get(chunk.type, chunk)
            chunks[chunk.type] = Chunk(chunk.type, chunk.mask | seen.mask, chunk.flags | seen.flags)
        return ChunkTest(mode, tuple(chunks[number] for number in sorted(chunks)))

    def write(self, value: ChunkTest, family: int) -> str:  # noqa: ARG002
        """Return both words."""
        if value.chunks is None:
            return f"{value.mode} ALL"
        return f"{value.mode} {','.join(map(str, value.chunks)) or 'NONE'}"


def _chunk(text: str) -> Chunk:
    name, _, letters = text.partition(":")
    number = TYPES.get(name.upper())
    if number is None:
        raise ValueError(f"`{name}` is none of the SCTP chunk types {', '.join(TYPES)}")
    mask = flags = 0
    for letter in letters:
        bit = FLAGS.get(name.upper(), {}).get(letter.upper())
        if bit is None:
            raise ValueError(f"`{letter}` in `{text}` is no flag of {name.upper()} chunks")
        mask |= bit
        flags |= bit if letter.isupper() else 0
    return Chunk(number, mask, flags)


def _has(chunk: Chunk) -> Predicate:
    present = In(fields.SCTP_CHUNKS, IntervalSet.of(chunk.type))
    return all_of(present, Opaque(f"-m sctp --chunk-types any {chunk}", ())) if chunk.mask else present


def _lacks_others(chunk: Chunk) -> Predicate:
    """Return "every chunk of that type has the flags"."""
    absent = negate(In(fields.SCTP_CHUNKS, IntervalSet.of(chunk.type)))
    return any_of(absent, Opaque(f"-m sctp --chunk-types only {chunk}", ()))


def _chunk_test(test: ChunkTest) -> Predicate:
    if test.mode == "only":
        types = _EVERY_TYPE if test.chunks is None else IntervalSet.of(*(chunk.type for chunk in test.chunks))
        others = In(fields.SCTP_CHUNKS, types.complement(255))
        return all_of(negate(others), *(_lacks_others(chunk) for chunk in test.chunks or () if chunk.mask))
    chunks = tuple(Chunk(number) for number in range(256)) if test.chunks is None else test.chunks
    if test.mode == "all":
        return all_of(*map(_has, chunks))
    plain = IntervalSet.of(*(chunk.type for chunk in chunks if not chunk.mask))
    return any_of(In(fields.SCTP_CHUNKS, plain), *(_has(chunk) for chunk in chunks if chunk.mask))


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    tests = [has_header(SCTP), port_tests(options)]
    if "chunk-types" in options:
        # The kernel drops a packet that ends before its first chunk, whatever is asked of the chunks (match_packet).
        tests.append(In(fields.SCTP_CHUNKS, _EVERY_TYPE))
        tests.append(negate_if(options.negated("chunk-types"), _chunk_test(options["chunk-types"])))
    return all_of(*tests)


MATCH = MatchExtension(
    name="sctp",
    options=(SOURCE_PORT, DESTINATION_PORT, Option("chunk-types", Chunks(), negatable=True)),
    protocols=frozenset((SCTP,)),
    meaning=_meaning,
)
