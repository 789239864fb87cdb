"""The names in `test` blocks: looked up with the policy, so that a misspelt one is an error long before tests are run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policyc.language import literals as v
from policyc.language import words as w
from policyc.language.packet import PacketTest, Proof, TestBlock
from policyc.language.problems import suggestion
from policyc.language.rules import Rule
from policyc.language.tree import Define
from policyc.policy.endpoints import Endpoints
from policyc.policy.findings import Findings
from policyc.policy.identity import Identities
from policyc.policy.matches import Matches
from policyc.policy.namespace import NOTHING
from policyc.policy.places import Places
from policyc.policy.presets import PRESETS
from policyc.policy.service_lists import ServiceLists


@dataclass(frozen=True, slots=True)
class TestedNames:
    """Looks at the names of tests; rules are known by the names that `identities` gave them."""

    places: Places
    services: ServiceLists
    matches: Matches
    endpoints: Endpoints
    identities: Identities
    findings: Findings
    defines: Sequence[Define]

    def check(self, block: TestBlock) -> None:
        """Report the names of a block that mean nothing, or something of another kind."""
        for line in block.lines:
            if isinstance(line, Proof):
                self._proof(line)
            else:
                self._packet(line)

    def _packet(self, test: PacketTest) -> None:
        packet, becomes = test.packet, test.becomes
        ends = [packet.source, packet.destination]
        if becomes:
            ends += [end for end in (becomes.source, becomes.destination) if end]
        for end in ends:
            if not (isinstance(end.host, v.Name) and end.host.text == v.SELF):
                self.endpoints.one(end, NOTHING)
        if packet.protocol:
            self.services.flatten((packet.protocol,), NOTHING)
        if packet.mark:
            self.matches.mark(packet.mark, NOTHING)
        if test.by:
            self._rule(test.by, [])

    def _proof(self, proof: Proof) -> None:
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
