"""The answer of `policyc test` as JUnit XML: a suite for each block of tests, a case for each packet; proofs are skipped."""

from __future__ import annotations

from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from policyc.checks.packet_tests import FAILED, PASSED, PacketResult
from policyc.checks.tests import NO_PROOFS, Results, diagnostic_of
from policyc.netfilter.tested import Proof
from policyc.report.printable import printable


def results_junit(results: Results) -> str:
    """Return the XML text; an undecided packet is an error, not a failure."""
    cases = [
        (result.test.span.source.name, result.test.block, _case(result), result.state) for result in results.packets
    ]
    cases += [(proof.span.source.name, proof.block, _skipped(proof), "skipped") for proof in results.proofs]
    cases.sort(key=lambda case: case[:2])
    suites = []
    for (file, block), group in groupby(cases, key=lambda case: case[:2]):
        listed = list(group)
        states = [state for *_, state in listed]
        head = f"  <testsuite name={_attribute(f'{file}: {block}')} {_counts(states)}>\n"
        suites.append(head + "".join(text for _, _, text, _ in listed) + "  </testsuite>\n")
    states = [state for *_, state in cases]
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="policyc test" {_counts(states)}>\n'
    return head + "".join(suites) + "</testsuites>\n"


def _counts(states: list[str]) -> str:
    failed, skipped = states.count(FAILED), states.count("skipped")
    errors = len(states) - failed - skipped - states.count(PASSED)
    return f'tests="{len(states)}" failures="{failed}" errors="{errors}" skipped="{skipped}"'


def _case(result: PacketResult) -> str:
    name = " ".join(result.test.span.text.split())
    if result.several:
        name += f" ({result.packet_text})"
    head = f"    <testcase classname={_attribute(result.test.span.source.name)} name={_attribute(name)}"
    if result.state == PASSED:
        return f"{head}/>\n"
    found = diagnostic_of(result)
    kind = "failure" if result.state == FAILED else "error"
    detail = [f"{found.span}: {found.severity.label}[{found.code}]: {found.message}"]
    detail += [f"{other.span}: {other.message}" for other in found.related]
    detail += found.help.split("\n")
    body = escape("\n".join(printable(line) for line in detail))
    message = _attribute(found.message)
    return f'{head}>\n      <{kind} type="{found.name}" message={message}>{body}</{kind}>\n    </testcase>\n'


def _skipped(proof: Proof) -> str:
    name = _attribute(" ".join(proof.span.text.split()))
    head = f"    <testcase classname={_attribute(proof.span.source.name)} name={name}>\n"
    return f"{head}      <skipped message={_attribute(NO_PROOFS)}/>\n    </testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(printable(text))
