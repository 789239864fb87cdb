"""The diagram kernel against sets of assignments, counted out."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyc.analysis.diagrams import ALL, EMPTY, Diagrams, OverBudgetError

LEVELS = 4
ASSIGNMENTS = tuple(product((0, 1), repeat=LEVELS))
Members = frozenset[tuple[int, ...]]

formulas = st.recursive(
    st.sampled_from((("all",), ("none",))) | st.integers(0, LEVELS - 1).map(lambda n: ("var", n)),
    lambda inner: st.tuples(st.sampled_from(("both", "either", "without")), inner, inner) | st.tuples(st.just("not"), inner),
    max_leaves=12,
)  # fmt: skip


def built(diagrams: Diagrams, formula: tuple) -> tuple[int, Members]:
    """Return a formula as a diagram and as the assignments that fulfil it."""
    match formula:
        case ("all",):
            return ALL, frozenset(ASSIGNMENTS)
        case ("none",):
            return EMPTY, frozenset()
        case ("var", level):
            return diagrams.variable(level), frozenset(each for each in ASSIGNMENTS if each[level])
        case ("not", inner):
            edge, members = built(diagrams, inner)
            return edge ^ 1, frozenset(ASSIGNMENTS) - members
        case (operation, left, right):
            (one, ones), (two, twos) = built(diagrams, left), built(diagrams, right)
            sets = {"both": ones & twos, "either": ones | twos, "without": ones - twos}
            return getattr(diagrams, operation)(one, two), sets[operation]
    raise AssertionError(formula)


def members(diagrams: Diagrams, edge: int) -> Members:
    return frozenset(each for each in ASSIGNMENTS if diagrams.with_values(edge, dict(enumerate(each))) == ALL)


@given(formulas)
def test_operations_are_those_of_sets(formula: tuple) -> None:
    diagrams = Diagrams()
    edge, expected = built(diagrams, formula)
    assert members(diagrams, edge) == expected


@given(formulas, formulas)
def test_equal_sets_are_equal_numbers(one: tuple, other: tuple) -> None:
    diagrams = Diagrams()
    first, expected = built(diagrams, one)
    second, others = built(diagrams, other)
    assert (first == second) == (expected == others)
    assert diagrams.is_within(first, second) == (expected <= others)


@given(formulas, st.sets(st.integers(0, LEVELS - 1)))
def test_projection_frees_variables(formula: tuple, away: set[int]) -> None:
    diagrams = Diagrams()
    edge, expected = built(diagrams, formula)
    kept = [level for level in range(LEVELS) if level not in away]
    shadows = {tuple(each[level] for level in kept) for each in expected}
    found = members(diagrams, diagrams.project(edge, frozenset(away)))
    assert found == {each for each in ASSIGNMENTS if tuple(each[level] for level in kept) in shadows}


@given(formulas, st.integers(0, LEVELS - 1))
def test_flip_turns_one_variable_round(formula: tuple, level: int) -> None:
    diagrams = Diagrams()
    edge, expected = built(diagrams, formula)
    turned = {(*each[:level], 1 - each[level], *each[level + 1 :]) for each in expected}
    assert members(diagrams, diagrams.flip(edge, level)) == turned


def test_the_budget_ends_the_question() -> None:
    diagrams = Diagrams(budget=2)
    diagrams.variable(0)
    diagrams.variable(1)
    with pytest.raises(OverBudgetError):
        diagrams.variable(2)
