"""Several dumps become one Ruleset, as if their texts stood one behind the other: `-4 FILE -6 FILE`, a folder of dumps."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.diagnostics import Diagnostic, Related, diagnose
from policyc.netfilter.ruleset import Ruleset, Table


def joined(rulesets: Sequence[Ruleset]) -> Ruleset:
    """Return the union of dumps; a table that comes twice replaces the earlier one, as in the kernel, and is reported."""
    if len(rulesets) == 1:
        return rulesets[0]
    tables: dict[tuple[int, str], Table] = {}
    notes: list[Diagnostic] = []
    for ruleset in rulesets:
        notes.extend(ruleset.notes)
        for table in ruleset.tables:
            earlier = tables.pop((table.family, table.name), None)
            if earlier is not None:
                notes.append(_repeated(table, earlier))
            tables[table.family, table.name] = table
    sets = tuple(item for ruleset in rulesets for item in ruleset.sets)
    accepted = tuple(item for ruleset in rulesets for item in ruleset.suppressions)
    return Ruleset(tuple(tables.values()), sets, notes=tuple(notes), suppressions=accepted)


def _repeated(table: Table, earlier: Table) -> Diagnostic:
    return diagnose(
        "repeated-table",
        f"the table {table.name} of IPv{table.family} comes in two dumps; this one replaces the earlier one",
        table.span,
        related=(Related("the earlier one", earlier.span),),
        help="the kernel does the same; where one is IPv6, say so with -6 FILE",
    )
