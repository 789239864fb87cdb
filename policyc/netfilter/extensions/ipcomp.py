"""-m ipcomp: the parameter index of compressed packets (net/netfilter/xt_ipcomp.c, RFC 3173)."""

from __future__ import annotations

from policyc.net.protocols import IPCOMP
from policyc.netfilter.arguments import NumberRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.header_details import detail
from policyc.netfilter.extensions.ports import has_header
from policyc.netfilter.predicate import NEVER, Predicate, all_of

ALL_INDEXES = (0, 0xFFFFFFFF)


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    # Without the option iptables tests for index 0 and says so when it saves. The full range stays: left out, as
    # iptables-save 1.8.9 does, it would come back as index 0.
    return options if "ipcompspi" in options else options.with_values(ipcompspi=(0, 0))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    tests = [has_header(IPCOMP)]
    for item in options.given:
        if item.name == "ipcompspi" and item.value == ALL_INDEXES:
            tests.extend([NEVER] if item.negated else [])
        elif item.name == "ipcompspi":  # the kernel does not look at what `--compres` asks for
            tests.append(detail(MATCH, item, around.family))
    return all_of(*tests)


MATCH = MatchExtension(
    name="ipcomp",
    options=(Option("ipcompspi", NumberRange(), negatable=True), Option("compres")),
    protocols=frozenset((IPCOMP,)),
    normalise=_normalise,
    meaning=_meaning,
)
