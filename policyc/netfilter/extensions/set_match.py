"""-m set: membership in an ipset (net/netfilter/xt_set.c, revision 4).

Whether the packet is a member is asked of the host by name and directions. Where the packet lacks what the set is keyed by
(ports of ICMP), it is no member, so that the negated match holds.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, Number, Pair, Word
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import Ask, May, Predicate, all_of, negate_if

MAX_NAME = 31  # IPSET_MAXNAMELEN - 1
MAX_DIRECTIONS = 6  # IPSET_DIM_MAX

_COUNTERS = ("packets-eq", "packets-lt", "packets-gt", "bytes-eq", "bytes-lt", "bytes-gt")
_READS: dict[str, tuple[Field, ...]] = {
    "src": (fields.SRC, fields.SPORT, fields.IIF, fields.PHYSDEV_IN, fields.MAC_SRC),
    "dst": (fields.DST, fields.DPORT, fields.OIF, fields.PHYSDEV_OUT),
}
_READS_ALWAYS: tuple[Field, ...] = (fields.PROTO, fields.ICMP, fields.MARK)


class Directions(Argument):
    """`src` or `dst` for each part of the set's key, at most six, comma-separated."""

    __slots__ = ()

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the word; raise ValueError."""
        parts = word.split(",")
        for part in parts:
            if part not in _READS:
                raise ValueError(f"`{part}` is neither `src` nor `dst`")
        if len(parts) > MAX_DIRECTIONS:
            raise ValueError(f"`{word}` has {len(parts)} directions; a set has at most {MAX_DIRECTIONS}")
        return word


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    for what in ("packets", "bytes"):
        given = [name for name in _COUNTERS if name.startswith(what) and name in options]
        if len(given) > 1:
            yield f"only one of {', '.join(f'`--{name}`' for name in given)} may be given"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Leave out `--update-counters` and `--update-subcounters`, which are the rule; their `!` stays."""
    return options.without("update-counters", None).without("update-subcounters", None)


def _meaning(options: Options, around: Surroundings) -> Predicate:
    name, directions = options["match-set"]
    ways = directions.split(",")
    reads = (*(field for way in _READS if way in ways for field in _READS[way]), *_READS_ALWAYS)
    subject = (name, directions, *(("return-nomatch",) if "return-nomatch" in options else ()))
    test: Predicate = Ask("set", subject, reads)
    if any(counter in options for counter in _COUNTERS):
        test = all_of(test, May(MATCH.spelled(options, around.family)))
    return negate_if(options.negated("match-set"), test)


MATCH = MatchExtension(
    name="set",
    options=(
        Option(
            "match-set",
            Pair(Word(MAX_NAME, "name of the set"), Directions()),
            aliases=("set",),
            negatable=True,
            required=True,
        ),
        Option("return-nomatch"),
        Option("update-counters", negatable=True),
        Option("update-subcounters", negatable=True),
        *(Option(name, Number(high=2**64 - 1), negatable=name.endswith("eq")) for name in _COUNTERS),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
