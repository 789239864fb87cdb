"""The answer of `policyc test` for people: each test with its fate, what went wrong with its causes, what no test exercises."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from policyc.checks.coverage import Coverage, Covered
from policyc.checks.packet_tests import FAILED, PASSED, UNDECIDED, PacketResult
from policyc.checks.proofs import PROVED, REFUTED, ProofResult
from policyc.checks.tests import Results, diagnostic_of
from policyc.report.full import findings
from policyc.report.style import PLAIN, Style
from policyc.report.summary import plural
from policyc.source import Span

_WORDS = {
    PASSED: ("good", "passed   "), FAILED: ("error", "FAILED   "), UNDECIDED: ("warning", "UNDECIDED"),
    PROVED: ("good", "proved   "), REFUTED: ("error", "REFUTED  "),
}  # fmt: skip


def results_full(results: Results, style: Style = PLAIN, *, with_coverage: bool = False) -> str:
    """Return the tests by file and block, then the findings, the coverage where it is asked for, and the numbers."""
    lines = [*_blocks(results, style)]
    text = "\n".join(lines) + "\n\n"
    if results.diagnostics:
        text += findings(results.diagnostics, style) + "\n"
    if with_coverage:
        text += "\n".join(_coverage(results.coverage, style)) + "\n\n"
    return text + summary(results) + "\n"


def results_concise(results: Results, style: Style = PLAIN, *, with_coverage: bool = False) -> str:
    """Return a line for each test, each proof and, where coverage is asked for, each statement that no test exercises."""
    lines = []
    for result in results.packets:
        head = f"{style.foreign(str(result.test.span))}: "
        role, word = _WORDS[result.state]
        if result.state == PASSED:
            lines.append(f"{head}{style.paint(role, word.strip())}: {style.foreign(_text(result.test.span))}")
        else:
            found = diagnostic_of(result)
            code = style.paint(found.severity.label, f"{found.severity.label}[{found.code}]")
            lines.append(f"{head}{code}: {style.foreign(found.message)}")
    lines += [_proof_line(result, style) for result in results.proofs]
    if with_coverage:
        lines += [
            f"{style.foreign(str(one.statement.span))}: not exercised: {style.foreign(_shown(one))}"
            for one in results.coverage.unexercised
        ]
    lines.append(summary(results))
    return "\n".join(lines) + "\n"


def summary(results: Results) -> str:
    """Return "3 tests passed, 1 failed" and what else there is."""
    said = [f"{plural(len(results.packets), 'test')}: {results.count(PASSED)} passed"]
    said += [f"{results.count(state)} {state}" for state in (FAILED, UNDECIDED) if results.count(state)]
    text = ", ".join(said)
    if not results.proofs:
        return text
    states = [f"{count} {state}" for state in (PROVED, REFUTED, UNDECIDED) if (count := results.count_proofs(state))]
    return f"{text}; {plural(len(results.proofs), 'proof')}: {', '.join(states)}"


def _proof_line(result: ProofResult, style: Style) -> str:
    """Return a proof in one line, with the packet against it."""
    head = f"{style.foreign(str(result.proof.span))}: "
    found = result.diagnostic
    if found is None:
        role, word = _WORDS[result.state]
        return f"{head}{style.paint(role, word.strip())}: {style.foreign(_text(result.proof.span))}"
    code = style.paint(found.severity.label, f"{found.severity.label}[{found.code}]")
    packet = f": {result.counterexample}" if result.counterexample else ""
    return f"{head}{code}: {style.foreign(found.message + packet)}"


def _blocks(results: Results, style: Style) -> Iterator[str]:
    lines = [
        (result.test.span, result.test.block, result.state, _text(result.test.span), _which(result))
        for result in results.packets
    ]
    lines += [
        (
            one.proof.span,
            one.proof.block,
            one.state,
            _text(one.proof.span),
            f" ({one.counterexample})" if one.counterexample else "",
        )
        for one in results.proofs
    ]
    files = {span.source.name: None for span, *_ in lines}
    lines.sort(key=lambda line: (list(files).index(line[0].source.name), line[0].start))
    for (file, block), group in groupby(lines, key=lambda line: (line[0].source.name, line[1])):
        yield f"{style.foreign(file)}: {style.paint('bold', style.foreign(block))}"
        for _, _, state, text, note in group:
            role, word = _WORDS[state]
            yield f"  {style.paint(role, word)} {style.foreign(text)}{style.paint('faint', style.foreign(note))}"


def _against(result: ProofResult) -> str:
    return f" ({result.counterexample})" if result.counterexample else ""


def _which(result: PacketResult) -> str:
    """Return which packet it is where its line leaves that open, and why the kernel itself dropped it where no rule did."""
    asked, sent = result.question.headers, result.placement.packet
    said = [result.packet_text] if result.several or asked.dport != sent.dport or asked.proto != sent.proto else []
    first = result.courses[0]
    if result.state == PASSED and first.way.trace.reason:
        said.append(first.fate)
    return f" ({'; '.join(said)})" if said else ""


def _text(span: Span) -> str:
    return " ".join(span.text.split())


def _coverage(coverage: Coverage, style: Style) -> Iterator[str]:
    counted = plural(len(coverage.statements), "statement")
    yield (
        f"the tests exercise {coverage.exercised} of {counted} ({coverage.percent:.0f} %) "
        f"and {coverage.rules_exercised} of {plural(coverage.rules, 'kernel rule')}"
    )
    if coverage.unexercised:
        yield "not exercised:"
    for one in coverage.unexercised:
        place = style.paint("faint", style.foreign(f"{one.statement.span.source.name}:{one.statement.span.line}"))
        yield f"  {place}  {style.foreign(_shown(one))}"


def _shown(one: Covered) -> str:
    """Return a statement by its name and text."""
    text = _text(one.statement.span)
    return text if not one.statement.name or one.statement.name in text else f"{one.statement.name}: {text}"
