"""What a change would do, worked out and rehearsed: nothing is changed here. First half of `policyc.kernel.apply`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from policyc.kernel.apply import sets, settings
from policyc.kernel.apply.backends import Found, find
from policyc.kernel.apply.change import Change, Made, NoChange
from policyc.kernel.apply.goals import goals_of, nothing
from policyc.kernel.apply.held import Held, NotLoaded
from policyc.kernel.apply.journal import open_journal
from policyc.kernel.apply.place import Place
from policyc.kernel.apply.rehearsal import NoWayBack, rehearse
from policyc.kernel.loading import Backend
from policyc.kernel.processes import Outcome, run
from policyc.kernel.rulesets import require_privilege
from policyc.netfilter.goal import Goal, Part, Whole, arranged, entered_from_outside, part_of
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.saved import Saved, SavedChain, table_of
from policyc.readers.saved import saved_tables


class Refused(Exception):  # noqa: N818
    """The change is not begun, for a reason that the message says; `by_kernel`: a rehearsal was refused."""

    def __init__(self, reason: str, *, by_kernel: bool = False) -> None:
        super().__init__(reason)
        self.by_kernel = by_kernel


@dataclass(frozen=True, slots=True)
class Planned:
    """A change with what is there now, what will be there, and what has to be said about it.

    `dangers` are reasons not to do it without being asked.
    """

    change: Change
    present: Held
    after: Saved
    notes: tuple[str, ...] = ()
    dangers: tuple[str, ...] = ()


def plan_apply(ruleset: Ruleset, source: str, place: Place, asked: Backend | None = None) -> Planned:
    """Work out how the kernel comes to hold a ruleset. Raises Refused, and what asking the machine raises."""
    found = _found(asked)
    made = made_in(place)
    goals = goals_of(ruleset, found.held.saved, made)
    policy = ruleset.intent.name if ruleset.intent else ""
    wanted = {one.name: (one.value, one.why) for one in (ruleset.intent.sysctls if ruleset.intent else ())}
    there = sets.headers(_runner)
    try:
        changes = sets.set_changes(ruleset, there, _runner)
    except sets.Clash as error:
        raise Refused(f"{error}; destroy it, or give the policy's set another name") from None
    used = {one.name for one in changes}
    changes += sets.dropped([name for name in made.sets if name not in used], there, _runner)
    originals = dict(made.settings)
    asked_for = [
        settings.SettingChange(name, value, settings.present(name), why) for name, (value, why) in wanted.items()
    ]
    asked_for += [
        settings.SettingChange(name, value, settings.present(name), "nothing needs it any more")
        for name, value in originals.items() if name not in wanted
    ]  # fmt: skip
    missing = [one.name for one in asked_for if one.was is None and one.name in wanted]
    if missing:
        raise Refused(f"this kernel has no setting `{missing[0]}`, which the policy requires")
    absent = tuple(goal.key for goal in goals if goal.key not in found.held.saved)
    now = Made(
        policy or source, ruleset.shared, tuple(_chains(goals)) if ruleset.shared else (),
        () if ruleset.shared else tuple(goal.key for goal in goals if isinstance(goal, Whole) and ":" in goal.text),
        tuple(one.name for one in changes if not one.drop and (not one.was or one.name in made.sets)),
        tuple((one.name, originals.get(one.name, one.was or "")) for one in asked_for
              if one.name in wanted and (one.differs or one.name in originals)),
        tuple(dict.fromkeys((*made.new, *absent))),
    )  # fmt: skip
    return _planned("apply", source, place, found, goals, changes, asked_for, now, made, there)


def plan_uninstall(place: Place) -> Planned:
    """Work out how the kernel comes to hold nothing of ours. Raises Refused, and what asking the machine raises."""
    made, backend = made_in(place), backend_in(place)
    if not made.policy:
        raise Refused("policyc has nothing of its own here")
    found = _found(backend)
    there = sets.headers(_runner)
    changes = sets.dropped(made.sets, there, _runner)
    back = [settings.SettingChange(name, value, settings.present(name)) for name, value in made.settings]
    goals = nothing(found.held.saved, made)
    return _planned("uninstall", made.policy, place, found, goals, changes, back, Made(), made, there)


def _planned(
    action: str, source: str, place: Place, found: Found, goals: Sequence[Goal], changes: Sequence[sets.SetChange],
    wanted: Sequence[settings.SettingChange], made: Made, made_before: Made, there: dict[str, str],
) -> Planned:  # fmt: skip
    present = found.held
    _refuse_what_others_enter(goals, present.saved)
    before = tuple(
        Whole(*goal.key, present.block(goal.key))
        if isinstance(goal, Whole)
        else part_of(present.saved, goal.key, goal.owned)
        for goal in goals
    )
    try:
        rehearsed = rehearse(goals, before, present, found.backend, changes, there)
    except NotLoaded as error:
        raise Refused(f"the kernel does not take the rules: {error}", by_kernel=True) from None
    except NoWayBack as error:
        raise Refused(f"there would be no way back: {error}") from None
    change = Change(
        action, source, place.identity, found.backend, present.digest(), tuple(goals), rehearsed.after, before,
        tuple(goal.key for goal in goals if goal.key not in present.saved), () if made.policy else made_before.new,
        tuple(changes), tuple(wanted), made, made_before,
    )  # fmt: skip
    return with_notes(change, present, other_too=found.other_too)


def with_notes(change: Change, present: Held, *, other_too: bool = False) -> Planned:
    """Return a change with what it leads to, and what is to be said about it."""
    other = Backend.LEGACY if change.backend is Backend.NFT else Backend.NFT
    notes = []
    if other_too:
        notes.append(f"iptables-{other.value} holds rules too, which stay; a packet meets both")
    return Planned(change, present, applied(present.saved, change.after), tuple(notes))


def applied(present: Saved, goals: Sequence[Goal]) -> Saved:
    """Return all tables as they are when the goals are reached."""
    found = dict(present)
    for goal in goals:
        if isinstance(goal, Whole):
            found[goal.key] = table_of(saved_tables(goal.text, goal.family), goal.key)
            continue
        table = table_of(present, goal.key)
        chains = {name: chain for name, chain in table.chains.items() if name not in goal.owned}
        for jump in goal.jumps:
            chains.setdefault(jump.chain, table.chain(jump.chain) or SavedChain())
        for name, chain in chains.items():
            mine = [jump for jump in goal.jumps if jump.chain == name]
            chains[name] = SavedChain(chain.policy, arranged(chain.rules, mine, goal.owned))
        chains |= {name: SavedChain("", rules) for name, rules in goal.chains}
        found[goal.key] = replace(table, chains=chains)
    return found


def _chains(goals: Sequence[Goal]) -> list[tuple[int, str, str]]:
    """Return the chains that goals of a shared policy make."""
    found = []
    for goal in goals:
        if isinstance(goal, Part):
            names = [name for name, _ in goal.chains]
        else:
            table = table_of(saved_tables(goal.text, goal.family), goal.key)
            names = [name for name, chain in table.chains.items() if not chain.policy]
        found += [(*goal.key, name) for name in names]
    return found


def _refuse_what_others_enter(goals: Sequence[Goal], present: Saved) -> None:
    """Raise Refused where rules of others lead to chains that shall be gone: the kernel would not let them go."""
    for goal in goals:
        if isinstance(goal, Part):
            gone = {*goal.owned} - {name for name, _ in goal.chains}
            for chain, rule in entered_from_outside(table_of(present, goal.key), goal.owned, gone):
                raise Refused(
                    f"a rule of others leads to a chain that shall be gone: `-A {chain} {rule}` in {goal.table} of "
                    f"IPv{goal.family}; take it away first"
                )


def made_in(place: Place) -> Made:
    """Return what policyc has made in a namespace, as far as it is still there."""
    change = confirmed_in(place)
    return change.made if change is not None and change.identity == place.identity else Made()


def backend_in(place: Place) -> Backend | None:
    """Return the backend of the last confirmed change."""
    change = confirmed_in(place)
    return None if change is None else change.backend


def confirmed_in(place: Place) -> Change | None:
    """Return the last confirmed change, of this run of the machine or an earlier one. Raises Refused where it is damaged."""
    journal = open_journal(place.confirmed)
    if journal is None:
        return None
    try:
        return journal.change()
    except (NoChange, OSError) as error:
        raise Refused(f"what was applied last cannot be read ({place.confirmed}): {error}") from None
    finally:
        journal.close()


def _found(asked: Backend | None) -> Found:
    require_privilege()
    return find(asked, _runner)


def _runner(words: Sequence[str], text: str) -> Outcome:
    """Run a program that only reads."""
    return run(words, text, exact=True)
