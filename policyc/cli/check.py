"""`policyc check`: what is wrong with it? Findings in any format; exit code 1 where one is at or over `--fail-on`."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import click

from policyc.cli.exit import Exit
from policyc.cli.options import (
    Asked,
    NotAskedError,
    color_option,
    config_options,
    output_option,
    source_options,
)
from policyc.cli.output import emit, style_for, tell
from policyc.config import FAIL_ON, FORMATS, Config
from policyc.diagnostics import Diagnostic, InputError, Severity
from policyc.diagnostics.selection import UnknownCodeError, all_codes_of
from policyc.loading import rulesets_of
from policyc.netfilter.ruleset import Ruleset
from policyc.report.answer import Answer
from policyc.report.formats import render
from policyc.report.style import PLAIN
from policyc.report.summary import worst


@click.command("check")
@source_options
@click.option("--format", "format_name", type=click.Choice(FORMATS), help="How findings look. Default: full.")
@click.option("--fail-on", type=click.Choice(FAIL_ON), help="The severity that makes the exit code 1. Default: error.")
@click.option("--select", multiple=True, metavar="CODES", help="Only these codes, names or beginnings of codes (PC1).")
@click.option("--ignore", multiple=True, metavar="CODES", help="Not these codes, names or beginnings of codes.")
@click.option("--kernel", is_flag=True, help="Load the rules into a throw-away network namespace too (root).")
@output_option
@color_option
@config_options
def command(
    *,
    asked: Asked,
    config: Config,
    format_name: str | None,
    fail_on: str | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    kernel: bool,
    output: str | None,
    color: str | None,
) -> int:
    """Report what is wrong with policies and dumps.

    Without SOURCE, the files that policyc.toml lists.
    """
    selected, ignored = _codes("--select", select or config.select), _codes("--ignore", ignore or config.ignore)
    shape = format_name or config.format
    try:
        answer = _answer(asked, config, selected, ignored, kernel=kernel)
    except InputError as error:
        answer = Answer(error.diagnostics, files=_names(error), complete=False)
    to_stdout = output in {None, "-"}
    style = style_for(sys.stdout, color or config.color) if to_stdout else PLAIN
    emit(render(shape, answer, style), output)
    if not answer.complete:
        return Exit.NOT_ASKED
    return _verdict(answer.diagnostics, fail_on or config.fail_on)


def _answer(
    asked: Asked, config: Config, selected: frozenset[str] | None, ignored: frozenset[str] | None, *, kernel: bool
) -> Answer:
    from policyc import api

    given = asked.given(config)
    found: list[Diagnostic] = []
    exactness: Counter[str] = Counter()
    for ruleset in rulesets_of(given):
        report = api.check(ruleset, select=selected, ignore=ignored)
        found.extend(report.diagnostics)
        exactness.update(report.exactness.to_dict())
        if kernel:
            found.extend(_asked_for(_kernel_findings(ruleset), selected, ignored))
    diagnostics = sorted((_weighed(finding, config) for finding in found), key=lambda finding: finding.sort_key)
    return Answer(tuple(diagnostics), tuple(item.source.name for item in given), dict(exactness))


def _codes(option: str, words: Sequence[str]) -> frozenset[str] | None:
    try:
        return all_codes_of(words) or None
    except UnknownCodeError as error:
        raise click.UsageError(f"{option}: {error}") from None


def _asked_for(
    findings: Iterable[Diagnostic], selected: frozenset[str] | None, ignored: frozenset[str] | None
) -> list[Diagnostic]:
    return [f for f in findings if (selected is None or f.code in selected) and f.code not in (ignored or ())]


def _weighed(finding: Diagnostic, config: Config) -> Diagnostic:
    """Return the finding with the severity that the config gives to its code."""
    severity = config.severity.get(finding.code)
    return finding if severity is None else replace(finding, severity_override=severity)


def _kernel_findings(ruleset: Ruleset) -> list[Diagnostic]:
    from policyc.kernel.check import kernel_check
    from policyc.kernel.processes import MissingProgram, NotPrivileged

    try:
        return kernel_check(ruleset)
    except NotPrivileged as error:
        tell(f"error: --kernel: {error}")
        raise click.exceptions.Exit(Exit.NOT_PRIVILEGED) from None
    except MissingProgram as error:
        raise NotAskedError(f"--kernel: {error}") from None


def _names(error: InputError) -> tuple[str, ...]:
    return tuple(dict.fromkeys(finding.span.source.name for finding in error.diagnostics if finding.span))


def _verdict(diagnostics: Sequence[Diagnostic], fail_on: str) -> Exit:
    found = worst(diagnostics)
    if fail_on == "never" or found is None:
        return Exit.FINE
    return Exit.BAD_NEWS if found >= Severity[fail_on.upper()] else Exit.FINE
