"""Classes of numbers and names: cut points, representatives, the class of any other name."""

from __future__ import annotations

from policyc.analysis.classes import NameClasses, NumberClasses
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet


def test_numbers_are_cut_where_rules_cut_them() -> None:
    classes = NumberClasses.cut((22, 23, 1024, 70000), 65535)
    assert [classes.values(place) for place in range(len(classes))] == [(0, 21), (22, 22), (23, 1023), (1024, 65535)]
    assert list(classes.spans(IntervalSet.of(22, (1024, 65535)))) == [(1, 1), (3, 3)]
    assert classes.of(1023) == 2


def test_a_wildcard_takes_known_names_and_a_class_of_others() -> None:
    classes = NameClasses.of(("eth0", "lo"), ("eth", "eth1"))
    taken = [place for low, high in classes.spans(NameSet.interface("eth+")) for place in range(low, high + 1)]
    names = [classes.names[place] for place in taken]
    assert "eth0" in names
    assert len(names) == 3
    assert all(name is not None and name.startswith("eth") for name in names)
    assert len({name for name in names if str(name).startswith("eth1")}) == 1


def test_no_name_is_in_no_set() -> None:
    classes = NameClasses.of(("eth0",))
    everything = [place for low, high in classes.spans(~NameSet()) for place in range(low, high + 1)]
    assert classes.place(None) not in everything
    assert len(everything) == len(classes) - 1


def test_a_closed_set_has_no_other_names() -> None:
    assert NameClasses.of(("ORIGINAL", "REPLY"), closed=True).names == ("ORIGINAL", "REPLY")
