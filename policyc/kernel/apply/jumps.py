"""Where our jumps stand among the rules of others, which move them by restarting. Part of `policyc.kernel.apply`."""

from __future__ import annotations

from policyc.netfilter.goal import Part, part_of
from policyc.netfilter.saved import Saved


def jumps_out_of_place(present: Saved, goal: Part) -> list[str]:
    """Return in words where our jumps stand, for each that is not where `goal` has it."""
    there = {(jump.chain, jump.target): jump.behind for jump in part_of(present, goal.key, goal.owned).jumps}
    said = []
    for jump in goal.jumps:
        found = there.get((jump.chain, jump.target), -1)
        if found == -1:
            said.append(f"`{jump.text}` is gone from {jump.chain}")
        elif found != jump.behind:
            said.append(f"`{jump.text}` stands {_place(found)} in {jump.chain}, and stood {_place(jump.behind)}")
    return said


def _place(behind: int | None) -> str:
    if behind is None:
        return "last"
    return "first" if not behind else f"behind {behind} rules of others"
