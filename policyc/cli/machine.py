"""What the commands that change the kernel share: where they work, how their ends become exit codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from policyc.cli.exit import Exit
from policyc.cli.options import machine_asked
from policyc.cli.output import tell

if TYPE_CHECKING:
    from policyc.kernel.apply.perform import Done
    from policyc.kernel.apply.place import Place

Command = TypeVar("Command", bound=Callable[..., Any])


def machine_options(command: Command) -> Command:
    """Give a command `--netns` and `--state-dir`; it runs in the namespace and is called with `place`."""

    @wraps(command)
    def wrapper(*args: Any, netns: str | None, state: str | None, **more: Any) -> Any:
        with kernel_changed():
            return command(*args, place=_place(netns, state), **more)

    for add in (
        click.option(
            "--state-dir", "state", metavar="DIR", help="Where the journal is kept; default /var/lib/policyc."
        ),
        click.option(
            "--netns", metavar="NAME", help="A network namespace, as `ip netns` names it, instead of this one."
        ),
    ):
        add(wrapper)
    return wrapper  # type: ignore[return-value]


def _place(netns: str | None, state: str | None) -> Place:
    from policyc.kernel.apply.place import STATE, this_place
    from policyc.kernel.inside import enter, named_namespace
    from policyc.kernel.privilege import require_privilege

    require_privilege()
    if netns is not None:
        enter(named_namespace(netns))
    return this_place(STATE if state is None else Path(state).absolute())


@contextmanager
def kernel_changed() -> Iterator[None]:
    """Turn a refusal into the end of the command: 3, and what stands in the way of asking the machine into 4 or 2."""
    from policyc.kernel.apply.backends import BothHoldRules
    from policyc.kernel.apply.lock import Busy
    from policyc.kernel.apply.plan import Refused

    try:
        with machine_asked():
            yield
    except PermissionError as error:
        tell(f"error: this user may not use {error.filename}")
        raise click.exceptions.Exit(Exit.NOT_PRIVILEGED) from None
    except (Refused, BothHoldRules, Busy) as error:
        tell(f"refused: {error}")
        raise click.exceptions.Exit(Exit.REFUSED) from None


def ended(done: Done) -> int:
    """Say what became of a change, and return the exit code."""
    from policyc.kernel.apply.perform import Outcome

    for name in done.kept_sets:
        tell(f"note: the set `{name}` stays, because rules of others ask it")
    match done.outcome:
        case Outcome.CONFIRMED:
            tell("done: the change stays")
            return Exit.FINE
        case Outcome.WAITING:
            return Exit.FINE
        case Outcome.TAKEN_BACK:
            tell(f"taken back: {done.reason}; the kernel holds what it held before")
        case Outcome.STUCK:
            tell(f"error: the change could not be taken back: {done.reason}; `policyc rollback` tries again")
        case Outcome.NOTHING_PENDING:
            tell("there is no change that waits")
    return Exit.REFUSED
