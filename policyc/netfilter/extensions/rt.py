"""-m rt: the IPv6 routing header (net/ipv6/netfilter/ip6t_rt.c, RFC 8200 section 4.4; type 0 is RFC 5095's deprecated one)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.addresses import format_address, parse_address
from policyc.netfilter.arguments import Argument, Number, NumberRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.header_details import detail, has_extension_header
from policyc.netfilter.predicate import Opaque, Predicate, all_of

MOST_ADDRESSES = 16  # IP6T_RT_HOPS
ALL_SEGMENTS = (0, 0xFFFFFFFF)


@frozen
class AddressList(Argument):
    """Comma-separated addresses, as a tuple of integers in their order."""

    def parse(self, word: str, family: int) -> tuple[int, ...]:
        """Return the addresses; raise ValueError for one that is none, or for more than MOST_ADDRESSES."""
        found = tuple(parse_address(part, family) for part in word.split(","))
        if len(found) > MOST_ADDRESSES:
            raise ValueError(f"{len(found)} addresses are too many: a rule holds {MOST_ADDRESSES}")
        return found

    def write(self, value: tuple[int, ...], family: int) -> str:
        """Return the list."""
        return ",".join(format_address(address, family) for address in value)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    if options.get("rt-type") != 0 or options.negated("rt-type"):
        yield from (f"`--{name}` needs `--rt-type 0`" for name in ("rt-0-res", "rt-0-addrs") if name in options)


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("rt-segsleft", ALL_SEGMENTS)


def _meaning(options: Options, around: Surroundings) -> Predicate:
    tests = [has_extension_header("route")]
    for item in options.given:
        if item.name == "rt-0-addrs" and "rt-0-not-strict" in options:
            listed = AddressList().write(item.value, around.family)
            tests.append(Opaque(f"-m rt --rt-0-addrs {listed} --rt-0-not-strict", ()))
        elif item.name != "rt-0-not-strict":
            tests.append(detail(MATCH, item, around.family))
    return all_of(*tests)


MATCH = MatchExtension(
    name="rt",
    options=(
        Option("rt-type", Number(), negatable=True),
        Option("rt-segsleft", NumberRange(), negatable=True),
        Option("rt-len", Number(), negatable=True),
        Option("rt-0-res"),
        Option("rt-0-addrs", AddressList()),
        Option("rt-0-not-strict", needs=("rt-0-addrs",)),
    ),
    families=(6,),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
