"""The ipsets of a change: made before the rules that ask them, taken away after those that did. Part of `policyc.kernel.apply`.

What a set holds is runtime state: a set that is there and fits is left as it is. One with another timeout is made anew beside
it, filled with what it holds, and swapped; the old one is kept until the change is confirmed. Source: ipset(8).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policyc.frozen import frozen
from policyc.kernel.apply.held import NotLoaded, Runner
from policyc.kernel.modules import has_module
from policyc.kernel.processes import MissingProgram, Unanswered, program
from policyc.netfilter.chain_names import letters
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.ruleset import Ruleset
from policyc.writers.ipset import create_words


@frozen
class SetChange:
    """A set: `create` are the words behind its name, `was` those that it has now, "" where it is not there.

    `adds` are members that it must have and lacks; with `aside` it is made anew and the old one keeps that name meanwhile,
    `adds` are then all members. `drop`: it is taken away once the change is confirmed, and `adds` are what it held.
    """

    name: str
    create: str
    was: str = ""
    adds: tuple[str, ...] = ()
    aside: str = ""
    drop: bool = False


class Clash(Exception):  # noqa: N818
    """A set is there that the rules cannot use and that cannot be replaced while rules ask it."""


def headers(runner: Runner) -> dict[str, str]:
    """Return what each set is, as `ipset create` takes it. Raises Unanswered."""
    if not has_module("ip_set"):
        return {}
    try:
        words = [program("ipset", "ipset"), "list", "-terse"]
    except MissingProgram:  # whoever needs a set is told when it is to be made
        return {}
    outcome = runner(words, "")
    if outcome.code:
        raise Unanswered(f"the ipsets cannot be read: {' '.join(outcome.err.split())}")
    found: dict[str, str] = {}
    name = kind = ""
    for line in outcome.out.split("\n"):
        key, _, value = line.partition(": ")
        if key == "Name":
            name = value
        elif key == "Type":
            kind = value
        elif key == "Header":
            found[name] = f"{kind} {value}"
    return found


def set_changes(ruleset: Ruleset, there: Mapping[str, str], runner: Runner) -> list[SetChange]:
    """Return what has to be done for the sets that a ruleset makes. Raises Clash."""
    found = []
    for one in ruleset.sets:
        if one.owner:
            continue
        if one.name.startswith("-"):
            raise Clash(f"ipset would take the set `{one.name}` for an option")
        create, was = create_words(one), there.get(one.name, "")
        if not was:
            found.append(SetChange(one.name, create, adds=one.members))
        elif _alike(create, was):
            held = _members(one.name, runner) if one.members else ()
            known = {line.split(" ")[0] for line in held}
            found.append(
                SetChange(one.name, create, was, tuple(m for m in one.members if m.split(" ")[0] not in known))
            )
        elif was.split(" ")[0] != one.kind or _option(was, "family") != _option(create, "family"):
            raise Clash(f"the set `{one.name}` is there as {_kind(was)}, and the rules need {_kind(create)}")
        else:
            found.append(_made_anew(one.name, create, was, one.members, runner))
    return found


def _made_anew(name: str, create: str, was: str, members: Sequence[str], runner: Runner) -> SetChange:
    timed = "timeout" in create.split(" ")
    adds = tuple(_timed(line, timed=timed) for line in (*_members(name, runner), *members))
    return SetChange(name, create, was, adds, aside=f"pc-{letters(name, 8)}")


def dropped(names: Sequence[str], there: Mapping[str, str], runner: Runner) -> list[SetChange]:
    """Return what has to be done for sets that are not needed any more."""
    return [
        SetChange(name, there[name], there[name], tuple(_members(name, runner)), drop=True)
        for name in names
        if name in there
    ]


def needed(names: Mapping[str, str], there: Mapping[str, str], runner: Runner) -> list[SetChange]:
    """Return what has to be done so that sets are there as they were created once, whatever they hold now."""
    found = []
    for name, create in names.items():
        was = there.get(name, "")
        if not was or _alike(create, was):
            found.append(SetChange(name, create, was))
        else:
            found.append(_made_anew(name, create, was, (), runner))
    return found


def make(changes: Sequence[SetChange], runner: Runner) -> None:
    """Make and fill sets; raise NotLoaded."""
    lines: list[str] = []
    for one in changes:
        name, adds = quote_word(one.name), one.adds
        if one.drop:
            continue
        if one.aside:
            aside = quote_word(one.aside)
            lines += [f"create {aside} {one.create}", *(f"add {aside} {member} -exist" for member in adds)]
            lines.append(f"swap {aside} {name}")
        else:
            lines += [] if one.was else [f"create {name} {one.create}"]
            lines += [f"add {name} {member} -exist" for member in adds]
    _restore(lines, runner)


def take_back(changes: Sequence[SetChange], runner: Runner) -> None:
    """Bring the sets back to what they were, however far `make` came. Raises NotLoaded."""
    if not changes:
        return
    there = headers(runner)
    lines: list[str] = []
    for one in changes:
        name = quote_word(one.name)
        if one.drop or one.name not in there:
            continue
        if one.aside:
            if one.aside in there and _same(there[one.aside], one.was):
                lines.append(f"swap {quote_word(one.aside)} {name}")
            lines += [f"destroy {quote_word(one.aside)}"] if one.aside in there else []
        elif not one.was:
            lines.append(f"destroy {name}")
        else:
            lines += [f"del {name} {member.split(' ')[0]} -exist" for member in one.adds]
    _restore(lines, runner)


def settle(changes: Sequence[SetChange], runner: Runner) -> list[str]:
    """Take away what a confirmed change needs no more; return the names of sets that rules of others still ask."""
    there = headers(runner) if changes else {}
    kept = []
    for one in changes:
        name = one.aside or (one.name if one.drop else "")
        if name in there and runner([program("ipset", "ipset"), "destroy", name], "").code:
            kept.append(name)
    return kept


def are_made(changes: Sequence[SetChange], runner: Runner) -> bool:
    """Whether the sets are as the change wants them."""
    there = headers(runner) if changes else {}
    return all(one.drop or one.name in there for one in changes)


def _restore(lines: Sequence[str], runner: Runner) -> None:
    if not lines:
        return
    outcome = runner([program("ipset", "ipset"), "restore"], "".join(f"{line}\n" for line in lines))
    if outcome.code:
        raise NotLoaded(" ".join(outcome.err.split()) or "the sets were refused without a reason")


def _members(name: str, runner: Runner) -> tuple[str, ...]:
    """Return the members of a set as `ipset add` takes them."""
    outcome = runner([program("ipset", "ipset"), "save", name], "")
    head = f"add {name} "
    return tuple(line.removeprefix(head) for line in outcome.out.split("\n") if line.startswith(head))


def _alike(create: str, was: str) -> bool:
    """Whether a set that is there can stand for one that is to be created."""
    same = was.split(" ", maxsplit=1)[0] == create.split(" ", maxsplit=1)[0]
    return same and all(_option(was, word) == _option(create, word) for word in ("family", "timeout"))


def _option(words: str, name: str) -> str:
    parts = words.split(" ")
    return parts[parts.index(name) + 1] if name in parts else ""


def _same(one: str, other: str) -> bool:
    """Whether two headers are of one set: hashes know each other by what they were seeded with, and may have grown."""
    return _option(one, "initval") == _option(other, "initval") if "initval" in one else one == other


def _kind(words: str) -> str:
    family = _option(words, "family")
    kind = words.split(" ", maxsplit=1)[0]
    return f"{kind} of family {family}" if family else kind


def _timed(member: str, *, timed: bool) -> str:
    """Return a member for a set with or without timeouts."""
    words = member.split(" ")
    if not timed and "timeout" in words:
        at = words.index("timeout")
        del words[at : at + 2]
    return " ".join(words)
