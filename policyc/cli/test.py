"""`policyc test`: the policy's own `test` blocks; exit code 1 where a packet meets another fate than its test says."""

from __future__ import annotations

import sys

import click

from policyc.checks.tests import Results
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
from policyc.config import Config
from policyc.loading import rulesets_of
from policyc.report.style import PLAIN, Style

FORMATS = ("full", "concise", "json", "junit")


@click.command("test")
@source_options
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="full", help="How results look.")
@click.option("--coverage", "with_coverage", is_flag=True, help="List the statements that no test exercises.")
@click.option(
    "--min-coverage", type=click.FloatRange(0, 100), metavar="PERCENT",
    help="Exit with 1 where the tests exercise a smaller part of the statements.",
)  # fmt: skip
@output_option
@color_option
@config_options
def command(
    *,
    asked: Asked,
    config: Config,
    format_name: str,
    with_coverage: bool,
    min_coverage: float | None,
    output: str | None,
    color: str | None,
) -> int:
    """Send the packets of the policies' test blocks through their rules and compare what happens.

    Without SOURCE, the files that policyc.toml lists.
    """
    results = _results(asked, config)
    style = style_for(sys.stdout, color or config.color) if output in {None, "-"} else PLAIN
    emit(_rendered(results, format_name, style, with_coverage=with_coverage), output)
    if min_coverage is not None and results.coverage.percent < min_coverage:
        tell(
            f"coverage: {results.coverage.percent:.1f} % of the statements, less than the {min_coverage:g} % asked for"
        )
        return Exit.BAD_NEWS
    return Exit.FINE if results.passed else Exit.BAD_NEWS


def _results(asked: Asked, config: Config) -> Results:
    from policyc.checks.tests import run_tests, together

    given = asked.given(config)
    results = together(run_tests(ruleset) for ruleset in rulesets_of(given))
    if not results.packets and not results.proofs:
        names = ", ".join(f"`{item.source.name}`" for item in given)
        raise NotAskedError(f"nothing to test: no `test` block in {names}")
    return results


def _rendered(results: Results, name: str, style: Style, *, with_coverage: bool) -> str:
    match name:
        case "json":
            from policyc.report.json import json_text

            answer = results.to_dict()
            del answer["format_version"]
            return json_text(answer)
        case "junit":
            from policyc.report.tests_junit import results_junit

            return results_junit(results)
        case "concise":
            from policyc.report.tests_text import results_concise

            return results_concise(results, style, with_coverage=with_coverage)
    from policyc.report.tests_text import results_full

    return results_full(results, style, with_coverage=with_coverage)
