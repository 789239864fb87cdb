"""Policy to Ruleset: one pass, one file, one function of the same name. Stands between `policyc.policy` and the hub.

`PASSES` lists the passes in their order. They share a `Draft`; what a line of the policy asks is held as `Tests`, what it
does as actions, and `branches` makes kernel rules of both.
"""

from policyc.lowering.lower import PASSES, lower, lower_source

__all__ = ["PASSES", "lower", "lower_source"]
