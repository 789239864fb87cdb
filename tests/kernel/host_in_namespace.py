"""A described host made real: its interfaces, addresses, routes, rules and settings in a namespace, and what `ip` says of it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from typing import Any

from policyc.kernel.namespace import Namespace

END = "==="


def script_of(topology: dict[str, Any]) -> str:
    """The shell commands that make the host."""
    # No other host has our addresses: without the search for one they are no source too late.
    lines = ["set -e", "ip link set lo up", "sysctl -qw net.ipv6.conf.default.accept_dad=0"]
    names = [one["name"] for one in topology["interfaces"]]
    for n, one in enumerate(topology["interfaces"]):
        name = one["name"]
        mac = f"address {one['mac']}" if "mac" in one else ""
        lines += [f"ip link add {name} {mac} type veth peer name far{n}", f"ip link set far{n} up"]
        lines += [f"sysctl -qw net.ipv6.conf.far{n}.disable_ipv6=1", f"ip link set {name} up"]
    lines += [f"sysctl -qw net.ipv4.conf.{each}.send_redirects=0" for each in ("all", *names)]
    lines += [f"sysctl -qw {name}={value}" for name, value in topology.get("sysctls", {}).items()]
    lines += [f"ip link set {one['name']} group {one['group']}" for one in topology["interfaces"] if "group" in one]
    for one in topology["interfaces"]:
        lines += [
            f"ip addr add {text} dev {one['name']}{' nodad' if ':' in text else ''}" for text in one.get("addrs", [])
        ]
    for route in topology.get("routes", []):
        words = [route["type"]] if "type" in route else []
        words += [route["dst"]]
        for key in ("via", "dev", "table", "src", "metric", "realm"):
            words += [key, str(route[key])] if key in route else []
        family = "-6" if ":" in " ".join(words) else "-4"
        lines.append(f"ip {family} route add {' '.join(words)}")
    lines += [f"ip {'-6' if ':' in rule else '-4'} rule add {rule}" for rule in topology.get("ip_rules", [])]
    return "\n".join(lines)


def make(namespace: Namespace, topology: dict[str, Any]) -> None:
    done = namespace.run(["sh", "-c", script_of(topology)])
    assert done.code == 0, done.err


def ask(namespace: Namespace, commands: Iterable[list[str]]) -> list[str]:
    """Run many commands in the namespace; their output and errors, one text each."""
    script = "\n".join(f"{shlex.join(words)} 2>&1; echo {END}" for words in commands)
    return [text.strip() for text in namespace.run(["sh"], script).out.split(f"{END}\n")[:-1]]


def route_get(namespace: Namespace, queries: Iterable[list[str]]) -> list[dict[str, Any] | str]:
    """`ip route get`: the route as `ip -j` prints it, or the error's text."""
    answers: list[dict[str, Any] | str] = []
    for text in ask(namespace, (["ip", "-j", "route", "get", *words] for words in queries)):
        found = text.find("[{")
        answers.append(text.removeprefix("RTNETLINK answers: ") if found < 0 else json.loads(text[found:])[0])
    return answers
