"""A line for each thing that was done: when, what, to which policy, and who was behind it. Part of `policyc.kernel.apply`."""

from __future__ import annotations

import json
import os
import pwd
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from policyc.kernel.apply.change import Change
from policyc.kernel.apply.place import Place

_NOBODY = 2**32 - 1  # (uid_t) -1: the process belongs to no login


def note(place: Place, change: Change, outcome: str) -> None:
    """Append a line. Raises nothing: what was done is done, whether it can be written down or not."""
    with suppress(OSError):
        append(place, change, outcome)


def append(place: Place, change: Change, outcome: str) -> None:
    """Append a line of JSON. Raises OSError."""
    line = json.dumps({
        "when": datetime.now(UTC).isoformat(timespec="seconds"), **who(), "action": change.action, "source": change.source,
        "policy": change.made.policy or change.made_before.policy, "where": place.name, "outcome": outcome,
    })  # fmt: skip
    handle = os.open(place.audit, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "ab") as file:
        file.write(f"{line}\n".encode())


def who() -> dict[str, str | int]:
    """Return the user that asked: the one behind sudo where there is one, and the one that logged in."""
    user = os.environ.get("SUDO_USER") if os.getuid() == 0 else None
    found: dict[str, str | int] = {"user": user or _name(os.getuid()), "uid": os.getuid()}
    with suppress(OSError, ValueError):
        login = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
        if login != _NOBODY:
            found["login"] = _name(login)
    return found


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def last(place: Place) -> dict[str, str]:
    """Return the last line, empty where there is none that can be read."""
    try:
        lines = place.audit.read_text(encoding="utf-8", errors="replace").splitlines()
        found = json.loads(lines[-1]) if lines else {}
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
