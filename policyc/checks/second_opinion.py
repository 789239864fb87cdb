"""Whether two other ways of asking agree that a rule is dead, before anybody is told.

The packet that the finding names is sent through the table by the simulator, and the cover is proved again by the checker,
which knows nothing of diagrams. Loaded only where there is something to tell.
"""

from __future__ import annotations

from policyc.analysis.certificate import Checker, UnprovedError
from policyc.analysis.dead import Dead, Why, hooks_of
from policyc.analysis.replayed import Replay
from policyc.analysis.rules import FamilyRules

MOST_LOOKS = 1000  # at rules, for the proof about one


class SecondOpinion:
    """The simulator and the checker for the tables of one family."""

    def __init__(self, rules: FamilyRules) -> None:
        self.rules = rules
        self._replays: dict[str, Replay] = {}
        self._checkers: dict[str, Checker] = {}

    def agrees(self, found: Dead) -> bool:
        """Whether nothing contradicts the finding; what cannot be known is no contradiction."""
        return self._passes_by(found) and self._is_proved_again(found)

    def _passes_by(self, found: Dead) -> bool:
        """Whether the simulator, where it can know, sees the witness pass the rule by."""
        if found.witness is None or found.why is Why.ABSENT:
            return True
        table = found.table.table
        replay = self._replays.get(table.name)
        if replay is None:
            replay = self._replays[table.name] = Replay(table, self.rules.ruleset.host)
        ways = [replay.steps(hook, found.witness) or () for hook in hooks_of(found.table, found.chain)]
        return not any((step.chain, step.rule) == (found.chain, found.place + 1) for steps in ways for step in steps)

    def _is_proved_again(self, found: Dead) -> bool:
        """Whether the checker, which looks at one table, finds no packet that the causes leave to the rule."""
        if not found.by_itself:
            return True
        table = found.table.table
        checker = self._checkers.get(table.name)
        if checker is None:
            checker = self._checkers[table.name] = Checker(table, self.rules.meanings, MOST_LOOKS)
        takers = {(cause.chain, cause.place) for cause in found.causes} if found.why is Why.SHADOWED else None
        for hook in hooks_of(found.table, found.chain):
            given = self.rules.known_in(hook, table.name)
            try:
                if not checker.is_dead(hook.value, (found.chain, found.place), given, takers):
                    return False
            except UnprovedError:
                continue
        return True
