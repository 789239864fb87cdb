"""Namespaces to take snapshots of: scripts run in them, rules loaded, and what a snapshot of them says."""

from __future__ import annotations

import shlex
from pathlib import Path

from policyc.host.host import Host
from policyc.kernel.namespace import Namespace
from policyc.kernel.snapshot import take
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.snapshot import read_snapshot
from policyc.source import Source


def run(namespace: Namespace, script: str) -> str:
    done = namespace.run(["sh", "-e", "-c", script])
    assert done.code == 0, done.err
    return done.out


def snapshot(namespace: Namespace, backend: str | None = None, *, conntrack: bool = False) -> Ruleset:
    text = take(pid=namespace.pid, conntrack=conntrack)
    return read_snapshot(Source("host.json", text), backend)


def host_of(namespace: Namespace) -> Host:
    host = snapshot(namespace).host
    assert host is not None
    return host


def names(ruleset: Ruleset) -> list[str]:
    return [note.name for note in ruleset.notes]


def load(namespace: Namespace, backend: str, text: str, family: int = 4) -> None:
    tool = f"ip{'6' if family == 6 else ''}tables-{backend}-restore"
    path = Path(f"/dev/shm/policyc-test-{namespace.pid}.rules")
    path.write_bytes(text.encode("latin-1").replace(b"\\xe9", b"\xe9"))
    try:
        run(namespace, f"XTABLES_LOCKFILE=/dev/null {tool} < {shlex.quote(str(path))}")
    finally:
        path.unlink()
