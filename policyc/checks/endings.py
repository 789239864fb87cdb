"""Where chains end for certain: rules that no packet gets beyond, chains from which no packet comes back to the caller.

Only what holds for every packet counts: rules without any test, and jumps to chains that decide everything.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.parts import MATCH_RANK, Target, Unknown
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Chain, Table


@frozen
class Endings:
    """`last` holds the index (from 0) of the rule that no packet gets beyond, for each chain that has one.

    `deciding` are the chains that keep every packet that enters them.
    """

    last: dict[str, int]
    deciding: frozenset[str]

    @classmethod
    def of(cls, table: Table, graph: JumpGraph) -> Endings:
        """Return the endings of a table; chains in a loop decide nothing."""
        last: dict[str, int] = {}
        deciding: set[str] = set()
        for name in graph.order() or graph.calls:  # callees first, so that a jump knows whether it comes back
            chain = table.chain(name)
            end = _last(chain, deciding) if chain is not None else None
            if chain is not None and end is not None:
                last[name] = end
                if keeps(chain.rules[end], deciding) and not _may_return(chain, end, deciding):
                    deciding.add(name)
        return cls(last, frozenset(deciding))

    def stops(self, rule: Rule) -> bool:
        """Whether no packet that matches the rule gets to the next one."""
        target = rule.target
        return target is not None and (target.terminal or target.chain in self.deciding)


def keeps(rule: Rule, deciding: set[str] | frozenset[str]) -> bool:
    """Whether no packet that matches the rule comes back to the caller of the rule's chain."""
    target = rule.target
    if target is None or is_return(target):
        return False
    return target.chain in deciding if target.chain else target.terminal


def is_return(target: Target) -> bool:
    """Whether the target is the verdict RETURN."""
    return target.extension is None and target.name == "RETURN" and not target.chain


def _last(chain: Chain, deciding: set[str]) -> int | None:
    for index, rule in enumerate(chain.rules):
        parts = rule.parts
        if parts and parts[0].rank >= MATCH_RANK and rule.is_unconditional:
            target = rule.target
            if target is not None and (target.terminal or target.chain in deciding):
                return index
    return None


def _may_return(chain: Chain, end: int, deciding: set[str]) -> bool:
    """Whether a packet may leave the chain for its caller before the rule with that index."""
    for rule in chain.rules[:end]:
        last = rule.parts[-1] if rule.parts else None
        if isinstance(last, Unknown) and last.is_target:
            return True
        if isinstance(last, Target) and (is_return(last) or (last.goto and last.chain not in deciding)):
            return True
    return False
