"""wrong-table, wrong-hook: a match, a target or `-i`/`-o` where the kernel or iptables refuses it.

The kernel follows jumps: what stands in a chain of your own must be allowed in every hook that reaches it (measured with
both backends). A chain that nothing reaches is not asked about.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey, way
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.hooks import Hook, is_base_chain
from policyc.netfilter.jumps import Jump, JumpGraph
from policyc.netfilter.parts import Part, Selector, Target

# iptables(8): -i may be used in INPUT, FORWARD and PREROUTING, -o in FORWARD, OUTPUT and POSTROUTING.
NO_INTERFACE = {
    "-i": frozenset((Hook.OUTPUT, Hook.POSTROUTING)),
    "-o": frozenset((Hook.PREROUTING, Hook.INPUT)),
}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules with a part that is refused where they stand."""
    for table, chain in survey.chains:
        graph = survey.graph(table)
        hooks = graph.hooks[chain.name]
        if not hooks:
            continue
        base = is_base_chain(table.name, chain.name)
        bad = {key for key, part in survey.parts(chain).items() if _is_misplaced(part, table.name, hooks, base=base)}
        for standing, part in survey.having(table, chain, bad) if bad else ():
            yield _finding(standing, part, graph)


def _is_misplaced(part: Part, table: str, hooks: frozenset[Hook], *, base: bool) -> bool:
    if isinstance(part, Selector):
        return base and part.option in NO_INTERFACE and not hooks.isdisjoint(NO_INTERFACE[part.option])
    placement = part.placement
    if placement is None:
        return table == "nat" and isinstance(part, Target) and part.name == "DROP" and not part.chain
    wrong_table = placement.tables is not None and table not in placement.tables
    return wrong_table or (placement.hooks is not None and not hooks <= placement.hooks)


def _finding(standing: Standing, part: Part, graph: JumpGraph) -> Diagnostic:
    table, chain = standing.table.name, standing.chain
    if isinstance(part, Selector):
        return diagnose(
            "wrong-hook", f"iptables refuses `{part.option}` in {chain.name}: {_WHY[part.option]}",
            standing.span, place=standing.place, help=_MOVE[part.option],
        )  # fmt: skip
    what = f"the {'target' if isinstance(part, Target) else 'match'} {part.name}"
    placement = part.placement
    if placement is None:
        return diagnose(
            "wrong-table", "iptables refuses DROP in the table nat, which sees only the first packet of a connection",
            standing.span, place=standing.place, help="drop in the table filter, or in raw for all packets",
        )  # fmt: skip
    why = f": {placement.why}" if placement.why else ""
    if placement.tables is not None and table not in placement.tables:
        return diagnose(
            "wrong-table", f"{what} is refused in the table {table}{why}", standing.span, place=standing.place,
            help=f"it may stand in the table {_listed(sorted(placement.tables), 'or')}",
        )  # fmt: skip
    allowed = placement.hooks or frozenset()
    wrong = [hook for hook in Hook if hook in graph.hooks[chain.name] and hook not in allowed]
    through = "" if chain.name in {hook.value for hook in wrong} else f", which reaches the chain `{chain.name}`"
    return diagnose(
        "wrong-hook", f"{what} is refused in {_listed([h.value for h in wrong], 'and')}{through}{why}",
        standing.span, place=standing.place,
        related=way(standing.table, _ways_in(graph, chain.name, wrong)) if through else (),
        help=f"it may stand in {_listed([h.value for h in Hook if h in allowed], 'or')}",
    )  # fmt: skip


_WHY = {
    "-i": "the packet has no incoming interface there, or it is not known any more",
    "-o": "the outgoing interface is not known there",
}
_MOVE = {
    "-i": "test the interface in PREROUTING, INPUT or FORWARD; a mark can carry the answer on",
    "-o": "test the interface in FORWARD, OUTPUT or POSTROUTING",
}


def _ways_in(graph: JumpGraph, chain: str, wrong: list[Hook]) -> list[Jump]:
    """Return the jumps by which the wrong hooks come into the chain."""
    return [jump for jump in graph.callers[chain] if not graph.hooks[jump.caller].isdisjoint(wrong)]


def _listed(names: list[str], last: str) -> str:
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
