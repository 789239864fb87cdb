"""The node before kube-proxy starts: its tables, its addresses, and commands that somebody ran on it.

A command that is not understood is an error: what it would have changed is not known.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from ipaddress import ip_interface

from policyc.engines.kube_proxy.scenario import Address
from policyc.engines.shell import commands_of, refused_step
from policyc.engines.tables import Tables

_LIBERAL = re.compile(r"(?:/proc/sys/|^)net[./]netfilter[./]nf_conntrack_tcp_be_liberal")
_PROGRAMS = re.compile(r"ip6?tables(-nft|-legacy)?")
_WITHOUT_EFFECT = frozenset({"sleep", "true", "modprobe", "echo", "ip", "sysctl", ":"})


class Machine:
    """A node: its tables of both families, its addresses, and whether it tracks TCP connections liberally."""

    def __init__(self, addresses: Sequence[Address]) -> None:
        self.tables = Tables("kube-proxy")
        self.addresses: list[Address] = list(addresses)
        self.liberal_tracking = False

    def run(self, line: str) -> None:
        """Carry out a line of shell commands. Raises InputError at the first that is not understood or refused."""
        for words in commands_of(line):
            self._command(line, words)

    def _command(self, line: str, words: list[str]) -> None:
        program, rest = words[0].rpartition("/")[2], words[1:]
        if _PROGRAMS.fullmatch(program):
            self.tables.run(shlex.join(words))
        elif program == "sysctl":
            for word in rest:
                name, equals, value = word.replace(" ", "").partition("=")
                if equals and _LIBERAL.search(name):
                    self.liberal_tracking = value == "1"
        elif program == "echo" and any(_LIBERAL.search(word) for word in rest):
            self.liberal_tracking = rest[0] == "1"
        elif program == "ip" and rest[:2] in (["addr", "add"], ["address", "add"], ["a", "add"]):
            self._add_address(line, rest)
        elif program not in _WITHOUT_EFFECT:
            raise refused_step(line, words[0], f"`{program}` is no step that is known here")

    def _add_address(self, line: str, words: list[str]) -> None:
        for word in words[2:3]:
            try:
                self.addresses.append(ip_interface(word).ip)
            except ValueError:
                raise refused_step(line, word, f"`{word}` is no address") from None
