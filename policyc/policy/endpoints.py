"""Where translations lead: the endpoints after `becomes`, one value for each address."""

from __future__ import annotations

from collections import Counter

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import words as w
from policyc.policy.addresses import AddressLists, bounds
from policyc.policy.families import TITLE
from policyc.policy.findings import Findings
from policyc.policy.matches import Scope
from policyc.policy.values import Endpoint, PortService, Service


@frozen
class Endpoints:
    """Resolves `becomes` and what must agree with it."""

    addresses: AddressLists
    findings: Findings

    def resolve(self, becomes: w.Becomes, scope: Scope) -> tuple[Endpoint, ...] | None:
        """Return the endpoints in written order; None when one of them was reported."""
        found = [self.one(value, scope) for value in becomes.values]
        if None in found:
            return None
        return tuple(endpoint for endpoints in found if endpoints is not None for endpoint in endpoints)

    def one(self, value: v.Endpoint, scope: Scope) -> tuple[Endpoint, ...] | None:
        """Return what one written endpoint stands for."""
        ports = (value.ports.first, value.ports.last) if value.ports else None
        if value.host is None:
            return (Endpoint(None, 0, 0, ports),)
        if isinstance(value.host, v.Name) and value.host.text == v.SELF:
            hint = "`redirect` leads to this host; `becomes :PORT` keeps the address"
            self.findings.report("wrong-kind", "`self` is not one address", value.host.span, hint)
            return None
        flat = self.addresses.flatten((value.host,), scope, ("address", "container"))
        if flat is None:
            return None
        if flat.sets:
            message = f"`{value.host.span.text}` holds the set `{flat.sets[0].name}`, whose content is not known"
            self.findings.report("wrong-kind", message, value.host.span)
            return None
        return tuple(Endpoint(item.family, *bounds(item), ports) for item in flat.items)

    def balanced(self, becomes: w.Becomes, found: tuple[Endpoint, ...], balance: w.Balance | None) -> bool:
        """Whether several endpoints of one family have `balance`, and one alone has none; report where not."""
        counts = Counter(endpoint.family for endpoint in found)
        without = counts.pop(None, 0)
        family, most = max(counts.items(), key=lambda item: item[1], default=(None, 0))
        if found and (most + without > 1) is (balance is not None):
            return True
        if not found:
            return True
        if balance:
            self.findings.report("misplaced-word", "there is one endpoint, and nothing to balance", balance.span)
        else:
            of = f" of {TITLE[family]}" if family else ""
            message = f"{most + without} endpoints{of}, and nothing says how they share"
            self.findings.report("missing-word", message, becomes.span, "add `balance random` or `balance nth`")
        return False

    def portable(self, becomes: w.Becomes, found: tuple[Endpoint, ...], services: tuple[Service, ...]) -> bool:
        """Whether a rule that translates ports is for protocols with ports only; report where not."""
        if not any(endpoint.ports for endpoint in found):
            return True
        if services and all(isinstance(service, PortService) for service in services):
            return True
        message = "a port is translated, so the rule needs services with ports"
        self.findings.report("missing-word", message, becomes.span, "name them: `tcp/8080`, `udp`")
        return False
