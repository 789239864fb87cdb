"""-m state: the state of the packet's connection, the older spelling of `-m conntrack --ctstate` (net/netfilter/xt_state.c)."""

from __future__ import annotations

from policyc.netfilter.arguments import ChoiceList
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.extensions.connection import STATES, in_states, states_of
from policyc.netfilter.predicate import Predicate


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return in_states(states_of(options["state"], negated=options.negated("state")))


MATCH = MatchExtension(
    name="state",
    options=(Option("state", ChoiceList(STATES, abbreviated=True), negatable=True, required=True),),
    meaning=_meaning,
)
