"""Values of which many are made: they compare, hash and copy as frozen dataclasses do."""

from __future__ import annotations

from dataclasses import field, replace

import pytest

from policyc.frozen import frozen


@frozen
class Port:
    number: int
    place: int = field(compare=False, repr=False)


def test_places_do_not_count() -> None:
    assert Port(80, 1) == Port(80, 2) != Port(81, 1)
    assert len({Port(80, 1), Port(80, 2)}) == 1
    assert repr(Port(80, 1)) == "Port(number=80)"


def test_a_copy_is_another_value() -> None:
    port = Port(80, 1)
    assert replace(port, number=81) == Port(81, 1)
    assert port.number == 80


def test_there_are_no_other_attributes() -> None:
    with pytest.raises(AttributeError):
        Port(80, 1).nubmer = 81  # type: ignore[attr-defined]


@frozen
class Nothing:
    """No fields."""


@frozen
class Named:
    name: str

    def __repr__(self) -> str:
        return self.name


def test_values_without_fields_are_equal() -> None:
    assert Nothing() == Nothing()
    assert hash(Nothing()) == hash(Nothing())
    assert repr(Nothing()) == "Nothing()"


def test_classes_do_not_mix() -> None:
    assert Named("a") != Port(1, 1)
    assert Nothing() != ()


def test_what_a_class_says_itself_stays() -> None:
    assert repr(Named("web")) == "web"
    assert {Named("web")} == {Named("web")}
