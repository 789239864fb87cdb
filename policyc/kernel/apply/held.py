"""What the kernel holds now, and what loads something else: the hands of `policyc.kernel.apply`.

Both work through a runner, which starts a program in this network namespace or in the throw-away one of a rehearsal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path

from policyc.frozen import frozen
from policyc.kernel.loading import Backend
from policyc.kernel.processes import NotPrivileged, Outcome, Unanswered
from policyc.netfilter.goal import Goal, Part, Whole
from policyc.netfilter.saved import Key, Saved, table_of
from policyc.readers.saved import NotSaved, saved_tables
from policyc.writers.towards import replacing, towards

FAMILIES = (4, 6)
_IPV6 = Path("/proc/thread-self/net/if_inet6")
_INCOMPATIBLE = "# Table `"
_WAIT = ("--wait", "10")  # seconds for the lock that tools of iptables-legacy share

Runner = Callable[[Sequence[str], str], Outcome]
"""Runs a program with a text on its standard input."""


class NotLoaded(Exception):  # noqa: N818 - what became of the rules
    """A tool refused what it was given; the message is the tool's."""


@frozen
class Held:
    """What one backend holds: the printed text of each family, counters included, and the same as tables."""

    texts: dict[int, str]
    saved: Saved

    def block(self, key: Key) -> str:
        """Return the printed text of a table from `*name` to `COMMIT`, without chains where there is none."""
        lines = self.texts[key[0]].split("\n")
        head = f"*{key[1]}"
        if head not in lines:
            return f"{head}\nCOMMIT\n"
        start = lines.index(head)
        return "".join(f"{line}\n" for line in lines[start : lines.index("COMMIT", start) + 1])

    def digest(self) -> str:
        """Return a hash of all tables, counters aside."""
        found = sha256()
        for key, table in sorted(self.saved.items()):
            if not table.does_nothing():
                found.update(
                    repr((key, sorted((name, one.policy, one.rules) for name, one in table.chains.items()))).encode()
                )
        return found.hexdigest()


def held(backend: Backend, runner: Runner) -> Held:
    """Read both families. Raises MissingProgram, NotPrivileged, and Unanswered where the rules cannot be printed."""
    texts = {family: _printed(backend, family, runner) for family in FAMILIES}
    try:
        saved = {key: table for family, text in texts.items() for key, table in saved_tables(text, family).items()}
    except NotSaved as error:
        raise Unanswered(str(error)) from None
    return Held(texts, saved)


def _printed(backend: Backend, family: int, runner: Runner) -> str:
    outcome = runner([backend.tool(family, "save"), "--counters"], "")
    if outcome.code and family == 6 and not _IPV6.exists():
        return ""  # a kernel without IPv6 has no tables of it
    if outcome.code:
        reason = " ".join(outcome.err.split()) or "no reason is given"
        raise (NotPrivileged if "permi" in reason.lower() else Unanswered)(f"the rules cannot be read: {reason}")
    for line in outcome.out.split("\n"):
        if line.startswith(_INCOMPATIBLE):
            raise Unanswered(
                f"nft has written to a table of iptables, which iptables cannot print: {line.removeprefix('# ')}"
            )
    return "".join(f"{line}\n" for line in outcome.out.split("\n") if line and line[0] != "#")


def load(goals: Sequence[Goal], printed: Sequence[Goal], present: Saved, backend: Backend, runner: Runner,
         families: Iterable[int] = FAMILIES) -> None:  # fmt: skip
    """Bring the tables to their goals, one family behind the other; raise NotLoaded.

    `printed` are the goals as the kernel prints them; what is there already is left alone.
    """
    for family in families:
        pairs = [(goal, shown) for goal, shown in zip(goals, printed, strict=True) if goal.family == family]
        parts = "".join(
            towards(present, goal, shown)
            for goal, shown in pairs if isinstance(goal, Part) and isinstance(shown, Part)
        )  # fmt: skip
        wholes = "".join(
            replacing(goal, every_base_chain=backend is Backend.LEGACY)
            for goal, shown in pairs if isinstance(goal, Whole) and not reached(present, shown)
        )  # fmt: skip
        if parts:
            restore(parts, family, backend, runner, "--noflush")
        if wholes:
            restore(wholes, family, backend, runner)


def restore(text: str, family: int, backend: Backend, runner: Runner, *options: str) -> None:
    """Load a text; raise NotLoaded. Each table in it is changed as a whole or not at all."""
    outcome = runner([backend.tool(family, "restore"), "--counters", *_WAIT, *options], text)
    if outcome.code:
        raise NotLoaded(" ".join(outcome.err.split()) or "the rules were refused without a reason")


def reached(present: Saved, goal: Goal) -> bool:
    """Whether a table holds what the goal says; `goal` as the kernel prints it."""
    if isinstance(goal, Whole):
        wanted = table_of(saved_tables(goal.text, goal.family), goal.key)
        return table_of(present, goal.key).same_as(wanted)
    return not towards(present, goal)
