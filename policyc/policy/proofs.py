"""`never` and `always` resolved: statements about all packets, with zones, services and addresses as a rule has them."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.language import words as w
from policyc.language.packet import Proof
from policyc.policy.defined import SELF
from policyc.policy.findings import Findings
from policyc.policy.matches import Matches
from policyc.policy.model import Proof as ResolvedProof
from policyc.policy.namespace import NOTHING
from policyc.policy.places import Places
from policyc.policy.presets import PRESETS
from policyc.policy.rule_names import RuleNames
from policyc.policy.service_lists import ServiceLists
from policyc.policy.values import Addresses, Marks
from policyc.source import Span


@frozen
class Proofs:
    """Resolves proofs."""

    places: Places
    services: ServiceLists
    matches: Matches
    rules: RuleNames
    findings: Findings

    def resolve(self, block: str, proof: Proof) -> ResolvedProof | None:
        """Return a proof without names, None where something in it was reported."""
        sources, targets = self.places.sides(proof.pair.sources), self.places.sides(proof.pair.targets)
        services = self.services.flatten(proof.services, NOTHING) if proof.services else ()
        addresses: dict[str, Addresses | None] = {}
        marked: Marks | None = None
        sound = True
        for word in proof.words:
            if isinstance(word, w.AddressMatch):
                key = "source" if isinstance(word, w.From) else "destination"
                addresses[key] = self.matches.addresses(word, NOTHING)
                sound = sound and addresses[key] is not None
            elif isinstance(word, w.Marked):
                marked = self.matches.marks(word, NOTHING)
                sound = sound and marked is not None
            else:
                hint = "a proof takes services, `from`, `to`, `marked` and `except`"
                self.findings.report("misplaced-word", f"`{word.span.text}` is not asked by a proof", word.span, hint)
                sound = False
        for name in proof.exceptions:
            self.rules.check(name, [*PRESETS, *(define.name.text for define in self.rules.defines)])
        if sources is None or targets is None or services is None or not sound:
            return None
        if SELF in {side for side, _ in sources} and SELF in {side for side, _ in targets}:
            span = Span(proof.span.source, sources[0][1].span.start, targets[-1][1].span.end)
            hint = "what this host sends to itself goes by `lo`, which `explain` follows"
            self.findings.report("impossible-pair", "`self -> self` is no pair of zones", span, hint)
            return None
        return ResolvedProof(
            block, proof.quantifier, proof.any_packet, tuple(side for side, _ in sources), tuple(side for side, _ in targets),
            services, addresses.get("source"), addresses.get("destination"), marked,
            tuple(name.text for name in proof.exceptions), proof.span,
        )  # fmt: skip
