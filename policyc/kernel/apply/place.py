"""Where a network namespace's state is kept, and how the namespace is recognised: never mistaken for one that is gone.

A cookie of the kernel names a network namespace until the machine is started again (SO_NETNS_COOKIE, Linux 5.14).
"""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from policyc.frozen import frozen
from policyc.kernel.inside import NAMED

STATE = Path("/var/lib/policyc")
_NETNS_COOKIE = 71  # include/uapi/asm-generic/socket.h
_OWN = Path("/proc/thread-self/ns/net")


@frozen
class Identity:
    """One network namespace of one run of the machine."""

    boot: str
    namespace: int


@frozen
class Place:
    """The folder of a namespace's state; `name` is what people call the namespace."""

    folder: Path
    name: str
    identity: Identity

    @property
    def lock(self) -> Path:
        """The file whose lock whoever changes something holds."""
        return self.folder / "lock"

    @property
    def change(self) -> Path:
        """The change that is being made, or waits for its confirmation."""
        return self.folder / "change"

    @property
    def confirmed(self) -> Path:
        """The last change that was confirmed."""
        return self.folder / "confirmed"

    @property
    def audit(self) -> Path:
        """The file with a line for each thing that was done."""
        return self.folder / "audit.log"

    def make(self) -> None:
        """Make the folder, for root alone. Raises OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def this_place(state: Path = STATE) -> Place:
    """Return the place of the namespace that this thread is in."""
    identity = Identity(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip(), _cookie())
    own = _OWN.stat()
    if _same(own, Path("/proc/1/ns/net")):
        return Place(state / "host", "this host", identity)
    names = sorted(NAMED.iterdir()) if NAMED.is_dir() else []
    for path in names:
        if _same(own, path):
            return Place(state / "netns" / path.name, f"netns {path.name}", identity)
    return Place(state / "unnamed" / str(identity.namespace), "a namespace without a name", identity)


def _cookie() -> int:
    with socket.socket(socket.AF_UNIX) as one:
        try:
            found: int = struct.unpack("Q", one.getsockopt(socket.SOL_SOCKET, _NETNS_COOKIE, 8))[0]
        except OSError:
            return _OWN.stat().st_ino
        return found


def _same(own: os.stat_result, path: Path) -> bool:
    try:
        return os.path.samestat(own, path.stat())
    except OSError:
        return False
