"""All insights: the tuple says which there are and in which order they are told. Top of `explanation.insights`."""

from __future__ import annotations

from collections.abc import Callable

from policyc.explanation.insights.connections import invalid_state, reply_not_accepted, untracked_state
from policyc.explanation.insights.diverted import diverted_keeps_port, diverted_not_local
from policyc.explanation.insights.insight import Evidence, Insight
from policyc.explanation.insights.kernel import (
    forwarding_off,
    loopback_target,
    martian,
    no_way,
    on_its_last_hop,
    reverse_path,
)
from policyc.explanation.insights.order import accepted_below
from policyc.explanation.insights.own_traffic import loopback_left_out, own_traffic_untranslated
from policyc.explanation.insights.published import client_hidden, open_another_way
from policyc.explanation.insights.refusals import (
    loopback_blocked,
    needed_icmp,
    other_family_open,
    own_program_waits,
    policy_decides,
)
from policyc.explanation.insights.translation import (
    answered_directly,
    input_never_visited,
    other_way_in,
    source_hidden,
    tests_before_translation,
    translated_not_accepted,
)
from policyc.explanation.outcomes import Way
from policyc.explanation.places import Places

INSIGHTS: tuple[Callable[[Evidence], Insight | None], ...] = (
    forwarding_off,
    reverse_path,
    loopback_target,
    martian,
    no_way,
    on_its_last_hop,
    reply_not_accepted,
    invalid_state,
    untracked_state,
    needed_icmp,
    loopback_blocked,
    diverted_not_local,
    diverted_keeps_port,
    tests_before_translation,
    input_never_visited,
    translated_not_accepted,
    answered_directly,
    other_way_in,
    open_another_way,
    own_traffic_untranslated,
    loopback_left_out,
    source_hidden,
    client_hidden,
    accepted_below,
    other_family_open,
    own_program_waits,
)
"""Each looks at the evidence and finds its own cause, or None."""


def insights(way: Way, places: Places) -> tuple[Insight, ...]:
    """Return what is to be learnt from a way; that a policy decides is said only where there is nothing better."""
    evidence = Evidence(way, places)
    found = tuple(one for look in INSIGHTS if (one := look(evidence)) is not None)
    last = policy_decides(evidence)
    return found or (() if last is None else (last,))
