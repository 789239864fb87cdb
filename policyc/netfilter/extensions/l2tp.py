"""-m l2tp: tunnel and session of L2TP, over IP or UDP (net/netfilter/xt_l2tp.c, include/uapi/linux/netfilter/xt_l2tp.h).

No field of the model shows tunnel and session ids, so that the test is opaque beyond the protocols that can carry L2TP.
iptables 1.8.9 as Debian builds it cannot load the match; a dump of a host whose iptables has it is read and printed.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.intervals import IntervalSet
from policyc.net.protocols import L2TP, UDP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number, choice
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import In, Opaque, Predicate, all_of


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    # xt_l2tp.c, l2tp_mt_check: something must be asked, and control packets have no session.
    if not options.given:
        yield "`l2tp` needs `--tid`, `--sid`, `--pversion` or `--type`"
    if "sid" in options and options.get("type") == "control":
        yield "`--sid` asks for a session, which control packets do not have"


def _meaning(options: Options, around: Surroundings) -> Predicate:
    text = MATCH.text(options, around.family)
    return all_of(In(fields.PROTO, IntervalSet.of(UDP, L2TP)), Opaque(f"-m l2tp{text}"))


MATCH = MatchExtension(
    name="l2tp",
    options=(
        Option("tid", Number()),
        Option("sid", Number()),
        Option("pversion", Number(2, 3)),
        Option("type", choice("control", "data")),
    ),
    protocols=frozenset((UDP, L2TP)),
    check=_check,
    meaning=_meaning,
)
