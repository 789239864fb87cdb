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
