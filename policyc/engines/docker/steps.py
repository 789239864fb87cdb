"""Commands that came after the start, carried out on the daemon: docker, iptables, sysctl, and `@restart`.

A step that is not understood is an error at its place: what it would have changed is not known.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address

from policyc.diagnostics import InputError, diagnose
from policyc.engines.docker.daemon import Daemon
from policyc.engines.docker.live import refused
from policyc.engines.docker.ports import Address
from policyc.engines.docker.scenario import Step
from policyc.engines.docker.vocabulary import HARMLESS_COMMANDS
from policyc.engines.docker.words import Typed, read_network, read_run
from policyc.source import Source, Span

_WITH_VALUES = frozenset({"-t", "--time", "--timeout", "-s", "--signal"})
_HARMLESS_PROGRAMS = frozenset({"sleep", "true", "ip", "echo", "modprobe", "ping", "curl", "nc", "cat", "mkdir"})
_FORWARDING = {
    "net.ipv4.ip_forward": 4, "net.ipv4.conf.all.forwarding": 4, "net.ipv6.conf.all.forwarding": 6,
}  # fmt: skip


def carry_out(daemon: Daemon, steps: Iterable[Step]) -> None:
    """Carry out steps one after the other. Raises InputError at the first that is not understood or refused."""
    for step in steps:
        _Step(daemon, step).carry_out()


class _Step:
    def __init__(self, daemon: Daemon, step: Step) -> None:
        self.daemon = daemon
        self.step = step
        text = step.text
        self.span: Span = step.span or Source("scenario", text).span(0, len(text))

    def carry_out(self) -> None:
        text = self.step.text.strip()
        if text in {"@restart", "systemctl restart docker", "service docker restart"}:
            self.daemon.restart()
            return
        try:
            words = shlex.split(text)
        except ValueError as error:
            raise self._unknown(f"the step cannot be split into words: {error}") from None
        program = words[0].rpartition("/")[2] if words else ""
        if program in {"iptables", "ip6tables", "iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy"}:
            self.daemon.tables.run(text)
        elif program == "docker":
            self._docker(words[1:])
        elif program == "sysctl":
            self._sysctl(words[1:])
        elif program not in _HARMLESS_PROGRAMS:
            raise self._unknown(f"`{program}` is no step that is known here")

    def _sysctl(self, words: Sequence[str]) -> None:
        for word in words:
            name, equals, value = word.partition("=")
            if not equals:
                continue
            name, value = name.replace("/", "."), value.strip()
            if name in _FORWARDING:
                self.daemon.forwards[_FORWARDING[name]] = value == "1"
            else:
                self.daemon.sysctls[name] = value

    def _docker(self, words: Sequence[str]) -> None:
        if words[:1] == ["container"]:
            words = words[1:]
        verb, rest = (words[0], list(words[1:])) if words else ("", [])
        daemon = self.daemon
        actions: dict[str, Callable[[str], None]] = {
            "stop": daemon.stop, "kill": daemon.stop, "start": daemon.start_container, "restart": self._restart,
            "rm": lambda name: daemon.remove(name, force=_asks(rest, "f", "force")),
        }  # fmt: skip
        if verb in actions:
            for name in _names(rest):
                actions[verb](name)
        elif verb in {"run", "create"}:
            container, problems = read_run([Typed(word, self.span) for word in rest], len(daemon.containers) + 1)
            if problems:
                raise InputError(problems)
            (daemon.run if verb == "run" else daemon.create)(container)
        elif verb == "network":
            self._network(rest)
        elif verb not in HARMLESS_COMMANDS:
            raise self._unknown(f"`docker {verb}` is no step that is known here")

    def _restart(self, name: str) -> None:
        self.daemon.stop(name)
        self.daemon.start_container(name)

    def _network(self, words: Sequence[str]) -> None:
        verb, rest = (words[0], list(words[1:])) if words else ("", [])
        daemon = self.daemon
        match verb:
            case "create":
                network, problems = read_network([Typed(word, self.span) for word in rest])
                if problems:
                    raise InputError(problems)
                daemon.add_network(network)
            case "rm" | "remove":
                for name in _names(rest):
                    daemon.remove_network(name)
            case "connect" | "disconnect":
                addresses, names = self._addresses(rest)
                if len(names) != len(("network", "container")):
                    raise self._unknown(f"`docker network {verb}` needs a network and a container")
                if verb == "connect":
                    daemon.connect(names[0], names[1], addresses)
                else:
                    daemon.disconnect(names[0], names[1])
            case "ls" | "inspect":
                pass
            case _:
                raise self._unknown(f"`docker network {verb}` is no step that is known here")

    def _addresses(self, words: Sequence[str]) -> tuple[tuple[Address, ...], list[str]]:
        """Return the addresses that `connect` asks for, and the words that are no options."""
        addresses: list[Address] = []
        names: list[str] = []
        left = list(words)
        while left:
            word = left.pop(0)
            name, equals, value = word.partition("=")
            if not word.startswith("-"):
                names.append(word)
                continue
            if name in {"-f", "--force"}:
                continue
            if not equals:
                value = left.pop(0) if left else ""
            if name in {"--ip", "--ip6"}:
                try:
                    addresses.append(ip_address(value))
                except ValueError:
                    raise refused(value, f"`{value}` is no address", self.span) from None
        return tuple(addresses), names

    def _unknown(self, message: str) -> InputError:
        return InputError([diagnose("unreadable-line", message, self.span)])


def _names(words: Sequence[str]) -> list[str]:
    found, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in _WITH_VALUES:
            skip = True
        elif not word.startswith("-"):
            found.append(word)
    return found


def _asks(words: Sequence[str], letter: str, name: str) -> bool:
    short = (word for word in words if word.startswith("-") and not word.startswith("--"))
    return f"--{name}" in words or any(letter in word for word in short)
