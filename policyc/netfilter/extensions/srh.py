"""-m srh: the IPv6 segment routing header (net/ipv6/netfilter/ip6t_srh.c, RFC 8754)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter.arguments import Number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.header_details import detail, has_extension_header
from policyc.netfilter.extensions.masked_address import MaskedAddressArgument
from policyc.netfilter.predicate import Opaque, Predicate, all_of

_COMPARED = ("srh-hdr-len", "srh-segs-left", "srh-last-entry")


def _compared(name: str) -> tuple[Option, ...]:
    return tuple(Option(f"{name}-{how}", Number(0, 255), negatable=True) for how in ("eq", "gt", "lt"))


def _segment(name: str) -> Option:
    return Option(name, MaskedAddressArgument(bare_host=False), negatable=True)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    for name in _COMPARED:  # struct ip6t_srh has one number for all three comparisons: the last would win
        if len({item.value for item in options.given if item.name.startswith(f"{name}-")}) > 1:
            yield f"`--{name}-eq`, `-gt` and `-lt` of one rule share one number in the kernel and cannot differ"


def _meaning(options: Options, around: Surroundings) -> Predicate:
    is_segment_routing = Opaque("-m srh", ())  # a routing header of another type is none
    tests = (detail(MATCH, item, around.family) for item in options.given)
    return all_of(has_extension_header("route"), is_segment_routing, *tests)


MATCH = MatchExtension(
    name="srh",
    options=(
        Option("srh-next-hdr", Number(0, 255), negatable=True),
        *(option for name in _COMPARED for option in _compared(name)),
        Option("srh-tag", Number(0, 0xFFFF), negatable=True),
        _segment("srh-psid"),
        _segment("srh-nsid"),
        _segment("srh-lsid"),
    ),
    families=(6,),
    check=_check,
    meaning=_meaning,
)
