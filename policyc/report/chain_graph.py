"""Hooks, chains and jumps of a ruleset as a graph, table by table: what the four drawings of `graph` have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from policyc.frozen import frozen
from policyc.netfilter.hooks import BASE_CHAINS, VISITS, is_base_chain
from policyc.netfilter.jumps import JumpGraph
from policyc.netfilter.ruleset import Ruleset, Table


@frozen
class ChainNode:
    """A chain of a table.

    `base`: the kernel enters it; `defined` False: rules jump to it, but nobody declares it; `reached`: some path of jumps
    leads to it. `layer` counts jumps from the base chains on the longest way, a loop as one chain.
    """

    name: str
    base: bool
    policy: str | None
    rules: int
    defined: bool
    reached: bool
    layer: int

    @property
    def caption(self) -> str:
        """A few words about it: its policy and how many rules it has."""
        if not self.defined:
            return "not defined"
        count = f"{self.rules} rule{'' if self.rules == 1 else 's'}"
        policy = f"policy {self.policy}, " if self.policy else ""
        return policy + count + ("" if self.reached else ", never entered")


@frozen
class ChainJump:
    """The jumps, or the gotos, from one chain to another; `numbers` are those of the rules that jump."""

    source: str
    target: str
    goto: bool
    numbers: tuple[int, ...]

    @property
    def caption(self) -> str:
        """The rule numbers, not more than four of them, and the word goto."""
        listed = " ".join(f"#{number}" for number in self.numbers[:4])
        more = f" +{len(self.numbers) - 4}" if len(self.numbers) > 4 else ""
        return f"{'goto ' if self.goto else ''}{listed}{more}"


@frozen
class TableGraph:
    """The chains of a table, base chains in hook order and then layer by layer, and the jumps between them."""

    family: int
    table: str
    nodes: tuple[ChainNode, ...]
    jumps: tuple[ChainJump, ...]
    _by_name: dict[str, ChainNode] = field(init=False, repr=False, compare=False)
    _from: dict[str, list[ChainJump]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {node.name: node for node in self.nodes})
        leaving: dict[str, list[ChainJump]] = {node.name: [] for node in self.nodes}
        for jump in self.jumps:
            leaving[jump.source].append(jump)
        object.__setattr__(self, "_from", leaving)

    def node(self, name: str) -> ChainNode:
        """Return the chain with that name; raise KeyError where there is none."""
        return self._by_name[name]

    def jumps_from(self, name: str) -> list[ChainJump]:
        """Return the jumps of a chain in the order of its rules."""
        return self._from[name]


def table_graphs(ruleset: Ruleset, families: Sequence[int] = (4, 6)) -> list[TableGraph]:
    """Return the graphs of all tables of these families, in the order in which a packet meets the tables."""
    return [_graph(table) for family in families for table in ruleset.family(family)]


def stops(hook: str) -> list[str]:
    """Return the tables and the routing decision that a packet meets in a hook, in the kernel's order."""
    return [
        visit.stage
        for visit in VISITS
        if visit.hook.value == hook and (visit.stage in BASE_CHAINS or visit.stage == "routing")
    ]


def _graph(table: Table) -> TableGraph:
    import networkx as nx

    calls = JumpGraph.of(table)
    graph = calls.digraph()
    circles = nx.condensation(graph)  # a loop is one node here, so that layers exist
    layer = {
        name: depth
        for depth, generation in enumerate(nx.topological_generations(circles))
        for circle in generation
        for name in circles.nodes[circle]["members"]
    }
    base = BASE_CHAINS.get(table.name, ())
    order = {name: index for index, name in enumerate([*base, *graph.nodes])}
    names = sorted(graph.nodes, key=lambda name: (layer[name], not is_base_chain(table.name, name), order[name]))
    nodes = tuple(_node(table, name, bool(calls.hooks.get(name)), layer[name]) for name in names)
    return TableGraph(table.family, table.name, nodes, _jumps(calls))


def _node(table: Table, name: str, reached: bool, layer: int) -> ChainNode:
    chain = table.chain(name)
    return ChainNode(
        name=name,
        base=is_base_chain(table.name, name),
        policy=chain.policy if chain else None,
        rules=len(chain.rules) if chain else 0,
        defined=chain is not None,
        reached=reached or chain is None,
        layer=layer,
    )


def _jumps(graph: JumpGraph) -> tuple[ChainJump, ...]:
    found: dict[tuple[str, str, bool], list[int]] = {}
    for jumps in graph.calls.values():
        for jump in jumps:
            found.setdefault((jump.caller, jump.callee, jump.goto), []).append(jump.number)
    return tuple(ChainJump(*key, tuple(numbers)) for key, numbers in found.items())
