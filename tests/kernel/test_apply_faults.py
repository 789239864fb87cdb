"""What may go wrong while the kernel is changed, one thing at a time; afterwards it holds exactly the old or the new rules."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from changing import EXCLUSIVE, SHARED, Machine, elsewhere, quick_watchdog

from policyc.kernel.apply import lock
from policyc.kernel.apply import perform as performing
from policyc.kernel.apply.journal import write_journal
from policyc.kernel.apply.lock import Busy
from policyc.kernel.apply.perform import Outcome, perform, take_back_pending
from policyc.kernel.apply.place import Place
from policyc.kernel.apply.plan import Refused
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import Outcome as Ended
from policyc.kernel.processes import run

CLONE_NEWNS = 0x00020000
TAKEN_BACK, CONFIRMED, REFUSED, BUSY, STUCK = 3, 0, 4, 5, 6


@pytest.fixture(params=("nft", "legacy"))
def machine(machine: None, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Machine]:
    with Namespace() as namespace:
        found = Machine(namespace, tmp_path / "state", request.param)
        found.load()
        yield found


def performed(
    machine: Machine, policy: str, prepare: Callable[[Place], None] = lambda _: None, seconds: float | None = None
) -> int:
    """Carry a policy out in a process inside, after something was prepared there; return what became of it."""
    change = machine.planned(policy)

    def work(place: Place) -> int:
        prepare(place)
        try:
            done = perform(elsewhere(change, place), place, seconds)
        except Refused as error:
            print(error)  # pytest shows it where a test fails
            return REFUSED
        except Busy:
            return BUSY
        return {Outcome.CONFIRMED: CONFIRMED, Outcome.WAITING: CONFIRMED, Outcome.TAKEN_BACK: TAKEN_BACK}.get(
            done.outcome, STUCK
        )

    return machine.inside(work)


def at_a_load(family: int, happen: Callable[[int], Ended | None]) -> Callable[[Place], None]:
    """Let something happen instead of, or before, the first load of rules of a family; it gets the lock's descriptor."""
    tool = "ip6tables" if family == 6 else "iptables"
    seen: list[str] = []

    def prepare(_place: Place) -> None:
        def running(words: Sequence[str], text: str = "", **more: object) -> Ended:
            name = Path(words[0]).name
            if name.startswith(f"{tool}-") and name.endswith("-restore") and not seen:
                seen.append(name)
                found = happen(more["inherits"][0])  # type: ignore[index]
                if found is not None:
                    return found
            return run(words, text, **more)  # type: ignore[arg-type]

        lock.run = running

    return prepare


@pytest.mark.parametrize("policy", [SHARED, EXCLUSIVE], ids=["shared", "exclusive"])
@pytest.mark.parametrize("family", [4, 6])
def test_a_family_that_fails_takes_the_other_back(machine: Machine, policy: str, family: int) -> None:
    old = machine.state()
    refuse = at_a_load(family, lambda _: Ended(4, "", "RULE_APPEND failed (No buffer space available)"))
    assert performed(machine, policy, refuse) == TAKEN_BACK
    assert machine.state() == old
    assert not (machine.place.change).exists()


def test_what_others_add_meanwhile_stays(machine: Machine) -> None:
    rule = ["-A", "INPUT", "-s", "192.0.2.77", "-j", "DROP"]

    def meanwhile(_: int) -> Ended:
        run([f"iptables-{machine.backend}", *rule], "")
        return Ended(4, "", "failed")

    assert performed(machine, SHARED, at_a_load(6, meanwhile)) == TAKEN_BACK
    found = machine.run(f"iptables-{machine.backend}-save")
    assert "-A INPUT -s 192.0.2.77/32 -j DROP" in found
    machine.run(f"iptables-{machine.backend}", "-D", *rule[1:])
    machine.restart()


def test_a_kernel_that_changed_since_the_plan_is_left_alone(machine: Machine) -> None:
    change = machine.planned(SHARED)
    machine.run(f"iptables-{machine.backend}", "-I", "INPUT", "-s", "192.0.2.78", "-j", "DROP")
    old = machine.state()

    def work(place: Place) -> int:
        try:
            perform(change, place)
        except Refused:
            return REFUSED
        return 0

    assert machine.inside(work) == REFUSED
    assert machine.state() == old


def test_counters_and_members_are_no_change(machine: Machine) -> None:
    machine.run("ipset", "create", "banned.4", "hash:ip", "family", "inet", "timeout", "3600")
    change = machine.planned(SHARED)
    machine.run("ipset", "add", "banned.4", "192.0.2.1")
    machine.run(f"iptables-{machine.backend}", "-Z")
    assert machine.inside(lambda place: perform(change, place).outcome is not Outcome.CONFIRMED) == 0
    assert "192.0.2.1" in machine.run("ipset", "save", "banned.4")


def test_a_stopped_policyc_loses_to_the_watchdog(machine: Machine) -> None:
    old = machine.state()

    def stop(_: int) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    with quick_watchdog(0.3):
        assert performed(machine, SHARED, at_a_load(6, stop)) == -signal.SIGKILL
    machine.at_rest(machine.place)
    assert machine.state() == old


def test_a_tool_that_outlives_policyc_is_waited_for(machine: Machine) -> None:
    """The watchdog must not take back what is yet to come."""
    old = machine.state()

    def die(handle: int) -> None:
        late = f"sleep 0.5; printf '*filter\\n:edge.late - [0:0]\\nCOMMIT\\n' | iptables-{machine.backend}-restore --noflush"
        subprocess.Popen(["sh", "-c", late], pass_fds=(handle,), stdin=subprocess.DEVNULL, start_new_session=True)
        os.kill(os.getpid(), signal.SIGKILL)

    started = time.monotonic()
    assert performed(machine, SHARED, at_a_load(6, die)) == -signal.SIGKILL
    machine.at_rest(machine.place)
    assert time.monotonic() - started > 0.5
    assert [line for line in machine.state() if "edge.late" not in line] == list(old)
    machine.run(f"iptables-{machine.backend}", "-X", "edge.late")
    assert machine.state() == old


def test_two_at_once_are_one_after_the_other(machine: Machine) -> None:
    old = machine.state()
    change = machine.planned(SHARED)
    children = []
    for _ in range(4):
        child = os.fork()
        if not child:

            def work(place: Place) -> int:
                try:
                    perform(change, place)
                except (Refused, Busy):
                    return REFUSED
                return CONFIRMED

            os._exit(machine.inside(work))
        children.append(child)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [CONFIRMED, REFUSED, REFUSED, REFUSED]
    assert machine.state() != old


def test_a_full_disk_before_the_change_refuses_it(machine: Machine) -> None:
    old = machine.state()
    assert performed(machine, SHARED, lambda place: small_disk(place, room=3000)) == REFUSED
    assert machine.state() == old


@pytest.mark.parametrize("end", ["confirmed", "taken back", "not confirmed", "killed"])
def test_a_full_disk_after_the_journal_is_written_does_no_harm(machine: Machine, end: str) -> None:
    old = machine.state()

    def full_after_the_journal(place: Place) -> None:
        small_disk(place, room=None)

        def written(where: Place, change: object) -> object:
            journal = write_journal(where, change)  # type: ignore[arg-type]
            fill(where.folder)
            return journal

        performing.write_journal = written  # type: ignore[assignment]
        performing.append = lambda *_: None
        if end == "taken back":
            at_a_load(6, lambda _: Ended(4, "", "failed"))(place)
        if end == "killed":
            at_a_load(6, lambda _: os.kill(os.getpid(), signal.SIGKILL))(place)

    code = performed(machine, SHARED, full_after_the_journal, 0.5 if end == "not confirmed" else None)
    expected = {"confirmed": CONFIRMED, "taken back": TAKEN_BACK, "not confirmed": CONFIRMED, "killed": -signal.SIGKILL}
    assert code == expected[end]
    if end == "confirmed":
        assert machine.state() != old
        return
    wait_until(lambda: machine.state() == old)


def test_without_a_watchdog_nothing_is_changed(machine: Machine) -> None:
    old = machine.state()

    def no_more_processes(_place: Place) -> None:
        def fork() -> int:
            raise BlockingIOError(11, "Resource temporarily unavailable")

        os.fork = fork

    assert performed(machine, SHARED, no_more_processes) == REFUSED
    assert machine.state() == old


def test_signals_wait_until_the_change_is_whole(machine: Machine) -> None:
    def hang_up(_: int) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)

    code = performed(machine, SHARED, at_a_load(6, hang_up))
    assert code < 0 or code == 99  # the signals come in the end
    machine.at_rest(machine.place)
    assert any("edge.input" in line for line in machine.state())


def test_a_journal_of_another_time_is_not_taken_back(machine: Machine) -> None:
    """The namespace or the machine was started again: nothing of the change is left, and what is there now is not touched."""
    change = machine.planned(SHARED)
    old = machine.state()

    def left(place: Place) -> int:
        from dataclasses import replace

        from policyc.kernel.apply.journal import Mark, Phase

        place.make()
        journal = write_journal(place, replace(change, identity=replace(place.identity, boot="another")))
        journal.put(Mark(Phase.CHANGING))
        return take_back_pending(place).outcome is not Outcome.NOTHING_PENDING

    assert machine.inside(left) == 0
    assert machine.state() == old


def small_disk(place: Place, room: int | None) -> None:
    """Put a small file system of our own under the folder of the state; `room` bytes are left, None: all of it."""
    place.make()
    assert ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) == 0
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place.folder)], check=True)
    if room is not None:
        fill(place.folder, 256 * 1024 - room)


def fill(folder: Path, size: int = 10**6) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            for _ in range(0, size, 512):
                file.write(b"x" * 512)
        except OSError:
            return


def wait_until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to that")
