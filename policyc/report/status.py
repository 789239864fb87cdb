"""How things stand with what policyc has applied: the answer of `policyc status`, for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

from policyc.frozen import frozen
from policyc.report.style import PLAIN, Style


@frozen
class AppliedView:
    """The last confirmed change: `loaded` is False where the machine or the namespace was started again since."""

    policy: str
    source: str
    backend: str
    ownership: Literal["shared", "exclusive"]
    loaded: bool


@frozen
class PendingView:
    """A change that is not over.

    `state` is `working` while somebody makes it or takes it back, `waiting` until it is confirmed (`seconds_left`), and `left`
    where nobody is going to take it back by himself; `reason` says why, where that is known.
    """

    source: str | None
    state: Literal["working", "waiting", "left"]
    seconds_left: float | None = None
    reason: str = ""


@frozen
class StatusView:
    """`differs` says in words where the kernel is not as it was applied, `last` is the last line of the audit log."""

    where: str
    applied: AppliedView | None
    pending: PendingView | None
    differs: tuple[str, ...]
    last: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {**asdict(self), "differs": list(self.differs), "last": self.last or None}


def status_text(view: StatusView, style: Style = PLAIN) -> str:
    """Return the answer as text."""
    return "".join(f"{style.foreign(line)}\n" for line in _lines(view))


def _lines(view: StatusView) -> Iterator[str]:
    one = view.applied
    if one is None:
        yield f"nothing of policyc is applied to {view.where}"
    else:
        yield f"{one.policy} ({one.source}) is applied to {view.where}: {one.backend}, ownership {one.ownership}"
        if not one.loaded:
            yield "the machine or the namespace was started again since, and it is not loaded: `policyc apply --boot` loads it"
    yield from view.differs
    if view.pending is not None:
        yield _pending(view.pending)
    if view.last:
        when, action, user, outcome = (view.last.get(key, "?") for key in ("when", "action", "user", "outcome"))
        yield f"last: {when} {action} by {user}: {outcome}"


def _pending(one: PendingView) -> str:
    what = f"the change to {one.source}" if one.source is not None else "a change"
    if one.state == "working":
        return f"{what} is being made or taken back at this moment"
    if one.state == "left":
        reason = f" ({one.reason})" if one.reason else ""
        return f"{what} was left in the middle{reason}: `policyc rollback` takes it back"
    return f"{what} waits: it is taken back in {one.seconds_left:.0f} seconds unless `policyc confirm` is called"
