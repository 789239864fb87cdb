"""The proofs of a policy's `test` blocks, decided: `never A -> B …` and `always A -> B …` over all packets. Part of `checks`.

`policyc.checks.tests` asks; docs/language.md says what a proof means.
"""

from __future__ import annotations

from typing import Any

from policyc.diagnostics import Diagnostic, Related, diagnose
from policyc.diagnostics.diagnostic import location
from policyc.explanation.reaching import Reach, Reaching, fate, witness_dict
from policyc.frozen import frozen
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import statements_of
from policyc.netfilter.tested import Proof

PROVED, REFUTED, UNDECIDED = "proved", "refuted", "undecided"


@frozen
class ProofResult:
    """What became of a proof: `reason` says why, `reach` holds the packet against it where it is refuted."""

    proof: Proof
    state: str
    reason: str
    reach: Reach

    @property
    def counterexample(self) -> str:
        """The packet against it as the command line takes it, "" where there is none."""
        return self.reach.witness.sentence if self.state == REFUTED and self.reach.witness else ""

    @property
    def diagnostic(self) -> Diagnostic | None:
        """The finding about it, None where it is proved."""
        if self.state == PROVED:
            return None
        witness, span = self.reach.witness, self.proof.span
        if self.state == UNDECIDED or witness is None:
            return diagnose("undecided-test", f"the proof is not decided: {self.reason}", span)
        hints = [f"the packet is `{witness.sentence}`", *witness.beside]
        hints += [f"where {text}" for text in witness.conditions]
        hints += [f"assumed: {text}" for text in witness.assumptions]
        places = self.reach.places
        step = witness.way.trace.deciding
        related: tuple[Related, ...] = ()
        if step is not None and places is not None:
            decided = places.of(witness.way.sent.family, step.table, step.chain, step.rule)
            if decided.number != "policy" and decided.span is not None:
                related = (Related("this rule decides", decided.span),)
        return diagnose("refuted-proof", self.reason, span, related=related, help="\n".join(hints))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, an item of `proofs` in `test --format json`."""
        witness = self.reach.witness if self.state == REFUTED else None
        return {
            "block": self.proof.block,
            "text": self.proof.span.text,
            "location": location(self.proof.span),
            "state": self.state,
            "reason": self.reason,
            "counterexample": None if witness is None else witness_dict(witness),
        }


def proofs_decided(ruleset: Ruleset) -> tuple[ProofResult, ...]:
    """Return a result for each proof of a policy, in written order."""
    if ruleset.intent is None or not ruleset.intent.proofs:
        return ()
    reaching = Reaching(ruleset)
    return tuple(_decided(ruleset, reaching, proof) for proof in ruleset.intent.proofs)


def _decided(ruleset: Ruleset, reaching: Reaching, proof: Proof) -> ProofResult:
    if proof.quantifier == "always":
        found = reaching.failing(proof.pairs)
        return _result(proof, found, "no new packet of these is lost")
    asked = reaching.arriving_later if proof.any_packet else reaching.arriving
    found = asked(proof.pairs, _excepted(ruleset, proof.exceptions))
    return _result(proof, found, "; ".join(found.because) or "no packet gets there")


def _result(proof: Proof, found: Reach, proved: str) -> ProofResult:
    if not found.reachable:
        return ProofResult(proof, PROVED, proved, found)
    if found.witness is None or found.places is None:
        return ProofResult(proof, UNDECIDED, "; ".join(found.because), found)
    return ProofResult(proof, REFUTED, f"a packet is {fate(found.places, found.witness.way)}", found)


def _excepted(ruleset: Ruleset, names: tuple[str, ...]) -> frozenset[str]:
    """Return the ids of the statements that names stand for: a rule or intent, or all of a preset or a define."""
    return frozenset(
        one.id
        for one in statements_of(ruleset).values()
        if any(one.name == name or one.name.startswith(f"{name}.") for name in names)
    )
