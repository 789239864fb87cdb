"""-m addrtype: what kind of address the kernel's routing calls the source or destination (net/netfilter/xt_addrtype.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import ChoiceList
from policyc.netfilter.extension import (
    ANYWHERE,
    MatchExtension,
    Option,
    Options,
    Placement,
    Surroundings,
    in_hooks,
    lacking,
)
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Predicate, all_of, negate_if

TYPES = (
    "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW",
    "NAT", "XRESOLVE",
)  # fmt: skip
TYPES_OF_IPV6 = frozenset(("UNSPEC", "UNICAST", "LOCAL", "ANYCAST", "MULTICAST", "UNREACHABLE"))
_ROUTED = frozenset(("LOCAL", "ANYCAST", "UNREACHABLE"))

# By the interface that is asked about: none, the incoming, the outgoing one.
_FIELDS = {
    "": (fields.SRC_TYPE, fields.DST_TYPE),
    "limit-iface-in": (fields.SRC_TYPE_IN, fields.DST_TYPE_IN),
    "limit-iface-out": (fields.SRC_TYPE_OUT, fields.DST_TYPE_OUT),
}


def _check(options: Options, family: int) -> Iterable[str]:
    yield from lacking(options, "src-type", "dst-type")
    if family == 6:
        for item in options.given:
            if item.value:
                unknown = ", ".join(f"`{name}`" for name in TYPES if name in item.value - TYPES_OF_IPV6)
                if unknown:
                    yield f"`--{item.name}`: the kernel does not tell {unknown} addresses of IPv6"


def _placement(options: Options, family: int) -> Placement:  # noqa: ARG001
    if "limit-iface-in" in options:
        why = "`--limit-iface-in` needs a packet that came in by an interface"
        return in_hooks(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, why=why)
    if "limit-iface-out" in options:
        why = "`--limit-iface-out` needs a packet that goes out by an interface"
        return in_hooks(Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING, why=why)
    return ANYWHERE


def _meaning(options: Options, around: Surroundings) -> Predicate:
    limit = next((name for name in _FIELDS if name in options), "")
    tests = (
        negate_if(options.negated(name), _is_one_of(field, options[name], around.family))
        for name, field in zip(("src-type", "dst-type"), _FIELDS[limit], strict=True)
        if name in options
    )
    return all_of(*tests)


def _is_one_of(field: Field, types: frozenset[str], family: int) -> Predicate:
    """Return the test of a list of types.

    An IPv6 address has several types, and of those that its bits tell the kernel wants all, of those that routing tells one.
    """
    if family == 4:
        return In(field, NameSet(types))
    routed = types & _ROUTED
    tests = [In(field, NameSet.of(name)) for name in TYPES if name in types - _ROUTED]
    return all_of(*tests, *((In(field, NameSet(routed)),) if routed else ()))


MATCH = MatchExtension(
    name="addrtype",
    options=(
        Option("src-type", ChoiceList(TYPES, abbreviated=True), negatable=True),
        Option("dst-type", ChoiceList(TYPES, abbreviated=True), negatable=True),
        Option("limit-iface-in", excludes=("limit-iface-out",)),
        Option("limit-iface-out", excludes=("limit-iface-in",)),
    ),
    placement=_placement,
    check=_check,
    meaning=_meaning,
)
