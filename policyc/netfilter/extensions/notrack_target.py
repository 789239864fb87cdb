"""-j NOTRACK: the older name of `-j CT --notrack`; the kernel remembers which of the two a rule was given."""

from __future__ import annotations

from policyc.netfilter.effect import Effect, Track
from policyc.netfilter.extension import Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.extensions.ct_target import ONLY_BEFORE_TRACKING


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Track(entry=False),)


TARGET = TargetExtension(name="NOTRACK", placement=in_tables("raw", why=ONLY_BEFORE_TRACKING), effects=_effects)
