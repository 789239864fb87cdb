"""Whether this process may look at and change the rules of this network namespace: asked before anything else is."""

from __future__ import annotations

import re
from pathlib import Path

from policyc.kernel.processes import NotPrivileged

_NET_ADMIN = 12  # the bit of CAP_NET_ADMIN


def require_privilege() -> None:
    """Raise NotPrivileged where this process may not read rules, which needs CAP_NET_ADMIN (capabilities(7))."""
    status = Path("/proc/thread-self/status").read_text(encoding="ascii", errors="replace")
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    if found is None or not int(found[1], 16) >> _NET_ADMIN & 1:
        raise NotPrivileged("reading the rules of a host needs root (CAP_NET_ADMIN)")
