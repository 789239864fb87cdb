"""Where a replica's process is started and its answer read. Third step of a replica."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from policyc.kernel.processes import ENVIRONMENT, NotPrivileged

_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from policyc.kernel.replica.worker import main; main()"
)  # fmt: skip
_LONGEST = 600  # seconds


class NotCarriedOut(Exception):  # noqa: N818
    """The machine refused a part of the plan; the message is what it said."""


def carry_out(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out a plan in namespaces of its own and return what was seen. Raises NotPrivileged, NotCarriedOut."""
    if os.geteuid() != 0:
        raise NotPrivileged("packets are sent for real by root only")
    done = subprocess.run(
        [sys.executable, "-c", _START, json.dumps(sys.path)], input=json.dumps(plan), capture_output=True, text=True,
        env={**ENVIRONMENT, "XTABLES_LOCKFILE": "/dev/null"}, check=False, timeout=_LONGEST,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise NotCarriedOut(lines[-1] if lines else f"the replica ended with {done.returncode}")
    answer: dict[str, Any] = json.loads(done.stdout)
    if reason := answer.get("not privileged"):
        raise NotPrivileged(f"this user may not make a network namespace ({reason})")
    if reason := answer.get("refused"):
        raise NotCarriedOut(reason)
    return answer
