"""What a packet must be for one line of the policy, as kernel tests: all of some, one of several, none of others.

A rule of the kernel is a conjunction. `Tests` holds a line's condition in the form that `branches` turns into rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod

from policyc.lowering.pieces import Parts
from policyc.netfilter.parts import Part


@dataclass(slots=True)
class Tests:
    """A packet fits when all of `common` hold, one of each of `choices`, none of `excluded`, and at the end `last`.

    `last` are tests that may have a memory, such as a rate: they are asked about packets that fit otherwise, and once for
    each. `text` says that the user's own text is among the tests, which may test again what the rule tests.
    """

    common: list[Part] = field(default_factory=list)
    choices: list[Sequence[Parts]] = field(default_factory=list)
    excluded: list[Parts] = field(default_factory=list)
    last: Parts = ()
    text: bool = False

    def one_of(self, alternatives: Sequence[Parts]) -> None:
        """Add a test that holds when one of these does; they do not overlap."""
        if len(alternatives) == 1:
            self.common.extend(alternatives[0])
        else:
            self.choices.append(alternatives)

    def none_of(self, alternatives: Sequence[Parts], negated: Parts = ()) -> None:
        """Add a test that holds when none of these does; `negated` says so in one test, where there is one."""
        if negated:
            self.common.extend(negated)
        else:
            self.excluded.extend(alternatives)

    @property
    def combinations(self) -> int:
        """How many kernel rules it takes to ask all at once."""
        return prod(len(alternatives) for alternatives in self.choices)
