"""`test` blocks resolved with the policy, so that a misspelt name is an error long before tests are run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import words as w
from policyc.language.packet import PacketTest, Proof, TestBlock
from policyc.language.problems import suggestion
from policyc.language.rules import Rule
from policyc.language.tree import Define
from policyc.netfilter.tested import End
from policyc.netfilter.tested import PacketTest as ResolvedTest
from policyc.netfilter.tested import Proof as ResolvedProof
from policyc.policy.endpoints import Endpoints
from policyc.policy.findings import Findings
from policyc.policy.identity import Identities
from policyc.policy.matches import Matches
from policyc.policy.namespace import NOTHING, a, kind_of
from policyc.policy.packets import PacketNames
from policyc.policy.places import Places
from policyc.policy.presets import PRESETS
from policyc.policy.service_lists import ServiceLists


@frozen
class TestedNames:
    """Resolves tests; rules are known by the names that `identities` gave them."""

    places: Places
    services: ServiceLists
    matches: Matches
    endpoints: Endpoints
    identities: Identities
    findings: Findings
    defines: Sequence[Define]

    def resolve(self, blocks: Iterable[TestBlock]) -> tuple[tuple[ResolvedTest, ...], tuple[ResolvedProof, ...]]:
        """Return packets and proofs in written order; lines with an error, which is reported, are left out."""
        tests: list[ResolvedTest] = []
        proofs: list[ResolvedProof] = []
        for block in blocks:
            for line in block.lines:
                if isinstance(line, Proof):
                    proofs.append(self._proof(block.name.text, line))
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
            self._rule(test.by, [])
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

    def _proof(self, block: str, proof: Proof) -> ResolvedProof:
        self.places.sides(proof.pair.sources)
        self.places.sides(proof.pair.targets)
        self.services.flatten(proof.services, NOTHING)
        for word in proof.words:
            if isinstance(word, w.AddressMatch):
                self.matches.addresses(word, NOTHING)
            elif isinstance(word, w.Marked):
                self.matches.marks(word, NOTHING)
        for name in proof.exceptions:
            self._rule(name, [*PRESETS, *(define.name.text for define in self.defines)])
        return ResolvedProof(
            block,
            proof.quantifier,
            proof.any_packet,
            tuple(name.text for name in proof.pair.sources),
            tuple(name.text for name in proof.pair.targets),
            tuple(value.span.text for value in proof.services),
            tuple(word.span.text for word in proof.words),
            tuple(name.text for name in proof.exceptions),
            proof.span,
        )

    def _rule(self, name: v.Name, others: list[str]) -> None:
        if name.text in self.identities.names or name.text in others or self._in_define(name.text):
            return
        hint = suggestion(name.text, [*self.identities.names, *others]) or "a rule gets its name by `as NAME`"
        self.findings.report("unknown-name", f"no rule is called `{name.text}`", name.span, hint)

    def _in_define(self, text: str) -> bool:
        """Whether the last part of a name is a rule of a `define`: a call of it may be what is wrong, not the name."""
        *path, last = text.split(".")
        return any(
            isinstance(line, Rule) and (called := line.find(w.As)) and called.name.text == last
            for define in self.defines
            if path and define.name.text == path[-1]
            for line in define.lines
        )
