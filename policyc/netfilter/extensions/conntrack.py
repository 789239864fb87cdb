"""-m conntrack: the state and the entry of the packet's connection (net/netfilter/xt_conntrack.c, revision 3).

Without an entry the kernel evaluates `--ctstate` alone and ignores what else the match tests; without `--ctstate` such a
packet does not match, not even `! --ctorigsrc`. Measured on Linux 6.18.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.addresses import Network
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.address_arguments import MaskedAddress
from policyc.netfilter.arguments import Argument, ChoiceList, NumberRange, PortRange, Protocol, choice
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.connection import ENTRY_STATES, HAS_ENTRY, STATES, in_states, states_of
from policyc.netfilter.fields import Field
from policyc.netfilter.predicate import ALWAYS, NEVER, Bits, In, Predicate, all_of, any_of, negate_if

STATUS_BITS = {"EXPECTED": 1, "SEEN_REPLY": 2, "ASSURED": 4, "CONFIRMED": 8}  # enum ip_conntrack_status
TRANSLATED_BITS = {"SNAT": 16, "DNAT": 32}

_ADDRESSES: dict[str, Field] = {
    "ctorigsrc": fields.CT_ORIG_SRC,
    "ctorigdst": fields.CT_ORIG_DST,
    "ctreplsrc": fields.CT_REPLY_SRC,
    "ctrepldst": fields.CT_REPLY_DST,
}
_NUMBERS: dict[str, Field] = {
    "ctorigsrcport": fields.CT_ORIG_SPORT,
    "ctorigdstport": fields.CT_ORIG_DPORT,
    "ctreplsrcport": fields.CT_REPLY_SPORT,
    "ctrepldstport": fields.CT_REPLY_DPORT,
    "ctexpire": fields.CT_EXPIRE,
}


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    if not options.given:
        yield "at least one option is needed, such as `--ctstate ESTABLISHED`"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Leave NONE out of a list of statuses with others in it, where it adds nothing."""
    given = (
        Given(item.name, (item.value - {"NONE"}) or item.value, item.negated) if item.name == "ctstatus" else item
        for item in options.given
    )
    return Options(tuple(given))


def _meaning(options: Options, around: Surroundings) -> Predicate:
    entry = all_of(*_entry_tests(options, around.family))
    if "ctstate" not in options:
        return all_of(HAS_ENTRY, entry)
    negated = options.negated("ctstate")
    states = states_of(options["ctstate"], negated=negated)
    translated = any_of(*(_status(TRANSLATED_BITS[name]) for name in TRANSLATED_BITS if name in options["ctstate"]))
    if translated is not NEVER:
        of_entry = negate_if(negated, any_of(in_states(options["ctstate"] & ENTRY_STATES), translated))
        return any_of(in_states(states - ENTRY_STATES), all_of(HAS_ENTRY, of_entry, entry))
    if entry is ALWAYS:
        return in_states(states)
    return any_of(in_states(states - ENTRY_STATES), all_of(in_states(states & ENTRY_STATES), entry))


def _entry_tests(options: Options, family: int) -> Iterable[Predicate]:
    for item in options.given:
        test: Predicate | None = None
        if item.name == "ctproto":
            test = In(fields.CT_PROTO, IntervalSet.of(item.value))
        elif item.name in _ADDRESSES:
            test = _address_test(_ADDRESSES[item.name], item.value, family)
        elif item.name in _NUMBERS:
            test = In(_NUMBERS[item.name], IntervalSet.of(item.value))
        elif item.name == "ctstatus":
            # NONE alone is the empty disjunction: the kernel looks for any of no bits
            test = any_of(*(_status(STATUS_BITS[name]) for name in STATUS_BITS if name in item.value))
        elif item.name == "ctdir":
            test = In(fields.CT_DIR, NameSet.of(item.value))
        if test is not None:
            yield negate_if(item.negated, test)


def _status(bit: int) -> Predicate:
    return Bits(fields.CT_STATUS, bit, bit)


def _address_test(field: Field, value: tuple[int, int], family: int) -> Predicate:
    address, mask = value
    return In(field, Network(family, address & mask, mask).values)


def _option(name: str, argument: Argument) -> Option:
    return Option(name, argument, negatable=True)


MATCH = MatchExtension(
    name="conntrack",
    options=(
        _option("ctstate", ChoiceList((*STATES, *TRANSLATED_BITS), abbreviated=True)),
        _option("ctproto", Protocol(numeric=True, low=1)),
        *(_option(name, MaskedAddress()) for name in _ADDRESSES),
        *(_option(name, PortRange()) for name in _NUMBERS if name != "ctexpire"),
        _option("ctstatus", ChoiceList(("NONE", *STATUS_BITS), abbreviated=True)),
        _option("ctexpire", NumberRange()),
        Option("ctdir", choice("ORIGINAL", "REPLY", fold=True)),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
