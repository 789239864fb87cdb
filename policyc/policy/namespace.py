"""The one name space of a policy: which definition a name means, and what is wrong with a name that has none.

All kinds share it, with the containers and networks of `docker` blocks and the services of compose files. A
`define` adds its parameters, which hide nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from policyc.diagnostics import Related
from policyc.frozen import frozen
from policyc.language import definitions as d
from policyc.language import tree as t
from policyc.language.literals import ANY, SELF, Name, Value
from policyc.language.problems import one_of, suggestion
from policyc.policy.findings import Findings
from policyc.policy.foreign import Service
from policyc.source import Span

KINDS: dict[type, str] = {
    d.ZoneDefinition: "zone",
    d.AddressDefinition: "address",
    d.ServiceDefinition: "service",
    d.SetDefinition: "set",
    d.LimitDefinition: "limit",
    d.LogDefinition: "log",
    d.MarkDefinition: "mark",
    d.ScheduleDefinition: "schedule",
    t.Define: "define",
}


@frozen
class Parameter:
    """A parameter within one call: its kind and what stands for it, in the names of the whole policy."""

    name: Name
    kind: str
    values: tuple[Value, ...]

    @property
    def span(self) -> Span:
        """Where the `define` declares it."""
        return self.name.span


Meaning = d.Definition | t.Define | t.EngineObject | Service | Parameter
NOTHING: Mapping[str, Parameter] = {}


def kind_of(meaning: Meaning | t.Broken) -> str:
    """Return the kind: one of the eight of the language, `define`, `container` or `network`."""
    return KINDS.get(type(meaning)) or meaning.kind  # type: ignore[union-attr]


def a(kind: str) -> str:
    """Return the kind with its article."""
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


@dataclass(slots=True)
class Names:
    """Every name that the statements of a policy define, in written order."""

    findings: Findings
    meanings: dict[str, Meaning | t.Broken] = field(default_factory=dict)

    def add(self, statement: Meaning | t.Broken) -> None:
        """Take a definition; a name that is taken is an error with both places."""
        name = statement.name
        first = self.meanings.setdefault(name.text, statement)
        if first is not statement:
            message = f"`{name.text}` is defined twice"
            if (kind := kind_of(first)) != kind_of(statement):
                message = f"`{name.text}` is {a(kind)} already: all kinds share one name space"
            self.findings.report("duplicate-name", message, name.span, related=[_defined(first)])

    def of(self, kind: type[d.Definition]) -> Iterable[d.Definition]:
        """Yield the definitions of one class."""
        return (meaning for meaning in self.meanings.values() if type(meaning) is kind)

    def find(self, name: Name, scope: Mapping[str, Parameter], kinds: tuple[str, ...]) -> Meaning | None:
        """Return what a name means; None when it is unknown or of another kind, which is reported, or broken."""
        text = name.text
        meaning = scope.get(text) or self.meanings.get(text)
        if meaning is None:
            self._unknown(name, scope, kinds)
            return None
        if (kind := kind_of(meaning)) not in kinds:
            message = f"`{text}` is {a(kind)}, not {_either(kinds)}"
            self.findings.report("wrong-kind", message, name.span, related=[_defined(meaning)])
            return None
        return None if isinstance(meaning, t.Broken) else meaning

    def _unknown(self, name: Name, scope: Mapping[str, Parameter], kinds: tuple[str, ...]) -> None:
        text, expected = name.text, _either(kinds)
        if text in {SELF, ANY}:
            hint = "leave the word out: it is not tested then" if text == ANY else ""
            self.findings.report("wrong-kind", f"`{text}` is not {expected}", name.span, hint)
            return
        both = {**self.meanings, **scope}
        hint = suggestion(text, [known for known, meaning in both.items() if kind_of(meaning) in kinds])
        self.findings.report("unknown-name", f"nothing defines {kinds[0]} `{text}`", name.span, hint)


def _either(kinds: tuple[str, ...]) -> str:
    if len(kinds) == 1:
        return a(kinds[0])
    return one_of(a(kind) for kind in kinds).replace("`", "")


def _defined(meaning: Meaning | t.Broken) -> Related:
    return Related(f"`{meaning.name.text}` is defined here", meaning.name.span)
