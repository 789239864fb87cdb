"""What `-m hbh` and `-m dst` share: the two IPv6 headers that carry options (net/ipv6/netfilter/ip6t_hbh.c, RFC 8200)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Number, parse_number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.header_details import detail, has_extension_header
from policyc.netfilter.predicate import Predicate, all_of

MOST_OPTIONS = 16  # IP6T_OPTS_OPTSNR
ANY_LENGTH = 255


@frozen
class OptionList(Argument):
    """`TYPE[:LENGTH],…` as a tuple of (type, length) in their order; length 255 stands for any and is not printed."""

    def parse(self, word: str, family: int) -> tuple[tuple[int, int], ...]:  # noqa: ARG002
        """Return the options; raise ValueError for a number over 255, a length of Pad1, or more than MOST_OPTIONS."""
        found: list[tuple[int, int]] = []
        for part in word.split(","):
            number, colon, length = part.partition(":")
            kind = parse_number(number, 0, 255)
            if colon and kind == 0:
                raise ValueError(f"`{part}`: option 0 is one byte of padding and has no length")
            found.append((kind, parse_number(length, 0, 255) if colon else ANY_LENGTH))
        if len(found) > MOST_OPTIONS:
            raise ValueError(f"{len(found)} options are too many: a rule holds {MOST_OPTIONS}")
        return tuple(found)

    def write(self, value: tuple[tuple[int, int], ...], family: int) -> str:  # noqa: ARG002
        """Return the list."""
        return ",".join(str(kind) if length == ANY_LENGTH else f"{kind}:{length}" for kind, length in value)


def options_header_match(name: str, header: str) -> MatchExtension:
    """Return the match of that name, with which its options begin; `header` is what the field `v6.headers` calls it."""

    def meaning(options: Options, around: Surroundings) -> Predicate:
        return all_of(has_extension_header(header), *(detail(match, item, around.family) for item in options.given))

    match = MatchExtension(
        name=name,
        options=(Option(f"{name}-len", Number(), negatable=True), Option(f"{name}-opts", OptionList())),
        families=(6,),
        meaning=meaning,
    )
    return match
