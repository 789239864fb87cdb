"""A change as a value: where it leads, the way back, and what is ours once it is confirmed. What plan files and the journal hold.

Every text in it is what a tool of this machine printed or loaded in a rehearsal; reading one from a file checks its form.
"""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass

from policyc.frozen import frozen
from policyc.kernel.apply.place import Identity
from policyc.kernel.apply.sets import SetChange
from policyc.kernel.apply.settings import SettingChange
from policyc.kernel.loading import Backend
from policyc.netfilter.goal import Goal, Part, Whole
from policyc.netfilter.quoting import has_control_character
from policyc.netfilter.saved import Key
from policyc.readers.saved import NotSaved, saved_tables

FORMAT_VERSION = "1.0"


class NoChange(ValueError):  # noqa: N818
    """A text holds no change; the message says why."""


@frozen
class MadeSet:
    """A set that the rules of a policy ask: how it is created, and whether it was not there before policyc came."""

    name: str
    create: str
    by_us: bool


@frozen
class MadeSetting:
    """A kernel setting that a policy requires, and the value that it had before policyc came, None where it had that one."""

    name: str
    value: str
    original: str | None


@frozen
class Made:
    """What is policyc's in a namespace, as the last confirmed change left it; `policy` is "" where nothing is.

    `chains` are (family, table, name), `tables` those that are ours as a whole, `new` those that did not exist before policyc
    came.
    """

    policy: str = ""
    shared: bool = True
    chains: tuple[tuple[int, str, str], ...] = ()
    tables: tuple[Key, ...] = ()
    new: tuple[Key, ...] = ()
    sets: tuple[MadeSet, ...] = ()
    settings: tuple[MadeSetting, ...] = ()


@frozen
class Change:
    """One step from what the kernel holds to what it shall hold.

    `goals` are loaded, `after` are the same as the kernel prints them, `before` is what is there now; all three are about the
    same tables in the same order. Tables in `absent` do not exist, those in `leaves` shall not when the change is done, where
    nobody else has put something into them. `seen` is the hash of all that was there.
    `connection` is the ssh connection that the change must not be confirmed from, "" for any.
    """

    action: str
    source: str
    identity: Identity
    backend: Backend
    seen: str
    goals: tuple[Goal, ...]
    after: tuple[Goal, ...]
    before: tuple[Goal, ...]
    absent: tuple[Key, ...]
    leaves: tuple[Key, ...]
    sets: tuple[SetChange, ...]
    settings: tuple[SettingChange, ...]
    made: Made
    made_before: Made
    connection: str = ""

    @property
    def does_nothing(self) -> bool:
        """Whether the kernel holds already all that the change leads to."""
        sets = any(one.drop or one.adds or one.aside or not one.was for one in self.sets)
        return self.after == self.before and not sets and not any(one.differs for one in self.settings)


def change_text(change: Change, kind: str) -> str:
    """Return a change as JSON; `kind` says what the file is for."""
    members = [("format_version", FORMAT_VERSION), ("kind", kind), *_members(change).items()]
    lines = [f"{json.dumps(name)}: {json.dumps(value, default=_members)}" for name, value in members]
    return "{" + ",\n ".join(lines) + "}\n"


def _members(value: object) -> dict[str, object]:
    """Return the fields of a dataclass as they are; copying the lines of ten thousand rules takes longer than loading them."""
    assert is_dataclass(value), "a change holds plain values and dataclasses"
    found = {one.name: getattr(value, one.name) for one in fields(value)}
    return {name: one.value if isinstance(one, Backend) else one for name, one in found.items()}


def read_change(text: str, kind: str) -> Change:
    """Return the change of a JSON text; raise NoChange."""
    from pydantic import TypeAdapter, ValidationError

    try:
        value = json.loads(text)
    except ValueError:
        raise NoChange("it is no JSON") from None
    if not isinstance(value, dict) or value.pop("kind", None) != kind:
        raise NoChange(f"it is no {kind} of policyc")
    if str(value.pop("format_version", "")).split(".")[0] != FORMAT_VERSION.split(".", maxsplit=1)[0]:
        raise NoChange("another version of policyc wrote it")
    try:
        change: Change = TypeAdapter(Change).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise NoChange(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None
    _sound(change)
    return change


def _sound(change: Change) -> None:
    """Raise NoChange where a file's parts do not belong together, or a line of it would be more than one, or an option."""
    all_goals = (change.goals, change.after, change.before)
    keys = [[goal.key for goal in goals] for goals in all_goals]
    if not keys[0] == keys[1] == keys[2]:
        raise NoChange("its goals are not about the same tables")
    words = [word for one in change.sets for word in (one.name, one.create, one.aside, *one.adds)]
    words += [one.value for one in change.settings]
    for goal in (goal for goals in all_goals for goal in goals):
        if isinstance(goal, Part):
            words += [word for name, rules in goal.chains for word in (name, *rules)]
            words += [word for jump in goal.jumps for word in (jump.chain, jump.target)]
        elif not _is_one_table(goal):
            raise NoChange(f"its text for the table {goal.table} holds something else")
    if any(has_control_character(word) for word in words) or any(one.name.startswith("-") for one in change.sets):
        raise NoChange("a word of it holds a control character, or would be an option")


def _is_one_table(goal: Whole) -> bool:
    try:
        return list(saved_tables(goal.text, goal.family)) == [goal.key] and goal.text.count("COMMIT\n") == 1
    except NotSaved:
        return False
