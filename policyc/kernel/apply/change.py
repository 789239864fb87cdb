"""A change as a value: where it leads, the way back, and what is ours once it is confirmed. What plan files and the journal hold.

Every text in it is what a tool of this machine printed or loaded in a rehearsal; reading one from a file checks its form.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from policyc.kernel.apply.place import Identity
from policyc.kernel.apply.sets import SetChange
from policyc.kernel.apply.settings import SettingChange
from policyc.kernel.loading import Backend
from policyc.netfilter.goal import Goal, Part
from policyc.netfilter.saved import Key
from policyc.writers.json_layout import laid_out

FORMAT_VERSION = "1.0"


class NoChange(ValueError):  # noqa: N818
    """A text holds no change; the message says why."""


@dataclass(frozen=True, slots=True)
class MadeSet:
    """A set that the rules of a policy ask: how it is created, and whether it was not there before policyc came."""

    name: str
    create: str
    by_us: bool


@dataclass(frozen=True, slots=True)
class MadeSetting:
    """A kernel setting that a policy requires, and the value that it had before policyc came, None where it had that one."""

    name: str
    value: str
    original: str | None


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class Change:
    """One step from what the kernel holds to what it shall hold.

    `goals` are loaded, `after` are the same as the kernel prints them, `before` is what is there now; all three are about the
    same tables in the same order. Tables in `absent` do not exist, those in `leaves` shall not when the change is done, where
    nobody else has put something into them. `seen` is the hash of all that was there.
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

    @property
    def does_nothing(self) -> bool:
        """Whether the kernel holds already all that the change leads to."""
        sets = any(one.drop or one.adds or one.aside or not one.was for one in self.sets)
        return self.after == self.before and not sets and not any(one.differs for one in self.settings)


def change_text(change: Change, kind: str) -> str:
    """Return a change as JSON; `kind` says what the file is for."""
    return laid_out({"format_version": FORMAT_VERSION, "kind": kind, **asdict(change), "backend": change.backend.value})


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
    """Raise NoChange where a file's parts do not belong together, or a line of it would be more than one."""
    keys = [[(goal.family, goal.table) for goal in goals] for goals in (change.goals, change.after, change.before)]
    if not keys[0] == keys[1] == keys[2]:
        raise NoChange("its goals are not about the same tables")
    parts = (goal for goals in (change.goals, change.after, change.before) for goal in goals if isinstance(goal, Part))
    words = [word for part in parts for name, rules in part.chains for word in (name, *rules)]
    words += [word for one in change.sets for word in (one.name, one.create, one.aside, *one.adds)]
    words += [one.value for one in change.settings]
    if any("\n" in word or "\r" in word or "\0" in word for word in words):
        raise NoChange("a line of it holds a line end")
