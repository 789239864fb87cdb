"""-m frag: the IPv6 fragment header (net/ipv6/netfilter/ip6t_frag.c, RFC 8200 section 4.5).

Where connection tracking is on, fragments have been put together before any rule sees them.
"""

from __future__ import annotations

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, NumberRange
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.header_details import detail, has_extension_header
from policyc.netfilter.predicate import ALWAYS, In, Opaque, Predicate, all_of, any_of, negate

ALL_IDS = (0, 0xFFFFFFFF)
_LATER = In(fields.FRAG, NameSet.of("later"))
# A first fragment always has others behind it, a whole packet under a fragment header (RFC 6946) never; of a later one
# nothing tells.
_MORE = any_of(In(fields.FRAG, NameSet.of("first")), all_of(_LATER, Opaque("-m frag --fragmore", ())))


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options.without("fragid", ALL_IDS)


def _test(item: Given, family: int) -> Predicate:
    if item.name == "fraglen":
        return ALWAYS  # not looked at since Linux 2.6.10
    if item.name == "fragfirst":
        return negate(_LATER)
    if item.name in {"fragmore", "fraglast"}:
        return _MORE if item.name == "fragmore" else negate(_MORE)
    return detail(MATCH, item, family)


def _meaning(options: Options, around: Surroundings) -> Predicate:
    return all_of(has_extension_header("frag"), *(_test(item, around.family) for item in options.given))


MATCH = MatchExtension(
    name="frag",
    options=(
        Option("fragid", NumberRange(), negatable=True),
        Option("fraglen", Number(), negatable=True),
        Option("fragres"),
        Option("fragfirst"),
        Option("fragmore", excludes=("fraglast",)),
        Option("fraglast", excludes=("fragmore",)),
    ),
    families=(6,),
    normalise=_normalise,
    meaning=_meaning,
)
