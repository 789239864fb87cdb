"""What the checks of NAT share: a rule's rewrite, and whether its packets are narrowed to those that it is meant for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from policyc.checks.survey import Standing, Survey
from policyc.net.addresses import Network, parse_network
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target

_PRIVATE = {
    4: ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
    6: ("fc00::/7", "fe80::/10"),
}


class Translation(NamedTuple):
    """A rule with what it makes of one side of a connection."""

    standing: Standing
    rewrite: Rewrite

    @property
    def destination(self) -> Network | None:
        """The destination that the rule tests, None where it tests none."""
        found = self.standing.rule.selector("-d")
        return found.value if found is not None and not found.negated and isinstance(found.value, Network) else None


def translations(survey: Survey, name: str, hook: Hook, *, foreign: bool = False) -> Iterator[Translation]:
    """Yield the translations by a target in a hook."""
    for standing, part in survey.uses(name, foreign=foreign):
        if isinstance(part, Target) and hook in survey.graph(standing.table).hooks[standing.chain.name]:
            for effect in part.effects(Surroundings(standing.table.family)):
                if isinstance(effect, Rewrite):
                    yield Translation(standing, effect)


def is_private(addresses: IntervalSet | None, family: int) -> bool:
    """Whether all addresses are of a range that is not routed in the Internet."""
    private = IntervalSet.union_of(
        span for text in _PRIVATE[family] for span in parse_network(text, family).values.spans
    )
    return bool(addresses) and addresses is not None and not addresses - private


def is_scoped(tested: frozenset[fields.Field]) -> bool:
    """Whether more is tested than the protocol and its ports."""
    plain = {fields.PROTO, fields.DPORT, fields.SPORT, fields.FRAG, fields.ICMP, fields.TCP_FLAGS, fields.CT_STATE}
    return not tested <= plain
