"""What a change would do, worked out and rehearsed: nothing is changed here. First half of `policyc.kernel.apply`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from policyc.frozen import frozen
from policyc.kernel.apply import sets
from policyc.kernel.apply.backends import Found, find
from policyc.kernel.apply.change import Change, Made, MadeSet, MadeSetting, NoChange
from policyc.kernel.apply.goals import again, goals_of, nothing
from policyc.kernel.apply.held import Held, NotLoaded, held, reached
from policyc.kernel.apply.journal import open_journal
from policyc.kernel.apply.jumps import jumps_out_of_place
from policyc.kernel.apply.place import Place
from policyc.kernel.apply.rehearsal import NoWayBack, rehearse
from policyc.kernel.apply.settings import SettingChange, wanted
from policyc.kernel.loading import Backend
from policyc.kernel.modules import loaded_modules
from policyc.kernel.privilege import require_privilege
from policyc.kernel.processes import Outcome, run
from policyc.netfilter.goal import Goal, Part, Whole, arranged, entered_from_outside, part_of
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.saved import Saved, SavedChain, table_of
from policyc.readers.saved import saved_tables

CHANGED_SINCE = "the rules in the kernel are not those that the plan saw; look at it again with `policyc plan`"
Settings = dict[str, tuple[str, str]]
"""The value of each kernel setting that is wanted, and why."""


class Refused(Exception):  # noqa: N818
    """The change is not begun, for a reason that the message says; `by_kernel`: the rules were refused in the rehearsal."""

    def __init__(self, reason: str, *, by_kernel: bool = False) -> None:
        super().__init__(reason)
        self.by_kernel = by_kernel


@frozen
class Planned:
    """A change with what is there now, what will be there, and what has to be said about it."""

    change: Change
    present: Held
    after: Saved
    notes: tuple[str, ...] = ()


def plan_apply(ruleset: Ruleset, source: str, place: Place, asked: Backend | None = None) -> Planned:
    """Work out how the kernel comes to hold a ruleset. Raises Refused, and what asking the machine raises."""
    made, found, there = made_in(place), _found(asked), sets.headers(_run)
    try:
        changes = sets.set_changes(ruleset, there, _run)
    except sets.Clash as error:
        raise Refused(f"{error}; destroy it, or give the policy's set another name") from None
    intent = ruleset.intent
    required: Settings = {one.name: (one.value, one.why) for one in (intent.sysctls if intent else ())}
    goals = goals_of(ruleset, found.held.saved, made)
    chains = tuple(_chains(goals)) if ruleset.shared else ()
    tables = () if ruleset.shared else tuple((one.family, one.name) for one in ruleset.tables)
    now = Made(intent.name if intent else source, ruleset.shared, chains, tables)
    planned = _Plan("apply", source, place, found, goals, changes, there, required, now, made).planned()
    return replace(planned, notes=(*planned.notes, *_moved(place, found.held.saved)))


def _moved(place: Place, present: Saved) -> list[str]:
    """Return in words which of our jumps others have moved since they were put in their places."""
    last = confirmed_in(place)
    if last is None or last.identity != place.identity:
        return []
    return [
        f"{said} ({goal.table} of IPv{goal.family})"
        for goal in last.after
        if isinstance(goal, Part)
        for said in jumps_out_of_place(present, goal)
    ]


def plan_uninstall(place: Place) -> Planned:
    """Work out how the kernel comes to hold nothing of ours. Raises Refused, and what asking the machine raises."""
    last = confirmed_in(place)
    made = made_in(place)
    if last is None or not made.policy:
        raise Refused("policyc has nothing of its own here")
    found = _found(last.backend)
    goals = nothing(found.held.saved, made)
    return _Plan("uninstall", made.policy, place, found, goals, [], sets.headers(_run), {}, Made(), made).planned()


def plan_rollback(place: Place) -> Planned:
    """Work out how the kernel comes to hold what it held before the last confirmed change. Raises Refused and the like."""
    last = confirmed_in(place)
    if last is None or last.identity != place.identity:
        raise Refused("nothing was applied here that could be taken back")
    if last.action == "rollback":
        raise Refused(f"the last change is taken back already ({last.source})")
    found, there = _found(last.backend), sets.headers(_run)
    before = last.made_before
    changes = sets.needed({one.name: one.create for one in before.sets}, there, _run)
    held = {one.name: one.adds for one in last.sets if one.drop}
    changes = [replace(one, adds=one.adds if one.was else held.get(one.name, ())) for one in changes]
    required: Settings = {one.name: (one.value, f"`{before.policy}`") for one in before.settings}
    planned = _Plan(
        "rollback", last.source, place, found, last.before, changes, there, required, before, last.made
    ).planned()
    if all(reached(found.held.saved, goal) for goal in last.after):
        return planned
    note = "the rules of the last change are not as it left them; what was changed in them since goes too"
    return replace(planned, notes=(*planned.notes, note))


def plan_boot(place: Place) -> Planned | None:
    """Work out how the kernel comes to hold what was confirmed last, None where nothing was. Raises Refused and the like."""
    last = confirmed_in(place)
    if last is None or not last.made.policy:
        return None
    found, there = _found(last.backend), sets.headers(_run)
    changes = sets.needed({one.name: one.create for one in last.made.sets}, there, _run)
    goals = [again(goal, found.held.saved) for goal in last.goals if isinstance(goal, Whole) or goal.chains]
    required: Settings = {one.name: (one.value, "") for one in last.made.settings}
    made = replace(last.made, chains=tuple(_chains(goals)) if last.made.shared else (), new=(), sets=(), settings=())
    before = made_in(place)
    return _Plan(
        "boot", last.source, place, found, goals, changes, there, required, made, before, lenient=True
    ).planned()


def plan_again(change: Change) -> Planned:
    """Return a change of a plan file with what is there now. Raises Refused where that is not what the plan saw."""
    present = held(change.backend, _run)
    if present.digest() != change.seen:
        raise Refused(CHANGED_SINCE)
    return Planned(change, present, applied(present.saved, change.after))


@dataclass(slots=True)
class _Plan:
    """A change while it is worked out. `lenient`: a setting that is not there yet is said and left out."""

    action: str
    source: str
    place: Place
    found: Found
    goals: Sequence[Goal]
    changes: list[sets.SetChange]
    there: dict[str, str]
    required: Settings
    made: Made
    made_before: Made
    lenient: bool = False

    def planned(self) -> Planned:
        """Rehearse it and return it. Raises Refused."""
        present = self.found.held
        _refuse_what_others_enter(self.goals, present.saved)
        used = {one.name for one in self.changes}
        gone = [one.name for one in self.made_before.sets if one.by_us and one.name not in used]
        self.changes += sets.dropped(gone, self.there, _run)
        before = tuple(_as_it_is(goal, present) for goal in self.goals)
        modules = loaded_modules()
        try:
            rehearsed = rehearse(self.goals, before, present, self.found.backend, self.changes, self.there)
        except NotLoaded as error:
            raise Refused(f"the kernel does not take the rules: {error}", by_kernel=True) from None
        except NoWayBack as error:
            raise Refused(f"there would be no way back: {error}") from None
        settings, notes = (
            self._settings()
        )  # asked after the rehearsal, which loads modules that bring settings with them
        if news := sorted(loaded_modules() - modules):
            notes.append(f"the kernel has loaded modules to try the rules: {', '.join(news)}")
        absent = tuple(goal.key for goal in self.goals if goal.key not in present.saved)
        change = Change(
            self.action, self.source, self.place.identity, self.found.backend, present.digest(), tuple(self.goals),
            rehearsed.after, before, absent, () if self.made.policy else self.made_before.new, tuple(self.changes),
            tuple(settings), self._made(absent, settings), self.made_before,
        )  # fmt: skip
        if self.found.other_too:
            notes.insert(
                0, f"the other kind of iptables than {self.found.backend.value} holds rules too; a packet meets both"
            )
        return Planned(change, present, applied(present.saved, change.after), tuple(notes))

    def _settings(self) -> tuple[list[SettingChange], list[str]]:
        found = wanted(self.required)
        missing = [one for one in found if one.was is None]
        if missing and not self.lenient:
            raise Refused(
                f"this kernel has no setting `{missing[0].name}`, which {missing[0].why or 'the policy'} requires"
            )
        before = self.made_before.settings
        back = {one.name: (one.original, "nothing needs it any more")
                for one in before if one.original is not None and one.name not in self.required}  # fmt: skip
        found += wanted(back)
        said = [f"there is no setting `{one.name}` yet; it is not set" for one in missing]
        closed = [
            one.name
            for one in found
            if one.differs and one.value == "0" and one.name.endswith(("forward", "forwarding"))
        ]
        return found, [*said, *(f"{name} goes back to 0; containers that came later may need it" for name in closed)]

    def _made(self, absent: Sequence[tuple[int, str]], settings: Sequence[SettingChange]) -> Made:
        if not self.made.policy:
            return Made()
        earlier = {one.name: one for one in self.made_before.settings}
        by_us = {one.name for one in self.made_before.sets if one.by_us}
        return replace(
            self.made,
            new=tuple(dict.fromkeys((*self.made_before.new, *absent))),
            sets=tuple(
                MadeSet(one.name, one.create, not one.was or one.name in by_us) for one in self.changes if not one.drop
            ),
            settings=tuple(
                MadeSetting(one.name, one.value, _original(one, earlier.get(one.name)))
                for one in settings
                if one.name in self.required
            ),
        )


def _original(change: SettingChange, earlier: MadeSetting | None) -> str | None:
    if earlier is not None and earlier.original is not None:
        return earlier.original
    return change.was if change.differs else None


def _as_it_is(goal: Goal, present: Held) -> Goal:
    if isinstance(goal, Whole):
        return Whole(*goal.key, present.block(goal.key))
    return part_of(present.saved, goal.key, goal.owned)


def applied(present: Saved, goals: Iterable[Goal]) -> Saved:
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


def _chains(goals: Iterable[Goal]) -> list[tuple[int, str, str]]:
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


def _refuse_what_others_enter(goals: Iterable[Goal], present: Saved) -> None:
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
    """Return what is policyc's in a namespace, as far as it can still be there."""
    change = confirmed_in(place)
    return change.made if change is not None and change.identity == place.identity else Made()


def confirmed_in(place: Place) -> Change | None:
    """Return the last confirmed change, of this run of the machine or an earlier one. Raises Refused where it is damaged."""
    try:
        journal = open_journal(place.confirmed)
    except OSError as error:
        raise Refused(f"what was applied last cannot be read ({place.confirmed}): {error.strerror}") from None
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
    return find(asked, _run)


def _run(words: Sequence[str], text: str) -> Outcome:
    """Run a program that only reads."""
    return run(words, text, exact=True)
