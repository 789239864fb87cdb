"""The graph over a table's chains: who calls whom, which hooks reach a chain, loops, dead ends, the deepest way down.

Built from a table when somebody asks; the walks, the checks and `graph` go by it. The standard library orders the chains;
networkx is loaded only where there is a loop to name or a picture to draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, NamedTuple

from policyc.frozen import frozen
from policyc.netfilter.hooks import HOOK_OF, Hook, is_base_chain
from policyc.netfilter.parts import Target
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table

if TYPE_CHECKING:
    import networkx as nx

# Chains that another tool declares and enters, so that a text of ours may fill one without any jump to it.
FOREIGN_HOOKS: dict[tuple[str, str], Hook] = {("filter", "DOCKER-USER"): Hook.FORWARD}

MAX_JUMPS = 15
"""User chains one below the other that the nft backend takes (NFT_JUMP_STACK_SIZE counts the base chain too; measured)."""


class Jump(NamedTuple):
    """A rule that calls a chain or, with `goto`, goes there for good; `number` is 1-based in the caller."""

    caller: str
    number: int
    callee: str
    goto: bool
    rule: Rule

    @property
    def verb(self) -> str:
        """The word for it."""
        return "goes to" if self.goto else "jumps to"


@frozen
class JumpGraph:
    """`calls` holds the jumps of each chain in order, `callers` those that lead to it, `hooks` from which it is reached.

    Only chains that the table declares are keys of `calls`; a jump to any other name is in `undefined`.
    """

    table: Table
    calls: dict[str, tuple[Jump, ...]]
    callers: dict[str, tuple[Jump, ...]]
    hooks: dict[str, frozenset[Hook]]
    undefined: tuple[Jump, ...]

    @classmethod
    def of(cls, table: Table) -> JumpGraph:
        """Return the graph of a table."""
        calls = {chain.name: tuple(_jumps(chain.name, chain.rules)) for chain in table.chains}
        callers: dict[str, list[Jump]] = {name: [] for name in calls}
        undefined = []
        for jumps in calls.values():
            for jump in jumps:
                if jump.callee in callers and not is_base_chain(table.name, jump.callee):
                    callers[jump.callee].append(jump)
                else:
                    undefined.append(jump)
        return cls(
            table,
            calls,
            {name: tuple(found) for name, found in callers.items()},
            _hooks(table, calls),
            tuple(undefined),
        )

    def order(self) -> tuple[str, ...] | None:
        """Return the chains with every callee before its callers, or None where there is a loop."""
        sorter = TopologicalSorter({name: self._callees(name) for name in self.calls})
        try:
            return tuple(sorter.static_order())
        except CycleError:
            return None

    def loops(self) -> tuple[tuple[Jump, ...], ...]:
        """Return one way round for each knot of chains that reach each other, beginning at the chain declared first."""
        if self.order() is not None:
            return ()
        import networkx as nx  # there is a loop to name

        graph = nx.DiGraph({name: list(self._callees(name)) for name in self.calls})
        place = {name: index for index, name in enumerate(self.calls)}
        found = []
        for knot in nx.strongly_connected_components(graph):
            first = min(knot, key=place.__getitem__)
            if len(knot) > 1 or graph.has_edge(first, first):
                ways = nx.find_cycle(graph.subgraph(sorted(knot, key=place.__getitem__)), first)
                found.append(tuple(self._jump(caller, callee) for caller, callee in ways))
        return tuple(sorted(found, key=lambda way: place[way[0].caller]))

    def unreachable(self) -> tuple[str, ...]:
        """Return the user chains that no hook reaches, in the order in which they are declared."""
        return tuple(chain.name for chain in self.table.user_chains if not self.hooks[chain.name])

    def depths(self) -> dict[str, int]:
        """Return how many jumps lie between each reached chain and a base chain at most; empty where there is a loop."""
        order = self.order()
        if order is None:
            return {}
        depths: dict[str, int] = {}
        for name in reversed(order):
            if self.hooks[name]:
                depths[name] = max((depths[j.caller] + 1 for j in self.callers[name] if j.caller in depths), default=0)
        return depths

    def way_down(self, chain: str) -> tuple[Jump, ...]:
        """Return the longest way from a base chain to a chain, () where it is one; raises ValueError where there is a loop."""
        depths = self.depths()
        if chain not in depths:
            raise ValueError(f"no depth is known of `{chain}`")
        way: list[Jump] = []
        while depths[chain]:
            last = max((j for j in self.callers[chain] if j.caller in depths), key=lambda j: depths[j.caller])
            way.append(last)
            chain = last.caller
        return tuple(reversed(way))

    def digraph(self) -> nx.DiGraph:
        """Return the graph for networkx: chains as nodes, an edge for each pair with its `jumps`."""
        import networkx as nx

        graph = nx.DiGraph()
        graph.add_nodes_from(self.calls)
        for jumps in self.calls.values():
            for jump in jumps:
                if graph.has_edge(jump.caller, jump.callee):
                    graph.edges[jump.caller, jump.callee]["jumps"] += (jump,)
                else:
                    graph.add_edge(jump.caller, jump.callee, jumps=(jump,))
        return graph

    def _callees(self, name: str) -> dict[str, None]:
        known = self.callers
        return {
            j.callee: None
            for j in self.calls[name]
            if j.callee in known and not is_base_chain(self.table.name, j.callee)
        }

    def _jump(self, caller: str, callee: str) -> Jump:
        return next(jump for jump in self.calls[caller] if jump.callee == callee)


def _jumps(name: str, rules: tuple[Rule, ...]) -> Iterator[Jump]:
    for number, rule in enumerate(rules, 1):
        parts = rule.parts
        if parts:
            last = parts[-1]
            if type(last) is Target and last.chain:
                yield Jump(name, number, last.chain, last.goto, rule)


def _hooks(table: Table, calls: dict[str, tuple[Jump, ...]]) -> dict[str, frozenset[Hook]]:
    reached: dict[str, set[Hook]] = {name: set() for name in calls}
    for root in calls:
        hook = HOOK_OF[root] if is_base_chain(table.name, root) else FOREIGN_HOOKS.get((table.name, root))
        if hook is None:
            continue
        waiting = [root]
        while waiting:
            name = waiting.pop()
            if name in reached and hook not in reached[name]:
                reached[name].add(hook)
                waiting.extend(jump.callee for jump in calls[name])
    return {name: frozenset(found) for name, found in reached.items()}
