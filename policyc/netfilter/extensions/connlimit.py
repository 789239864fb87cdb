"""-m connlimit: how many connections one address or network has (net/netfilter/xt_connlimit.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.addresses import WIDTH
from policyc.netfilter import fields
from policyc.netfilter.address_arguments import PrefixLength
from policyc.netfilter.arguments import Number
from policyc.netfilter.counters import ConnectionCount
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.predicate import May, Predicate


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "connlimit-upto", "connlimit-above")


def _normalise(options: Options, family: int) -> Options:
    """Write `! --connlimit-upto` as `--connlimit-above` and the reverse, and put in the mask and the side."""
    opposite = {"connlimit-upto": "connlimit-above", "connlimit-above": "connlimit-upto"}
    given = [
        Given(opposite[item.name], item.value) if item.negated and item.name in opposite else item
        for item in options.given
    ]
    if "connlimit-mask" not in options:
        given.append(Given("connlimit-mask", WIDTH[family]))
    if "connlimit-daddr" not in options and "connlimit-saddr" not in options:
        given.append(Given("connlimit-saddr"))
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    above = "connlimit-above" in options
    counter = ConnectionCount(
        most=options["connlimit-above" if above else "connlimit-upto"],
        above=above,
        side=fields.DST if "connlimit-daddr" in options else fields.SRC,
        mask=options["connlimit-mask"],
    )
    return May(MATCH.spelled(options, around.family), counter)


MATCH = MatchExtension(
    name="connlimit",
    options=(
        Option("connlimit-upto", Number(), negatable=True, excludes=("connlimit-above",)),
        Option("connlimit-above", Number(), negatable=True, excludes=("connlimit-upto",)),
        Option("connlimit-mask", PrefixLength()),
        Option("connlimit-saddr", excludes=("connlimit-daddr",)),
        Option("connlimit-daddr", excludes=("connlimit-saddr",)),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
