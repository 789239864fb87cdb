"""First pass: services that iptables cannot say, because their number means "every one" to it."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.lowering.draft import Draft
from policyc.policy.model import Block, Clamp, Netmap
from policyc.policy.values import IcmpService, ProtocolService, Service
from policyc.source import Span


def sayable(draft: Draft) -> None:
    """Report `proto/0` and `icmp/255`: `-p 0` and `--icmp-type 255` would match every packet."""
    for service, span in _services(draft):
        if isinstance(service, ProtocolService) and not service.protocol:
            message = "`-p 0` means every protocol to iptables, so `proto/0` cannot be tested"
            draft.report("bad-literal", message, span, help='test hop-by-hop options with `match "-m hbh"`')
        elif isinstance(service, IcmpService) and 4 in service.families and any(t == 255 for t, _ in service.types):
            message = "`--icmp-type 255` means every type to iptables, so `icmp/255` cannot be tested"
            draft.report("bad-literal", message, span)


def _services(draft: Draft) -> Iterator[tuple[Service, Span]]:
    for item in draft.policy.items:
        if isinstance(item, Block):
            for rule in item.rules:
                for service in rule.services:
                    yield service, rule.span
        elif not isinstance(item, Netmap | Clamp):
            for service in item.services:
                yield service, item.span
