"""policyc is killed at every step of a change, its watchdog too: the kernel ends with exactly the old or exactly the new rules."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from changing import EXCLUSIVE, SHARED, Machine, State, count_steps, counting, elsewhere

from policyc.kernel.apply.change import Change
from policyc.kernel.apply.perform import Outcome, perform, take_back_pending
from policyc.kernel.apply.place import Place
from policyc.kernel.namespace import Namespace

POINTS = {"shared": 120, "exclusive": 100}
BOTH = 30
POLICIES = {"shared": SHARED, "exclusive": EXCLUSIVE}
KILLED = -9


class Prepared:
    """A plan, what the kernel holds before and after it, and how many steps it takes."""

    def __init__(self, machine: Machine, policy: str, seconds: float | None) -> None:
        machine.restart()
        self.machine = machine
        self.seconds = seconds
        self.change: Change = machine.planned(policy)
        self.old: State = machine.state()
        folder = machine.folder
        counted = folder / "steps"

        def work(place: Place) -> int:
            steps = count_steps(lambda: perform(elsewhere(self.change, place), place))
            counted.write_text(str(steps))
            return 0

        assert machine.inside(work) == 0
        self.steps = int(counted.read_text())
        self.new: State = machine.state()
        assert self.new != self.old
        assert self.steps > 200

    def killed_at(self, number: int, point: int, watchdog: int = 0) -> tuple[int, Place]:
        """Kill the change at a point, in a new folder."""
        machine = self.machine
        machine.folder = machine.folder.parent / f"run-{number}"

        def work(place: Place) -> int:
            change = elsewhere(self.change, place)
            sys.setprofile(counting(point, watchdog))
            perform(change, place, self.seconds)
            return 0

        place = machine.place
        place.make()
        return machine.inside(work), place


@pytest.fixture
def machine(machine: None, tmp_path: Path) -> Machine:
    with Namespace() as namespace:
        yield Machine(namespace, tmp_path / "first")


@pytest.fixture
def legacy(machine: Machine) -> Machine:
    machine.backend = "legacy"
    return machine


def spread(steps: int, count: int) -> list[int]:
    return sorted({1 + index * (steps - 1) // (count - 1) for index in range(count)})


@pytest.mark.parametrize("ownership", POLICIES)
def test_killed_at_any_step_the_kernel_holds_the_old_or_the_new(machine: Machine, ownership: str) -> None:
    killed_everywhere(machine, POLICIES[ownership], POINTS[ownership])


def test_with_iptables_legacy_too(legacy: Machine) -> None:
    killed_everywhere(legacy, EXCLUSIVE, 30)


def killed_everywhere(machine: Machine, policy: str, points: int) -> None:
    """Kill a change at so many points, spread over all of its steps."""
    prepared = Prepared(machine, policy, None)
    machine.restart()
    assert machine.state() == prepared.old
    ends = {prepared.old: 0, prepared.new: 0}
    killed = 0
    for number, point in enumerate(spread(prepared.steps, points)):
        code, place = prepared.killed_at(number, point)
        killed += code == KILLED  # a change may take a few steps less than the one that was counted
        machine.at_rest(place)
        state = machine.state()
        assert state in ends, f"killed at step {point} of {prepared.steps}"
        ends[state] += 1
        if state == prepared.new:
            machine.restart()
    assert killed >= 0.93 * points
    assert all(ends.values()), "some points lie before the change, some behind it"


def test_when_the_watchdog_is_killed_too_the_next_rollback_finishes(machine: Machine) -> None:
    prepared = Prepared(machine, SHARED, None)
    machine.restart()
    finished = 0
    for number, point in enumerate(spread(prepared.steps, BOTH)):
        _, place = prepared.killed_at(number, point, watchdog=1 + number * 7)
        machine.unattended(place)

        def finish(place: Place) -> int:
            return {Outcome.NOTHING_PENDING: 0, Outcome.TAKEN_BACK: 1}[take_back_pending(place).outcome]

        finished += machine.inside(finish)
        state = machine.state()
        assert state in {prepared.old, prepared.new}, f"killed at step {point} of {prepared.steps}"
        assert not place.change.exists()
        if state == prepared.new:
            machine.restart()
    assert finished > BOTH // 4, "the rollback had something to do"


def test_killed_while_it_waits_the_watchdog_takes_it_back_in_time(machine: Machine) -> None:
    prepared = Prepared(machine, SHARED, 0.3)
    machine.restart()
    for number, point in enumerate(spread(prepared.steps, 12)):
        code, place = prepared.killed_at(number, point)
        assert code in {KILLED, 0}
        machine.at_rest(place)
        assert machine.state() == prepared.old, f"killed at step {point} of {prepared.steps}"


def test_no_process_is_left(machine: Machine) -> None:
    machine.load()
    change = machine.planned(SHARED)
    assert machine.inside(lambda place: perform(change, place).outcome is not Outcome.CONFIRMED) == 0
    machine.at_rest(machine.place)
    inside = _namespace_of(Path(f"/proc/{machine.namespace.pid}"))
    assert _processes_in(inside) == [machine.namespace.pid]


def _processes_in(namespace: str) -> list[int]:
    import time

    for _ in range(100):
        found = [
            int(each.name)
            for each in Path("/proc").iterdir()
            if each.name.isdigit() and _namespace_of(each) == namespace
        ]
        if len(found) == 1:
            break
        time.sleep(0.05)
    return found


def _namespace_of(process: Path) -> str:
    try:
        return str((process / "ns" / "net").readlink())
    except OSError:
        return ""
