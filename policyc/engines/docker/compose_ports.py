"""`ports` and `expose` of a compose file: the short words and the long mappings, as published ports.

Source: the Compose Specification, services, ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from policyc.engines.docker.ports import Port, Publish, read_port, read_publish
from policyc.engines.given import Given

P = TypeVar("P", Port, Publish)
_LONG = {"target", "published", "host_ip", "protocol", "mode", "app_protocol", "name"}


def published_ports(given: Given) -> tuple[Publish, ...]:
    """Return what a service publishes; what is wrong is reported at its place."""
    found: list[Publish] = []
    for item in given.items():
        found.extend(_long(item) if isinstance(item.value, Mapping) else _read(item, item.text(), read_publish))
    return tuple(found)


def exposed_ports(given: Given) -> tuple[Port, ...]:
    """Return what a service exposes."""
    return tuple(port for item in given.items() for port in _read(item, item.text(), read_port))


def _long(given: Given) -> list[Publish]:
    given.unknown_keys({*_LONG, *(key for key, _ in given.entries() if key.startswith("x-"))})
    if "target" not in given:
        given.wrong("needs a `target`, the port of the container")
        return []
    target = given.at("target").number(1, 65535, default=1)
    protocol = given.at("protocol").text("tcp")
    inner = f"{target}/{protocol}"
    outer = given.at("published").text()
    host = given.at("host_ip").text()
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    words = f"{host}:{outer}:{inner}" if host else f"{outer}:{inner}" if outer else inner
    return _read(given, words, read_publish)


def _read(given: Given, text: str, read: Callable[[str], list[P]]) -> list[P]:
    try:
        return read(text)
    except ValueError as error:
        given.wrong(f"cannot be read: {error}")
        return []
