"""`test` blocks resolved with the policy, so that a misspelt name is an error long before tests are run."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language.packet import PacketTest, Proof, TestBlock
from policyc.netfilter.tested import End
from policyc.netfilter.tested import PacketTest as ResolvedTest
from policyc.policy.endpoints import Endpoints
from policyc.policy.findings import Findings
from policyc.policy.matches import Matches
from policyc.policy.model import Proof as ResolvedProof
from policyc.policy.namespace import NOTHING, a, kind_of
from policyc.policy.packets import PacketNames
from policyc.policy.places import Places
from policyc.policy.proofs import Proofs
from policyc.policy.rule_names import RuleNames
from policyc.policy.service_lists import ServiceLists


@frozen
class TestedNames:
    """Resolves the lines of test blocks."""

    places: Places
    services: ServiceLists
    matches: Matches
    endpoints: Endpoints
    rules: RuleNames
    proofs: Proofs
    findings: Findings

    def resolve(self, blocks: Iterable[TestBlock]) -> tuple[tuple[ResolvedTest, ...], tuple[ResolvedProof, ...]]:
        """Return packets and proofs in written order; lines with an error, which is reported, are left out."""
        tests: list[ResolvedTest] = []
        proofs: list[ResolvedProof] = []
        for block in blocks:
            for line in block.lines:
                if isinstance(line, Proof):
                    if proof := self.proofs.resolve(block.name.text, line):
                        proofs.append(proof)
                elif resolved := self._packet(block.name.text, line):
                    tests.append(resolved)
        return tuple(tests), tuple(proofs)

    def _packet(self, block: str, test: PacketTest) -> ResolvedTest | None:
        packet, becomes = test.packet, test.becomes
        names = PacketNames(
            lambda end: self.endpoints.one(end, NOTHING),
            lambda value: self.services.flatten((value,), NOTHING),
            lambda value: self.matches.mark(value, NOTHING),
            self.findings,
        )
        questions = names.questions(packet)
        for place in (packet.entry, packet.exit):
            if place:
                self._place(place)
        source = self._end(becomes.source) if becomes and becomes.source else None
        destination = self._end(becomes.destination) if becomes else None
        if test.by:
            self.rules.check(test.by)
        if questions is None:
            return None
        by = test.by.text if test.by else ""
        return ResolvedTest(block, test.verdict, questions, source, destination, by, test.span)

    def _end(self, end: v.Endpoint) -> End | None:
        ports = (end.ports.first, end.ports.last) if end.ports else None
        if isinstance(end.host, v.Name) and end.host.text == v.SELF:
            return End(own=True, ports=ports)
        found = self.endpoints.one(end, NOTHING)
        if found is None:
            return None
        return End(tuple((one.family, one.first, one.last) for one in found if one.family), ports=ports)

    def _place(self, place: v.Interface) -> None:
        """Report what stands after `in` or `out` and is a name of something else than a zone."""
        definitions = self.places.definitions
        meaning = definitions.names.meanings.get(place.text)
        listed = any(place.text in zone.interfaces for zone in definitions.zones.values())
        if meaning is not None and not listed and (kind := kind_of(meaning)) != "zone":
            message = f"`{place.text}` is {a(kind)}, and here stands a zone or an interface"
            self.findings.report("wrong-kind", message, place.span)
