"""`use` opened: the rules of presets and `define`s put where they are called, with what their parameters stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from policyc.diagnostics import Related
from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import tree as t
from policyc.language.print_rules import BREAK, use_text
from policyc.language.problems import one_of, suggestion
from policyc.language.rules import RuleLine, Use
from policyc.netfilter.hooks import Hook
from policyc.policy.addresses import LIST_KINDS
from policyc.policy.findings import Findings
from policyc.policy.lines import Line
from policyc.policy.model import Call
from policyc.policy.namespace import NOTHING, Names, Parameter, a
from policyc.policy.presets import PRESETS, preset_rules
from policyc.policy.service_lists import ServiceLists

LITERALS: dict[str, tuple[type, ...]] = {
    "address": (v.Address, v.Network, v.AddressRange),
    "service": (v.PortService, v.IcmpService, v.ProtocolService),
    "mark": (v.MarkValue,),
}
"""The literals that a parameter of a kind takes; those of the other kinds have names only."""


@frozen
class _Site:
    """Where a call stands: the block's table and hooks, and what the calls around it mean.

    `text` are those calls as written, `below` is the number of the first `define` that it may not use.
    """

    table: str
    hooks: Sequence[Hook]
    below: int
    scope: Mapping[str, Parameter]
    call: Call | None
    text: str


@dataclass(slots=True)
class Calls:
    """Opens the calls of a policy. `order` numbers the `define`s: a body may use only those above it."""

    names: Names
    services: ServiceLists
    findings: Findings
    order: Mapping[str, int]
    used: set[str] = field(default_factory=set)

    def lines(self, written: Sequence[RuleLine], hooks: Sequence[Hook], table: str) -> list[Line]:
        """Return the rules of a block that has pairs of these hooks, every call opened."""
        self.findings.calls = ()
        return self._lines(written, _Site(table, hooks, len(self.order), NOTHING, None, ""))

    def alone(self, define: t.Define, table: str) -> list[Line]:
        """Return the rules of a `define` that nothing calls, its parameters standing for nothing yet."""
        self.findings.calls = ()
        scope = {one.name.text: Parameter(one.name, one.kind, ()) for one in define.parameters}
        call = Call((define.name.text,), ())
        return self._lines(define.lines, _Site(table, (), self.order[define.name.text], scope, call, ""))

    def _lines(self, written: Sequence[RuleLine], site: _Site) -> list[Line]:
        found: list[Line] = []
        for line in written:
            if isinstance(line, Use):
                found += self._call(line, site)
            else:
                found.append(Line(line, site.scope, site.call, site.text))
        return found

    def _call(self, use: Use, site: _Site) -> list[Line]:
        name, outer = use.name, site.call
        path, spans = (outer.path, outer.spans) if outer else ((), ())
        call = Call((*path, name.text), (*spans, use.span))
        text = f"{site.text}{use_text(use).replace(BREAK, ' ')}\n"
        if name.text in PRESETS:
            return self._preset(use, _Site(site.table, site.hooks, 0, NOTHING, call, text))
        if name.text not in self.names.meanings:
            hint = suggestion(name.text, [*PRESETS, *self.order])
            self.findings.report("unknown-name", f"nothing defines `{name.text}`", name.span, hint)
            return []
        define = self.names.find(name, NOTHING, ("define",))
        if not isinstance(define, t.Define):
            return []
        below = self.order[name.text]
        if below >= site.below:
            message = f"`{name.text}` stands below this line: a `define` uses only what stands above it"
            related = [Related(f"`{name.text}` is defined here", define.name.span)]
            self.findings.report("bad-call", message, name.span, related=related)
            return []
        self.used.add(name.text)
        bound = self._bind(use, define, site.scope)
        if bound is None:
            return []
        outside, self.findings.calls = self.findings.calls, call.spans
        found = self._lines(define.lines, _Site(site.table, site.hooks, below, bound, call, text))
        self.findings.calls = outside
        return found

    def _preset(self, use: Use, site: _Site) -> list[Line]:
        name = use.name.text
        if use.arguments:
            self.findings.report("bad-call", f"`{name}` takes no values", use.span)
            return []
        if site.table != "filter":
            self.findings.report("bad-call", f"`{name}` has rules for filter, not for {site.table}", use.span)
            return []
        several = len(site.hooks) > 1
        return [
            Line(rule, NOTHING, site.call, site.text, (hook,) if several else (), lenient=True)
            for hook in site.hooks
            for rule in preset_rules(name, hook)
        ]

    def _bind(self, use: Use, define: t.Define, scope: Mapping[str, Parameter]) -> dict[str, Parameter] | None:
        """Return what the parameters stand for in a call; None after a report."""
        wanted, given = len(define.parameters), len(use.arguments)
        related = [Related(f"`{define.name.text}` is defined here", define.head)]
        if wanted != given:
            takes = "no values" if not wanted else "one value" if wanted == 1 else f"{wanted} values"
            hint = f"its parameters are {', '.join(f'{one.name.text}: {one.kind}' for one in define.parameters)}"
            message = f"`{define.name.text}` takes {takes}, and {given or 'none'} {'is' if given < 2 else 'are'} given"
            self.findings.report("bad-call", message, use.span, hint if wanted else "", related)
            return None
        bound: dict[str, Parameter] = {}
        for parameter, values in zip(define.parameters, use.arguments, strict=True):
            found: list[v.Value] = []
            for value in values:
                taken = self._value(value, parameter, scope)
                if taken is None:
                    return None
                found += taken
            bound[parameter.name.text] = Parameter(parameter.name, parameter.kind, tuple(found))
        return bound

    def _value(
        self, value: v.Value, parameter: t.Parameter, scope: Mapping[str, Parameter]
    ) -> tuple[v.Value, ...] | None:
        """Return one argument in the names of the whole policy; None when it is not of the parameter's kind."""
        kind = parameter.kind
        if isinstance(value, v.Name):
            if kind == "service" and value.text not in scope:
                return (value,) if self.services.flatten((value,), {}) is not None else None
            meaning = self.names.find(value, scope, LIST_KINDS if kind == "address" else (kind,))
            if isinstance(meaning, Parameter):
                return meaning.values
            return (value,) if meaning else None
        if isinstance(value, LITERALS.get(kind, ())):
            return (value,)
        hint = f"the parameter takes the name of {a(kind)}" if kind not in LITERALS else ""
        message = f"`{value.span.text}` is not {a(kind)}, which `{parameter.name.text}` is"
        self.findings.report("bad-call", message, value.span, hint, [Related("the parameter", parameter.span)])
        return None


def check_parameters(define: t.Define, names: Names, findings: Findings) -> None:
    """Report parameters that hide a name of the policy, or stand twice."""
    seen: dict[str, v.Name] = {}
    for parameter in define.parameters:
        name = parameter.name
        hidden = seen.get(name.text) or (known.name if (known := names.meanings.get(name.text)) else None)
        if hidden:
            message = f"the parameter `{name.text}` hides another name"
            related = [Related(f"`{name.text}` is defined here", hidden.span)]
            findings.report("duplicate-name", message, name.span, "give the parameter a name of its own", related)
        seen.setdefault(name.text, name)
    if define.name.text in PRESETS:
        message = f"`{define.name.text}` is a preset of policyc; the presets are {one_of(PRESETS)}"
        findings.report("duplicate-name", message, define.name.span)
