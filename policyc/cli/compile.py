"""`policyc compile`: the text that iptables-restore, ip6tables-restore, ipset restore or nft loads.

There is none where there are errors.
"""

from __future__ import annotations

from dataclasses import replace

import click

from policyc.cli.exit import Exit
from policyc.cli.options import Asked, NotAskedError, config_options, one_ruleset, output_option, source_options
from policyc.cli.output import complain, emit, tell
from policyc.config import Config
from policyc.diagnostics import InputError, Severity
from policyc.netfilter.ruleset import Ruleset
from policyc.report.summary import sentence

FAMILIES = ("4", "6", "both")
BACKENDS = ("iptables", "nft")
JUMPS = ("insert", "keep", "renew")
JUMPS_HELP = (
    "The jumps to a shared policy's chains: insert them (the first load), keep those that are there, or renew them."
)


@click.command("compile")
@source_options
@click.option("--family", type=click.Choice(FAMILIES), help="IPv4, IPv6, or both one behind the other, to look at.")
@click.option("--backend", type=click.Choice(BACKENDS), help="What loads it: the two iptables programs, or nft alone.")
@click.option("--ipset", is_flag=True, help="The sets instead of the rules, for `ipset restore`.")
@click.option("--jumps", type=click.Choice(JUMPS), help=JUMPS_HELP)
@click.option("--no-ids", is_flag=True, help="Leave out the comments that lead back to the policy's lines.")
@output_option
@config_options
def command(
    *,
    asked: Asked,
    config: Config,
    family: str | None,
    backend: str | None,
    ipset: bool,
    jumps: str | None,
    no_ids: bool,
    output: str | None,
) -> int:
    """Print what the kernel loads: `policyc compile edge.pol --family 4 | iptables-restore`."""
    from policyc import api
    from policyc.checks.run import SLOW

    ruleset = one_ruleset(asked.given(config), ids=not no_ids)
    errors = [d for d in api.check(ruleset, ignore=SLOW).diagnostics if d.severity is Severity.ERROR]
    if errors:
        complain(InputError(errors), config.color)
        tell(f"nothing is compiled: {sentence(errors, 0)}")
        return Exit.BAD_NEWS
    if jumps is not None and not ruleset.shared:
        raise click.UsageError("--jumps is about shared policies; this source owns its tables")
    if backend == "nft":
        if ipset or jumps is not None:
            raise click.UsageError(
                f"{'--ipset' if ipset else '--jumps'} is about iptables; nft loads everything at once"
            )
        return _native(ruleset, family, output, config)
    emit(_sets(ruleset, family) if ipset else _rules(ruleset, family, jumps or "insert"), output)
    return Exit.FINE


def _native(ruleset: Ruleset, family: str | None, output: str | None, config: Config) -> int:
    """Write native nftables, or say what of it there is no form for."""
    from policyc.writers.nft import nft_translation

    made = nft_translation(ruleset, None if family in {None, "both"} else _families(ruleset, family)[0])
    if made.findings:
        complain(InputError(made.findings), config.color)
    errors = [found for found in made.findings if found.severity is Severity.ERROR]
    if errors:
        tell(f"nothing is compiled: {sentence(errors, 0)}")
        return Exit.BAD_NEWS
    emit(made.text, output)
    return Exit.FINE


def _rules(ruleset: Ruleset, family: str | None, jumps: str) -> str:
    from policyc.writers.loadable import loadable_text
    from policyc.writers.shared import Jumps

    return "".join(loadable_text(ruleset, each, Jumps(jumps)) for each in _families(ruleset, family))


def _families(ruleset: Ruleset, family: str | None) -> tuple[int, ...]:
    there = ruleset.families
    if family == "both":
        return there
    if family is not None:
        if int(family) not in there:
            raise NotAskedError(f"there are no IPv{family} rules in this source")
        return (int(family),)
    if len(there) != 1:
        raise click.UsageError(
            "this source has rules of both families, which two programs load; say --family 4 or --family 6 "
            "(or --family both, to look at them)"
        )
    return there


def _sets(ruleset: Ruleset, family: str | None) -> str:
    from policyc.writers.ipset import ipset_restore

    if family in {None, "both"}:
        return ipset_restore(ruleset)
    return ipset_restore(replace(ruleset, sets=tuple(item for item in ruleset.sets if item.serves(int(family)))))
