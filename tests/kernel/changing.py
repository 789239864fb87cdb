"""A network namespace whose rules are changed by `policyc.kernel.apply`, in processes that may be killed at any step."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from policyc import api
from policyc.kernel.apply import watchdog
from policyc.kernel.apply.change import Change
from policyc.kernel.apply.journal import Phase, open_journal
from policyc.kernel.apply.lock import Busy, locked
from policyc.kernel.apply.place import Place, this_place
from policyc.kernel.apply.plan import plan_apply
from policyc.kernel.inside import enter
from policyc.kernel.namespace import Namespace

KERNEL = f"{os.sep}policyc{os.sep}kernel{os.sep}"

# What Docker Engine and fail2ban leave on a host, and somebody's own rules between them.
OTHERS_V4 = """*nat
:PREROUTING ACCEPT [0:0]
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [0:0]
:DOCKER - [0:0]
:DOCKER-FORWARD - [0:0]
:DOCKER-USER - [0:0]
:f2b-sshd - [0:0]
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A INPUT -s 198.51.100.7/32 -m comment --comment "somebody's own" -j DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-FORWARD
-A DOCKER -d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT
-A DOCKER ! -i docker0 -o docker0 -j DROP
-A DOCKER-FORWARD -j DOCKER
-A DOCKER-FORWARD -i docker0 -j ACCEPT
-A DOCKER-USER -j RETURN
-A f2b-sshd -s 203.0.113.99/32 -j REJECT --reject-with icmp-port-unreachable
-A f2b-sshd -j RETURN
COMMIT
"""
OTHERS_V6 = """*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:f2b-sshd - [0:0]
-A INPUT -p tcp -m multiport --dports 22 -j f2b-sshd
-A f2b-sshd -j RETURN
COMMIT
"""

SHARED = """policy edge { ownership shared }
zone wan = interface eth0
zone lan = interface eth1 network 10.0.0.0/24, fd00:10::/64
zone apps = interface docker0 owner docker
set banned = address timeout 1h
filter any -> self, any { use baseline }
filter wan -> self { drop from banned; accept ssh; otherwise drop }
filter lan -> wan { otherwise accept }
nat lan -> wan { masquerade family ip }
"""
EXCLUSIVE = SHARED.replace("ownership shared", "ownership exclusive\n default input drop, forward drop, output accept")

State = tuple[str, ...]


@dataclass
class Machine:
    """A namespace with rules of others, and a folder for the state of policyc there."""

    namespace: Namespace
    folder: Path
    backend: str = "nft"

    def run(self, *words: str, text: str = "") -> str:
        done = self.namespace.run(words, text)
        assert done.code == 0, done.err
        return done.out

    def load(self, v4: str = OTHERS_V4, v6: str = OTHERS_V6) -> None:
        """Make the rules of both families these, and nothing else."""
        self.run(f"iptables-{self.backend}-restore", text=v4)
        self.run(f"ip6tables-{self.backend}-restore", text=v6)

    def restart(self) -> None:
        """Take every rule, set and setting of the change out again."""
        empty = "".join(f"*{table}\n{{}}COMMIT\n" for table in ("mangle", "nat", "raw", "filter"))
        self.load(empty.replace("{}", ""), empty.replace("{}", ""))
        self.load()
        self.run(
            "sh",
            "-c",
            "ipset destroy; echo 0 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
        )

    def state(self) -> State:
        """Everything that a change may touch, as the kernel prints it."""
        tools = (f"iptables-{self.backend}-save", f"ip6tables-{self.backend}-save")
        lines = [line for tool in tools for line in (tool, *self.run(tool).splitlines()) if not line.startswith("#")]
        counted = [line.partition(" [")[0] if line.startswith(":") else line for line in lines]
        sets = self.run("ipset", "list", "-n").split()
        settings = [
            self.run("cat", f"/proc/sys/net/{name}") for name in ("ipv4/ip_forward", "ipv6/conf/all/forwarding")
        ]
        return (*counted, *sorted(sets), *settings)

    def inside(self, work: Callable[[Place], int]) -> int:
        """Do something in a process inside; return its exit code, or minus the signal that ended it."""
        child = os.fork()
        if not child:
            code = 99
            try:
                enter(Path(f"/proc/{self.namespace.pid}/ns/net"))
                code = work(this_place(self.folder))
            except BaseException as error:  # noqa: BLE001
                print(f"in the child: {error!r}", file=sys.stderr)
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def planned(self, policy: str) -> Change:
        """The plan of a policy; a new thread would do, but a plan does not change anything."""
        from policyc.kernel.inside import asked_inside
        from policyc.kernel.loading import Backend

        ruleset = api.load(policy)
        path = Path(f"/proc/{self.namespace.pid}/ns/net")
        return asked_inside(
            path, lambda: plan_apply(ruleset, "edge.pol", this_place(self.folder), Backend(self.backend)).change
        )

    @property
    def place(self) -> Place:
        from policyc.kernel.inside import asked_inside

        return asked_inside(Path(f"/proc/{self.namespace.pid}/ns/net"), lambda: this_place(self.folder))

    def at_rest(self, place: Place, seconds: float = 20) -> None:
        """Wait until nobody works on a change any more."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with locked(place.lock, patience=0):
                    journal = open_journal(place.change)
                    if journal is None:
                        return
                    mark = journal.mark()
                    journal.close()
                    if mark.phase not in {Phase.CHANGING, Phase.WAITING}:
                        return
            except Busy:
                pass
            time.sleep(0.02)
        raise AssertionError("the change is not over")

    def unattended(self, place: Place, seconds: float = 20) -> None:
        """Wait until no process holds the lock."""
        with locked(place.lock, patience=seconds):
            return


def elsewhere(change: Change, place: Place) -> Change:
    """The same plan for another folder or time of the same rules."""
    return replace(change, identity=place.identity)


def counting(kill_us: int, kill_watchdog: int = 0) -> Callable[[FrameType, str, Any], None]:
    """A profile function that kills this process at a step, and the watchdog that it starts at a step of its own; 0: never."""
    us = os.getpid()
    steps = {True: 0, False: 0}

    def step(frame: FrameType, event: str, _argument: Any) -> None:
        if KERNEL not in frame.f_code.co_filename and not frame.f_code.co_filename.endswith("subprocess.py"):
            return
        ours = os.getpid() == us
        steps[ours] += 1
        if steps[ours] == (kill_us if ours else kill_watchdog):
            os.kill(os.getpid(), signal.SIGKILL)

    return step


def count_steps(work: Callable[[], object]) -> int:
    """How many steps some work takes in this process."""
    us, steps = os.getpid(), 0

    def step(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal steps
        if os.getpid() == us and (
            KERNEL in frame.f_code.co_filename or frame.f_code.co_filename.endswith("subprocess.py")
        ):
            steps += 1

    sys.setprofile(step)
    try:
        work()
    finally:
        sys.setprofile(None)
    return steps


@contextmanager
def quick_watchdog(seconds: float) -> Iterator[None]:
    """Let the watchdog lose its patience soon."""
    before = watchdog.PATIENCE
    watchdog.PATIENCE = seconds
    try:
        yield
    finally:
        watchdog.PATIENCE = before
