"""What policyc has done in a namespace and how that stands: `policyc status`. Nothing is changed by asking.

Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.frozen import frozen
from policyc.kernel.apply.audit import last
from policyc.kernel.apply.change import Change, NoChange
from policyc.kernel.apply.held import held, reached
from policyc.kernel.apply.journal import Mark, Phase, open_journal
from policyc.kernel.apply.jumps import jumps_out_of_place
from policyc.kernel.apply.lock import Busy, locked
from policyc.kernel.apply.place import Place
from policyc.kernel.apply.plan import confirmed_in
from policyc.kernel.processes import Outcome, run
from policyc.netfilter.goal import Goal, Whole
from policyc.netfilter.saved import Saved, table_of


@frozen
class Pending:
    """A change that is not over: `at_work` says whether somebody makes or takes it back at this moment."""

    change: Change | None
    mark: Mark
    at_work: bool

    @property
    def is_left(self) -> bool:
        """Whether nobody is going to take it back by himself, so that somebody has to."""
        late = self.mark.phase is Phase.WAITING and self.mark.left < -1
        return not self.at_work and (late or self.mark.phase in {Phase.CHANGING, Phase.STUCK})


@frozen
class Status:
    """`confirmed` is the last confirmed change, `differs` says in words where the kernel is not as it left it.

    `gone`: the machine or the namespace was started again since, so that nothing of it is loaded.
    """

    confirmed: Change | None
    pending: Pending | None
    differs: tuple[str, ...]
    gone: bool
    last: dict[str, str]


def status(place: Place) -> Status:
    """Return how things stand. Raises Refused where the state cannot be read, and what reading rules raises."""
    confirmed = confirmed_in(place)
    gone = confirmed is not None and confirmed.identity != place.identity
    waits = _pending(place)
    differs: tuple[str, ...] = ()
    if confirmed is not None and not gone and waits is None and confirmed.made.policy:
        present = held(confirmed.backend, _run).saved
        differs = tuple(_said(present, goal) for goal in confirmed.after if not reached(present, goal))
    return Status(confirmed, waits, differs, gone, last(place))


def _pending(place: Place) -> Pending | None:
    journal = open_journal(place.change)
    if journal is None:
        return None
    try:
        mark = journal.mark()
        if mark.phase in {Phase.CONFIRMED, Phase.UNDONE}:
            return None
        try:
            change = journal.change()
        except (NoChange, OSError):
            change = None
        if change is not None and change.identity != place.identity:
            return None
        return Pending(change, mark, _is_held(place))
    finally:
        journal.close()


def _is_held(place: Place) -> bool:
    try:
        with locked(place.lock, patience=0):
            return False
    except Busy:
        return True


def _said(present: Saved, goal: Goal) -> str:
    where = f"{goal.table} of IPv{goal.family}"
    if isinstance(goal, Whole):
        return f"the table {where} is not as it was applied"
    table = table_of(present, goal.key)
    chains = [name for name, rules in goal.chains if (there := table.chain(name)) is None or there.rules != rules]
    if chains:
        return f"{', '.join(chains)} in {where} {'is' if len(chains) == 1 else 'are'} not as applied"
    return f"a jump to our chains in {where} is not in its place: {', '.join(jumps_out_of_place(present, goal))}"


def _run(words: Sequence[str], text: str) -> Outcome:
    return run(words, text, exact=True)
