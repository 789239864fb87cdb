"""Which of the two kinds of iptables is at work here: found, said, and never mixed silently. Part of `policyc.kernel.apply`."""

from __future__ import annotations

from pathlib import Path

from policyc.frozen import frozen
from policyc.kernel.apply.held import Held, Runner, held
from policyc.kernel.loading import Backend
from policyc.kernel.modules import lines_of
from policyc.kernel.processes import MissingProgram, program

_NAMES = ("ip_tables_names", "ip6_tables_names")
_NET = Path("/proc/thread-self/net")


class BothHoldRules(Exception):  # noqa: N818
    """Rules of both kinds are there, a packet meets both, and nobody said which are meant."""


@frozen
class Found:
    """The backend that is meant, what it holds, and whether the other kind holds rules too."""

    backend: Backend
    held: Held
    other_too: bool


def find(asked: Backend | None, runner: Runner) -> Found:
    """Return the backend that was asked for, else the one that holds rules, else that of the `iptables` command.

    Raises BothHoldRules, MissingProgram, NotPrivileged, Unanswered.
    """
    there: dict[Backend, Held] = {}
    missing: MissingProgram | None = None
    for backend in Backend:
        try:
            there[backend] = (
                held(backend, runner) if _may_hold(backend) or backend is asked else Held({4: "", 6: ""}, {})
            )
        except MissingProgram as error:
            missing = error
    if asked is not None and asked not in there and missing is not None:
        raise missing
    holding = [
        backend for backend, one in there.items() if not all(table.does_nothing() for table in one.saved.values())
    ]
    if len(holding) > 1 and asked is None:
        raise BothHoldRules(
            "iptables-nft and iptables-legacy both hold rules here, and a packet meets both; say which are meant with "
            "`--backend iptables-nft` or `--backend iptables-legacy`, or better, move all rules to one of them"
        )
    chosen = asked or next(iter(holding), None) or _of_command(runner, there)
    if chosen not in there and missing is not None:
        raise missing
    return Found(chosen, there[chosen], any(backend is not chosen for backend in holding))


def _may_hold(backend: Backend) -> bool:
    """Whether asking is worth while: asking iptables-legacy for what is not there may load its module."""
    return backend is Backend.NFT or any(lines_of(_NET / name) for name in _NAMES)


def _of_command(runner: Runner, there: dict[Backend, Held]) -> Backend:
    """Return the kind of the `iptables` that a person types here."""
    try:
        said = runner([program("iptables", "iptables"), "--version"], "").out
    except MissingProgram:
        said = ""
    preferred = Backend.LEGACY if "legacy" in said else Backend.NFT
    return preferred if preferred in there or not there else next(iter(there))
