"""A change is rehearsed, there and back, in a throw-away namespace that holds what the kernel holds.

What is read there after the change is what must be read here; and what is there now must come back as it is, or the change
is not begun. Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policyc.frozen import frozen
from policyc.kernel.apply import sets
from policyc.kernel.apply.held import FAMILIES, Held, NotLoaded, Runner, held, load, reached, restore
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import Outcome
from policyc.netfilter.goal import Goal, Part, Whole, part_of


class NoWayBack(Exception):  # noqa: N818
    """What the kernel holds now could not be put back as it is."""


@frozen
class Rehearsed:
    """The goals as the kernel prints them, and what all tables hold then."""

    after: tuple[Goal, ...]
    held: Held


def rehearse(
    goals: Sequence[Goal], before: Sequence[Goal], present: Held, backend: Backend,
    changes: Sequence[sets.SetChange], there: Mapping[str, str],
) -> Rehearsed:  # fmt: skip
    """Go there and back. Raises NotLoaded where the rules are refused, NoWayBack, and NotPrivileged without a namespace."""
    with Namespace() as namespace:

        def runner(words: Sequence[str], text: str) -> Outcome:
            return namespace.run(words, text, exact=True)

        return _rehearsed(goals, before, present, backend, changes, there, runner)


def _rehearsed(
    goals: Sequence[Goal], before: Sequence[Goal], present: Held, backend: Backend,
    changes: Sequence[sets.SetChange], there: Mapping[str, str], runner: Runner,
) -> Rehearsed:  # fmt: skip
    try:
        sets.make([sets.SetChange(name, create) for name, create in there.items()], runner)
        for family in FAMILIES:
            if present.texts[family]:
                restore(present.texts[family], family, backend, runner)
    except NotLoaded as error:
        raise NoWayBack(f"what the kernel holds now cannot be loaded again: {error}") from None
    found = held(backend, runner)
    if (wrong := _unlike(found, before)) is not None:
        raise NoWayBack(f"{_named(wrong)} does not come back as it is when it is loaded again")
    sets.make([one for one in changes if not one.drop], runner)
    load(goals, goals, found.saved, backend, runner)
    done = held(backend, runner)
    after = tuple(_printed(goal, done) for goal in goals)
    load(before, before, done.saved, backend, runner, reversed(FAMILIES))
    if (wrong := _unlike(held(backend, runner), before)) is not None:
        raise NoWayBack(f"{_named(wrong)} does not come back after the change")
    return Rehearsed(after, done)


def _printed(goal: Goal, done: Held) -> Goal:
    if isinstance(goal, Whole):
        return Whole(*goal.key, done.block(goal.key))
    found = part_of(done.saved, goal.key, goal.owned)
    return Part(*goal.key, goal.owned, found.chains, found.jumps)


def _unlike(found: Held, before: Sequence[Goal]) -> Goal | None:
    return next((goal for goal in before if not reached(found.saved, goal)), None)


def _named(goal: Goal) -> str:
    return f"{'the' if isinstance(goal, Whole) else 'our part of the'} table {goal.table} of IPv{goal.family}"
