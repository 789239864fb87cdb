"""The PACKET sentence of the command line: `tcp 203.0.113.9 -> self:443 in eth0` becomes Questions. Part of `explanation`.

The one file of this room that knows the language: it reads what `test` blocks read, with the names of the policy that a
Ruleset came from, or without any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field, replace

from policyc.diagnostics import InputError
from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language.parser import parse_packet
from policyc.language.problems import suggestion
from policyc.net.addresses import parse_address
from policyc.net.protocols import WITH_PORTS
from policyc.netfilter.intent import AddressName, Intent
from policyc.netfilter.question import Question
from policyc.policy.addresses import bounds, item_of
from policyc.policy.definitions import mark_of
from policyc.policy.findings import Findings
from policyc.policy.namespace import NOTHING, Names
from policyc.policy.packets import PacketNames
from policyc.policy.service_lists import ServiceLists
from policyc.policy.values import Endpoint, Mark
from policyc.source import Source

NAME = "PACKET"
"""What diagnostics call the text."""

_MAY_HAVE_PORTS = WITH_PORTS | {None}


def questions_of(text: str | Sequence[str], intent: Intent | None = None) -> tuple[Question, ...]:
    """Return the questions of a sentence, given whole or in words; `intent` is that of the Ruleset that is asked.

    Raises InputError with everything that is wrong with it.
    """
    words = text if isinstance(text, str) else " ".join(text)
    source = Source(NAME, " ".join(words.replace("→", " -> ").split()))
    packet, problems = parse_packet(source)
    if packet is None:
        raise InputError(problems)
    findings = Findings()
    known = _Known({one.name: one for one in intent.addresses} if intent else {}, intent is not None, findings)
    services = ServiceLists(Names(findings), findings)
    names = PacketNames(known.endpoints, lambda value: services.flatten((value,), NOTHING), known.mark, findings)
    questions = names.questions(packet)
    if questions is None:
        raise InputError(findings.found)
    notes = tuple(note for end in (packet.source, packet.destination) if (note := _without_brackets(end)))
    return tuple(
        replace(one, notes=one.notes + notes) if one.headers.proto in _MAY_HAVE_PORTS else one for one in questions
    )


def _without_brackets(end: v.Endpoint) -> str:
    """Return what is said of an IPv6 address whose end may have been meant as a port, "" of any other."""
    head, _, tail = end.span.text.rpartition(":")
    if end.ports is not None or not isinstance(end.host, v.Address) or not tail.isdecimal():
        return ""
    try:
        parse_address(head, 6)
    except ValueError:
        return ""
    return f"{end.span.text} is an address; with port {tail} it is [{head}]:{tail}"


@frozen
class _Known:
    """The names that are left of a policy."""

    addresses: dict[str, AddressName]
    has_policy: bool
    findings: Findings = field(repr=False)

    def endpoints(self, end: v.Endpoint) -> tuple[Endpoint, ...] | None:
        """Return what an end stands for, one value for each address."""
        if not isinstance(end.host, v.Name):
            assert end.host, "the parser gives every end of a packet an address"
            item = item_of(end.host)
            return (Endpoint(item.family, *bounds(item), None),)
        named = self.addresses.get(end.host.text)
        if named is None:
            self._unknown(end.host)
            return None
        return tuple(Endpoint(family, first, last, None) for family, first, last in named.items)

    def mark(self, value: v.Name | v.MarkValue) -> Mark | None:
        """Return a mark, which is a number here."""
        if isinstance(value, v.MarkValue):
            return mark_of(value)
        message = f"`{value.text}` is a name, and here stands the number of a mark"
        self.findings.report("wrong-kind", message, value.span, "write `mark 0x1`")
        return None

    def _unknown(self, name: v.Name) -> None:
        if name.text == v.ANY:
            hint = "name one address: `explain` follows one packet"
        elif self.has_policy:
            hint = suggestion(name.text, [*self.addresses, v.SELF])
        else:
            hint = "a name needs the policy that defines it; write the address"
        self.findings.report("unknown-name", f"nothing defines address `{name.text}`", name.span, hint)
