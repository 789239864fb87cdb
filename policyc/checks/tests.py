"""All that the `test` blocks of a policy ask, answered: packets, proofs, and which rules no packet exercises.

`policyc.api.test` and the command `test` ask it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policyc import FORMAT_VERSION
from policyc.checks.coverage import Coverage, coverage
from policyc.checks.packet_tests import FAILED, PASSED, UNDECIDED, Course, PacketResult, decided
from policyc.checks.proofs import PROVED, REFUTED, ProofResult, proofs_decided
from policyc.diagnostics import Diagnostic, Related, diagnose
from policyc.diagnostics.diagnostic import location
from policyc.frozen import frozen
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.view import PacketView

NOTHING_COVERED = Coverage()


@frozen
class Results:
    """The answers to the tests of one policy, or of several."""

    packets: tuple[PacketResult, ...] = ()
    proofs: tuple[ProofResult, ...] = ()
    coverage: Coverage = NOTHING_COVERED

    @property
    def passed(self) -> bool:
        """Whether no packet failed or is undecided, and every proof is proved."""
        packets = all(result.state == PASSED for result in self.packets)
        return packets and all(result.state == PROVED for result in self.proofs)

    def count(self, state: str) -> int:
        """Return how many packets have that state."""
        return sum(result.state == state for result in self.packets)

    def count_proofs(self, state: str) -> int:
        """Return how many proofs have that state."""
        return sum(result.state == state for result in self.proofs)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong, a finding for each packet that failed or is undecided and each proof that does not hold, by place."""
        found = [diagnostic_of(result) for result in self.packets if result.state != PASSED]
        found += [one for result in self.proofs if (one := result.diagnostic) is not None]
        return tuple(sorted(found, key=lambda one: one.sort_key))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of the contract (`test --format json`)."""
        return {
            "format_version": FORMAT_VERSION,
            "tests": [_packet(result) for result in self.packets],
            "proofs": [result.to_dict() for result in self.proofs],
            "coverage": self.coverage.to_dict(),
            "summary": {
                **{state: self.count(state) for state in (PASSED, FAILED, UNDECIDED)},
                "proofs_proved": self.count_proofs(PROVED),
                "proofs_refuted": self.count_proofs(REFUTED),
                "proofs_undecided": self.count_proofs(UNDECIDED),
            },
        }


def run_tests(ruleset: Ruleset) -> Results:
    """Return the answers to a policy's tests; a dump has none.

    Raises InputError where a packet cannot be asked about, because nothing says where it comes in or leaves.
    """
    packets = decided(ruleset)
    return Results(packets, proofs_decided(ruleset), coverage(ruleset, packets))


def together(results: Iterable[Results]) -> Results:
    """Return the answers of several policies as one."""
    listed = tuple(results)
    return Results(
        tuple(packet for one in listed for packet in one.packets),
        tuple(proof for one in listed for proof in one.proofs),
        Coverage(tuple(covered for one in listed for covered in one.coverage.statements)),
    )


def diagnostic_of(result: PacketResult) -> Diagnostic:
    """Return the finding about a packet that failed or is undecided."""
    first = result.courses[0]
    if result.state == FAILED:
        code, message = "failed-test", f"expected {' and '.join(first.faults)}: the packet is {first.fate}"
    elif result.complete:
        code, message = "undecided-test", f"the answer hangs on what nobody knows: the packet is {first.fate}"
    else:
        code, message = "undecided-test", f"more unknown conditions than were tried; the packet may be {first.fate}"
    hints = [f"the packet is `{result.packet_text}`"]
    hints += [f"it is {course.fate}, where {' and '.join(course.assumes)}" for course in result.courses[1:]]
    hints += [f"assumed: {text}" for text in result.assumptions]
    return diagnose(code, message, result.test.span, related=tuple(_causes(result)), help="\n".join(hints))


def _causes(result: PacketResult) -> Iterable[Related]:
    for course in result.courses:
        place = course.decided
        if place is not None and place.number != "policy" and place.span is not None:
            yield Related("this rule decides" if course is result.courses[0] else "or this rule decides", place.span)


def _packet(result: PacketResult) -> dict[str, Any]:
    test = result.test
    return {
        "block": test.block,
        "text": test.span.text,
        "location": location(test.span),
        "state": result.state,
        "expected": {"verdict": test.verdict, "by": test.by or None},
        "packet": PacketView.of(result.placement.packet).to_dict(),
        "courses": [_course(course) for course in result.courses],
        "assumptions": list(result.assumptions),
        "complete": result.complete,
    }


def _course(course: Course) -> dict[str, Any]:
    trace = course.way.trace
    return {
        "verdict": course.word,
        "outcome": trace.verdict,
        "interface": trace.device or None,
        "final": PacketView.of(course.way.packet).to_dict(),
        "decided_by": course.decided.to_dict() if course.decided else None,
        "reason": trace.reason or None,
        "assumes": list(course.assumes),
        "faults": [f"expected {fault}" for fault in course.faults],
    }
