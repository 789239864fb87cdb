"""-m ecn: explicit congestion notification in the IP and TCP headers (net/netfilter/xt_ecn.c, RFC 3168)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import Bits, Predicate, all_of, negate_if

_TCP_BITS = {"ecn-tcp-ece": 64, "ecn-tcp-cwr": 128}


def _protocols(options: Options) -> frozenset[int] | None:
    return frozenset((TCP,)) if any(name in options for name in _TCP_BITS) else None


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *_TCP_BITS, "ecn-ip-ect")


def _test(item: Given) -> Predicate:
    if item.name == "ecn-ip-ect":
        return negate_if(item.negated, Bits(fields.TOS, 3, item.value))
    bit = _TCP_BITS[item.name]
    return all_of(has_header(TCP), negate_if(item.negated, Bits(fields.TCP_FLAGS, bit, bit)))


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return all_of(*map(_test, options.given))


MATCH = MatchExtension(
    name="ecn",
    options=(
        Option("ecn-tcp-ece", negatable=True),
        Option("ecn-tcp-cwr", negatable=True),
        Option("ecn-ip-ect", Number(0, 3), negatable=True),
    ),
    protocols_for=_protocols,
    check=_check,
    meaning=_meaning,
)
