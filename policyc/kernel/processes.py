"""Programs of the machine, run without a shell, with nothing of the user's environment: the base of `policyc.kernel`."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from policyc.frozen import frozen

# iptables and friends live in sbin, which is not on everybody's path.
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENVIRONMENT = {"PATH": PATH, "LC_ALL": "C"}


class MissingProgram(Exception):  # noqa: N818 - the name says what is missing
    """A program that a question needs is not installed; `name` is the program, `package` the Debian package that has it."""

    def __init__(self, name: str, package: str) -> None:
        super().__init__(f"`{name}` is not installed (Debian package {package})")
        self.name = name
        self.package = package


class NotPrivileged(Exception):  # noqa: N818
    """The kernel does not let this user do what the question needs."""


class Unanswered(Exception):  # noqa: N818
    """The machine does not answer a question, for a reason that the message says."""


@frozen
class Outcome:
    """How a program ended and what it printed."""

    code: int
    out: str
    err: str


def program(name: str, package: str) -> str:
    """Return the path of a program; raise MissingProgram."""
    found = shutil.which(name, path=PATH)
    if found is None:
        raise MissingProgram(name, package)
    return found


def run(
    words: Sequence[str],
    text: str = "",
    timeout: float = 600,
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    exact: bool = False,
    inherits: tuple[int, ...] = (),
) -> Outcome:
    """Run a program with `text` on its standard input and wait for it, at most `timeout` seconds.

    `settings` are environment variables beside ENVIRONMENT. `exact` keeps printed bytes that are no UTF-8 (surrogateescape).
    `inherits` are descriptors that the program keeps open until it ends.
    """
    done = subprocess.run(
        list(words), input=text, capture_output=True, text=True, env={**ENVIRONMENT, **settings}, timeout=timeout, check=False,
        pass_fds=inherits, encoding="utf-8", errors="surrogateescape" if exact else "replace",
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)
