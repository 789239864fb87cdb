"""`policyc apply`: change the kernel, both families together, and back again unless somebody confirms."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from policyc.cli.exit import Exit
from policyc.cli.machine import ended, machine_options
from policyc.cli.options import Asked, NotAskedError, color_option, config_options, source_options
from policyc.cli.output import emit, style_for, tell, tell_raw
from policyc.cli.planning import backend_option, new_sets, plan_in, planned, view_of
from policyc.config import Config

if TYPE_CHECKING:
    from policyc.kernel.apply.place import Place
    from policyc.kernel.apply.plan import Planned

ON_A_TERMINAL = 30
"""Seconds to confirm in, where a person sits at a terminal and says nothing else."""
MOST_SHOWN = 200
"""Lines of a plan that are shown before it is carried out; `policyc plan` shows all."""
CONFIRM_HELP = (
    "Take the change back after so many seconds unless `policyc confirm` is called; 0: never. "
    f"Default: {ON_A_TERMINAL} on a terminal, else 0."
)


@click.command("apply")
@source_options
@backend_option
@click.option("--confirm", "seconds", type=click.FloatRange(0, 86400), metavar="SECONDS", help=CONFIRM_HELP)
@click.option("--new-connection", is_flag=True, help="Only a new ssh connection may confirm it.")
@click.option("--wait", is_flag=True, help="Stay until the change is confirmed (exit code 0) or taken back (3).")
@click.option("--yes", is_flag=True, help="Ask nothing, and go on in spite of warnings.")
@click.option("--dry-run", is_flag=True, help="Rehearse and show the change, and leave the kernel as it is.")
@click.option("--flush-changed-flows", "flush", is_flag=True, help="End the connections that get another translation.")
@click.option("--boot-unit", is_flag=True, help="Print a systemd unit that does --boot before the network comes up.")
@click.option("--boot", is_flag=True, help="Load what was confirmed last, as the boot unit does; without SOURCE.")
@color_option
@machine_options
@config_options
def command(*, asked: Asked, config: Config, place: Place, backend: str | None, boot: bool, **options: Any) -> int:
    """Change the running kernel so that it holds SOURCE, a policy or dump or a file of `policyc plan` (root).

    The change is rehearsed first. Then the kernel ends with all of the new rules or with exactly what it held before,
    also when policyc is killed on the way.
    """
    if options["boot_unit"]:
        return _print_unit()
    if boot:
        if asked.sources or asked.dumps:
            raise click.UsageError("--boot loads what was confirmed last; leave SOURCE out")
        return _boot(place)
    found = _planned(asked, config, place, backend)
    view = view_of(found, place)
    from policyc.report.plan import plan_text

    tell_raw(plan_text(view, style_for(sys.stderr, options["color"] or config.color), most=MOST_SHOWN))
    idle = found.change.does_nothing
    if options["dry_run"] or (idle and found.change.made == found.change.made_before):
        return Exit.FINE
    asking = sys.stdin.isatty() and sys.stderr.isatty()
    if not options["yes"] and not _agreed(asking=asking, dangers=bool(view.dangers), idle=idle):
        tell("nothing is changed")
        return Exit.REFUSED
    seconds = options["seconds"]
    seconds = (ON_A_TERMINAL if asking else 0) if seconds is None else seconds
    if options["new_connection"]:
        found = _from_elsewhere(found)
    return _performed(found, place, None if idle else seconds or None, wait=options["wait"], flush=options["flush"])


def _from_elsewhere(found: Planned) -> Planned:
    from policyc.kernel.apply.access import connection_text

    connection = connection_text()
    if not connection:
        raise click.UsageError(
            "--new-connection: nobody sits at an ssh connection here that there could be a new one beside"
        )
    return replace(found, change=replace(found.change, connection=connection))


def _planned(asked: Asked, config: Config, place: Place, backend: str | None) -> Planned:
    change = plan_in(asked)
    if change is None:
        return planned(asked, config, place, backend)
    if backend not in {None, name := f"iptables-{change.backend.value}"}:
        raise click.UsageError(f"the plan is for {name}; plan again for {backend}")
    from policyc.kernel.apply.plan import plan_again

    return plan_again(change)


def _agreed(*, asking: bool, dangers: bool, idle: bool) -> bool:
    if not asking:
        if dangers:
            tell("refused: there are warnings and nobody to ask; `--yes` goes on in spite of them")
        return not dangers
    return idle or click.confirm("apply this?", err=True)


def _performed(found: Planned, place: Place, seconds: float | None, *, wait: bool, flush: bool) -> int:
    from policyc.kernel.apply.flows import changed_flows, changes_translation, forget
    from policyc.kernel.apply.perform import Outcome, perform, wait_for

    flows = changed_flows(found.after, new_sets(found.change)) if flush and changes_translation(found.change) else []
    done = perform(found.change, place, seconds)
    if flush and done.outcome in {Outcome.WAITING, Outcome.CONFIRMED}:
        tell(f"connections that are ended, because their translation is another one: {forget(flows)}")
    if done.outcome is Outcome.WAITING:
        tell(
            f"applied; it is taken back in {seconds:g} seconds unless you say `policyc confirm`, best from a new connection"
        )
        if wait:
            done = wait_for(place)
    return ended(done)


def _print_unit() -> int:
    from policyc.kernel.apply.boot_unit import NoUnitPath, boot_unit

    try:
        emit(boot_unit())
    except NoUnitPath as error:
        raise NotAskedError(str(error)) from None
    return Exit.FINE


def _boot(place: Place) -> int:
    from policyc.kernel.apply.perform import Outcome, perform, take_back_pending
    from policyc.kernel.apply.plan import plan_boot

    left = take_back_pending(place)
    if left.outcome is not Outcome.NOTHING_PENDING:
        ended(left)
    found = plan_boot(place)
    if found is None:
        tell("nothing was confirmed here: nothing is loaded")
        return Exit.FINE
    for note in found.notes:
        tell(f"note: {note}")
    return ended(perform(found.change, place))
