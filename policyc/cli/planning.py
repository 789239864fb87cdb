"""From the words of `plan` and `apply` to a planned change, and from that to what is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.options import Asked, Command, one_ruleset
from policyc.cli.output import complain, tell
from policyc.config import Config
from policyc.diagnostics import InputError, Severity
from policyc.netfilter.goal import Whole
from policyc.netfilter.saved_changes import OURS, Kind, saved_changes
from policyc.report.plan import PlanView, Requirement
from policyc.report.summary import sentence

if TYPE_CHECKING:
    from policyc.kernel.apply.change import Change
    from policyc.kernel.apply.place import Place
    from policyc.kernel.apply.plan import Planned
    from policyc.netfilter.ruleset import Ruleset

PLAN = "plan"


def backend_option(command: Command) -> Command:
    """Give a command `--backend`; it is called with `backend`, None where the user did not say."""
    text = "The kind of iptables, where both hold rules; default: the one that holds rules."
    return click.option("--backend", type=click.Choice(("iptables-nft", "iptables-legacy")), help=text)(command)


def planned(asked: Asked, config: Config, place: Place, backend: str | None) -> Planned:
    """Return the plan of a source. Ends the command where the source has errors."""
    from policyc.kernel.apply.plan import Refused, plan_apply
    from policyc.kernel.loading import Backend

    given = asked.given(config)
    ruleset = one_ruleset(given)
    _refuse_errors(ruleset, config)
    name = given[0].source.name
    chosen = None if backend is None else Backend(backend.removeprefix("iptables-"))
    try:
        return plan_apply(ruleset, name, place, chosen)
    except Refused as error:
        if error.by_kernel:
            _complain_of_rules(ruleset, chosen, config)
        raise


def plan_in(asked: Asked) -> Change | None:
    """Return the change of a plan file, None where the source is none. Raises InputError for one that is damaged."""
    from policyc.kernel.apply.change import NoChange, read_change
    from policyc.readers.files import read_file, refusal

    if len(asked.sources) != 1 or asked.dumps or asked.kind is not None or not Path(asked.sources[0]).is_file():
        return None
    path = asked.sources[0]
    with Path(path).open("rb") as file:
        head = file.read(200)
    if not head.lstrip().startswith(b"{") or f'"kind": "{PLAN}"'.encode() not in head:
        return None
    try:
        return read_change(read_file(Path(path), path).text, PLAN)
    except NoChange as error:
        raise refusal(
            path, f"`{path}` cannot be read as a plan: {error}", "make it anew with `policyc plan -o`"
        ) from None


def _refuse_errors(ruleset: Ruleset, config: Config) -> None:
    from policyc import api
    from policyc.checks.run import SLOW

    unasked = {*SLOW, "missing-object"}  # what is there and what is not, the rehearsal tells
    errors = [one for one in api.check(ruleset, ignore=unasked).diagnostics if one.severity is Severity.ERROR]
    if errors:
        complain(InputError(errors), config.color)
        tell(f"refused: {sentence(errors, 0)}")
        raise click.exceptions.Exit(Exit.REFUSED)


def _complain_of_rules(ruleset: Ruleset, backend: object, config: Config) -> None:
    """Say which rules the kernel refuses, at their lines, where each of them alone tells."""
    from policyc.kernel.check import kernel_check
    from policyc.kernel.loading import Backend

    backends = (backend,) if isinstance(backend, Backend) else (Backend.NFT,)
    found = [one for one in kernel_check(ruleset, backends) if one.severity is Severity.ERROR]
    if found:
        complain(InputError(found), config.color)


def view_of(found: Planned, place: Place) -> PlanView:
    """Return what is shown of a plan."""
    from policyc.kernel.apply.access import lost_access

    change = found.change
    ours = {*change.made.chains, *change.made_before.chains}
    whole = {*change.made.tables, *change.made_before.tables}
    ours |= {(*key, name) for state in (found.present.saved, found.after) for key in whole if key in state
             for name in state[key].chains}  # fmt: skip
    changes = saved_changes(found.present.saved, found.after, ours)
    dangers = (*_lost_rules(found), *lost_access(found.after, new_sets(change)))
    return PlanView(
        change.source,
        place.name,
        f"iptables-{change.backend.value}",
        tuple(changes),
        tuple(_requirements(change)),
        found.notes,
        dangers,
    )


def _lost_rules(found: Planned) -> Iterator[str]:
    """Yield what a table that becomes ours as a whole takes from others."""
    change = found.change
    keys = {goal.key for goal in change.goals if isinstance(goal, Whole)} - {*change.made_before.tables}
    before, after = ({key: state[key] for key in keys & {*state}} for state in (found.present.saved, found.after))
    lost = Counter(
        one.owner or "unknown makers"
        for one in saved_changes(before, after, change.made_before.chains)
        if one.kind is Kind.REMOVED and one.number and one.owner != OURS
    )
    if lost:
        listed = ", ".join(f"{number} of {owner}" for owner, number in sorted(lost.items()))
        yield f"{sum(lost.values())} rules that policyc has not made are taken away: {listed}"


def new_sets(change: Change) -> str:
    """Return the sets that the change makes, as `ipset save` would print them."""
    return "".join(f"create {one.name} {one.create}\n" for one in change.sets if not one.was and not one.drop)


def _requirements(change: Change) -> Iterator[Requirement]:
    from policyc.kernel.apply.needs import routing_needs

    for one in change.settings:
        present = "not there" if one.was is None else f"is {one.was}"
        yield Requirement("sysctl", one.name, present, f"set to {one.value}" if one.differs else "", one.why)
    for need in routing_needs(change.goals):
        missing = "no rule leads such packets to this host: the proxy gets none"
        yield Requirement("ip rule", need.name, f"is there, {need.rule}" if need.rule else missing, why="tproxy")
    for each in change.sets:
        kind = each.create.split(" ", maxsplit=1)[0]
        if each.drop:
            yield Requirement("ipset", each.name, "is there", "taken away")
        elif each.aside:
            yield Requirement(
                "ipset", each.name, "is there with another timeout", f"made anew as {each.create}, members kept"
            )
        else:
            adds = f"{len(each.adds)} members added" if each.adds else ""
            yield Requirement(
                "ipset", each.name, "is there" if each.was else "not there", adds if each.was else f"made, {kind}"
            )
