"""Whether the ssh connection that a person sits at survives a change, and whether a new one would come in.

Both packets are walked through the rules that the kernel will hold, on a snapshot of this host. Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

from policyc.kernel.apply.future import future, host_now
from policyc.netfilter.saved import Saved

_PARENT = re.compile(r"^PPid:\s*(\d+)$", re.MULTILINE)
_QUESTIONS = (
    ("the ssh connection from {client} would lose access", "flags ACK state ESTABLISHED"),
    ("a new ssh connection from {client} would not come in", "flags SYN state NEW"),
)


def lost_access(after: Saved, new_sets: str) -> list[str]:
    """Return what is lost, in sentences; nothing where nobody sits at an ssh connection of this namespace.

    `new_sets` are `create` lines of sets that are not there yet.
    """
    found = connection()
    if found is None:
        return []
    from policyc.diagnostics import InputError
    from policyc.explanation.ask import ask

    client, port, server, own_port = found
    try:
        host = host_now()
        if all(one.address != int(ip_address(server)) for each in host.interfaces for one in each.addresses):
            return []  # it comes in at another namespace
        rules = future(host, after, new_sets)
    except InputError as error:
        return [f"nobody can tell whether ssh stays reachable: {error.diagnostics[0].message}"]
    source, target = (f"[{one}]" if ":" in one else one for one in (client, server))
    lost = []
    for sentence, words in _QUESTIONS:
        question = f"tcp {source}:{port} -> {target}:{own_port} {words}"
        try:
            answers = ask(rules, question).explanations
        except InputError as error:
            lost.append(f"nobody can tell whether ssh stays reachable: {error.diagnostics[0].message}")
            break
        if not all(one.keeps("accept") for one in answers):
            by = answers[0].deciding
            where = f" ({by.chain} {by.number})" if by is not None and by.number else ""
            lost.append(sentence.format(client=client) + where)
    return lost


def connection() -> tuple[str, int, str, int] | None:
    """Return the addresses and ports of both ends of the connection that this process or one it comes from belongs to."""
    for text in _environments():
        words = text.split(" ")
        try:
            client, port, server, own_port = words
            return str(ip_address(client)), int(port), str(ip_address(server)), int(own_port)
        except ValueError:
            continue
    return None


def connection_text() -> str:
    """Return the connection in one text, "" where there is none."""
    return " ".join(str(word) for word in connection() or ())


def _environments() -> Iterator[str]:
    """Yield SSH_CONNECTION of this process and of those that started it: sudo takes it out of the environment."""
    if "SSH_CONNECTION" in os.environ:
        yield os.environ["SSH_CONNECTION"]
    process = os.getppid()
    while process > 1:
        try:
            words = Path(f"/proc/{process}/environ").read_bytes().decode(errors="replace").split("\0")
            status = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        yield from (word.removeprefix("SSH_CONNECTION=") for word in words if word.startswith("SSH_CONNECTION="))
        parent = _PARENT.search(status)
        process = int(parent[1]) if parent else 0
