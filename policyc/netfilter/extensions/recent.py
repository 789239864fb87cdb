"""-m recent: a list of addresses seen, kept by the rules themselves (net/netfilter/xt_recent.c).

`--set` always matches and records even when a later match of the rule fails; `! --set` records and never matches.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.addresses import ALL_ONES
from policyc.netfilter import fields
from policyc.netfilter.address_arguments import Address
from policyc.netfilter.arguments import Number, Word
from policyc.netfilter.counters import RecentList
from policyc.netfilter.effect import Effect, Record
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking
from policyc.netfilter.predicate import ALWAYS, May, Predicate, negate_if

ACTIONS = ("set", "rcheck", "update", "remove")
MAX_HITS = 65535  # XT_RECENT_MAX_NSTAMPS - 1


@frozen
class ListName(Word):
    """The name of a list, which is a file of /proc/net/xt_recent."""

    def parse(self, word: str, family: int) -> str:
        """Return the name; raise ValueError where it cannot be a file's."""
        if word in {".", ".."} or "/" in word:
            raise ValueError(f"the {self.what} `{word}` cannot be the name of a file of /proc/net/xt_recent")
        return Word.parse(self, word, family)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, *ACTIONS)
    for action in ("set", "remove"):
        if action in options:
            for name in ("seconds", "hitcount", "rttl"):
                if name in options:
                    yield f"`--{name}` needs `--rcheck` or `--update`; `--{action}` takes no condition"


def _normalise(options: Options, family: int) -> Options:
    given = list(options.without("hitcount", 0).given)
    if "name" not in options:
        given.append(Given("name", "DEFAULT"))
    if "mask" not in options:
        given.append(Given("mask", ALL_ONES[family]))
    if "rdest" not in options and "rsource" not in options:
        given.append(Given("rsource"))
    return Options(tuple(given))


def _action(options: Options) -> str:
    for action in ACTIONS:
        if action in options:
            return action
    raise KeyError(ACTIONS[0])


def _list(options: Options) -> RecentList:
    return RecentList(
        name=options["name"],
        action=_action(options),
        side=fields.DST if "rdest" in options else fields.SRC,
        mask=options["mask"],
        seconds=options.get("seconds", 0),
        hits=options.get("hitcount", 0),
        same_ttl="rttl" in options,
        reap="reap" in options,
    )


def _meaning(options: Options, around: Surroundings) -> Predicate:
    counter = _list(options)
    if counter.action == "set":
        return negate_if(options.negated("set"), ALWAYS)
    may = May(MATCH.spelled(options, around.family), counter)
    return negate_if(options.negated(counter.action), may)


def _side_effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Record(_list(options)),) if "set" in options else ()


MATCH = MatchExtension(
    name="recent",
    options=(
        *(
            Option(action, negatable=True, excludes=tuple(other for other in ACTIONS if other != action))
            for action in ACTIONS
        ),
        Option("seconds", Number(low=1)),
        Option("reap", needs=("seconds",)),
        Option("hitcount", Number(high=MAX_HITS)),
        Option("rttl"),
        Option("name", ListName(199, "name of the list")),  # XT_RECENT_NAME_LEN is 200
        Option("mask", Address()),
        Option("rsource", excludes=("rdest",)),
        Option("rdest", excludes=("rsource",)),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
    side_effects=_side_effects,
)
