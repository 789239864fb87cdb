"""The words of `docker run` and `docker network create` as values: what a person types becomes a Container or a Network.

Source: docker/cli (cli/command/container/opts.go, cli/command/network/create.go). Options that change nothing about rules
are known, so that a misspelled one is not taken for one of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.docker.ports import Address, Port, Publish, read_port, read_publish
from policyc.engines.docker.scenario import Container, Network, Subnet
from policyc.engines.docker.vocabulary import NETWORK_FLAGS, NETWORK_VALUES, RUN_FLAGS, RUN_VALUES
from policyc.frozen import frozen
from policyc.source import Source, Span

_SHORT = {"p": "publish", "P": "publish-all", "d": "driver", "o": "opt", "net": "network"}


@frozen
class Typed:
    """A word and where it was typed."""

    text: str
    span: Span


@frozen
class Option:
    """An option by its long name, without dashes, and its value, "" for a flag."""

    name: str
    value: str
    span: Span


def typed(words: Sequence[str], name: str = "docker") -> list[Typed]:
    """Return words as if they stood in one line, so that what is said of one can point at it."""
    source = Source(name, " ".join(words))
    found, at = [], 0
    for word in words:
        found.append(Typed(word, source.span(at, at + len(word))))
        at += len(word) + 1
    return found


class _Words:
    """Options and the words that are none; options end at the first such word where `stops`, as for `docker run`."""

    def __init__(self, words: Sequence[Typed], flags: frozenset[str], values: frozenset[str], *, stops: bool) -> None:
        self.words = list(words)
        self.flags = flags
        self.values = values
        self.stops = stops
        self.problems: list[Diagnostic] = []
        self.rest: list[Typed] = []

    def options(self) -> Iterator[Option]:
        at = 0
        while at < len(self.words):
            word = self.words[at]
            at += 1
            if word.text == "--" or not word.text.startswith("-") or word.text == "-":
                self.rest.append(word)
                if self.stops:
                    self.rest.extend(self.words[at:])
                    return
                continue
            following = self.words[at] if at < len(self.words) else None
            for option, used in self._split(word, following):
                at += used
                yield option

    def _split(self, word: Typed, following: Typed | None) -> Iterator[tuple[Option, bool]]:
        if word.text.startswith("--"):
            name, equals, value = word.text[2:].partition("=")
            yield from self._one(word, name, value if equals else None, following)
            return
        letters = word.text[1:]
        for place, letter in enumerate(letters):
            left = letters[place + 1 :].removeprefix("=")
            if letter in self.values:
                yield from self._one(word, letter, left or None, following)
                return
            yield from self._one(word, letter, None, following)

    def _one(self, word: Typed, name: str, value: str | None, following: Typed | None) -> Iterator[tuple[Option, bool]]:
        long = _SHORT.get(name, name)
        if name in self.flags:
            yield Option(long, value or "true", word.span), False
        elif name not in self.values:
            from difflib import get_close_matches

            near = get_close_matches(name, sorted(self.flags | self.values), n=1)
            self.wrong(
                word.span, f"`{word.text}` is no option of this command", f"did you mean `--{near[0]}`?" if near else ""
            )
        elif value is not None:
            yield Option(long, value, word.span), False
        elif following is None:
            self.wrong(word.span, f"`{word.text}` needs a value")
        else:
            yield Option(long, following.text, following.span), True

    def wrong(self, span: Span, message: str, hint: str = "") -> None:
        self.problems.append(diagnose("unreadable-line", message, span, help=hint))


def read_run(words: Sequence[Typed], number: int = 1) -> tuple[Container, list[Diagnostic]]:
    """Understand the words behind `docker run`; `number` names a container without `--name` (`container1`)."""
    line = _Words(words, RUN_FLAGS, RUN_VALUES, stops=True)
    name, publish_all = f"container{number}", False
    networks: list[str] = []
    published: list[Publish] = []
    exposed: list[Port] = []
    links: list[tuple[str, str]] = []
    addresses: dict[int, Address] = {}
    priorities: dict[str, int] = {}
    for option in line.options():
        try:
            match option.name:
                case "name":
                    name = option.value
                case "publish":
                    published.extend(_published(option.value))
                case "publish-all":
                    publish_all = option.value != "false"
                case "expose":
                    exposed.extend(read_port(option.value))
                case "network":
                    network, own, priority = _network(option.value)
                    networks.append(network)
                    addresses.update({address.version: address for address in own})
                    if priority:
                        priorities[network] = priority
                case "ip" | "ip6":
                    address = ip_address(option.value)
                    addresses[address.version] = address
                case "link":
                    target, _, alias = option.value.partition(":")
                    links.append((target, alias or target))
                case _:
                    pass
        except ValueError as error:
            line.wrong(option.span, _said(error))
    ip, ip6 = addresses.get(4), addresses.get(6)
    made = Container(
        name=name, networks=tuple(networks) or ("bridge",), publish=tuple(published), publish_all=publish_all,
        expose=tuple(exposed), ip=ip if isinstance(ip, IPv4Address) else None,
        ip6=ip6 if isinstance(ip6, IPv6Address) else None, links=tuple(links), priorities=priorities,
        span=words[0].span if words else None,
    )  # fmt: skip
    return made, line.problems


def _published(value: str) -> list[Publish]:
    """Understand `-p`, also in its long form `target=80,published=8080,protocol=tcp`."""
    if "=" not in value:
        return read_publish(value)
    parts = dict(part.partition("=")[::2] for part in value.split(","))
    if unknown := sorted(parts.keys() - {"target", "published", "protocol", "mode"}):
        raise ValueError(f"`{unknown[0]}` is no part of a published port; there are target, published, protocol, mode")
    protocol = f"/{parts['protocol']}" if parts.get("protocol") else ""
    outer = f"{parts['published']}:" if parts.get("published") else ""
    return read_publish(f"{outer}{parts.get('target', '')}{protocol}")


def _network(value: str) -> tuple[str, list[Address], int]:
    """Understand `--network`, also in its long form `name=app,ip=…,gw-priority=…`."""
    if "=" not in value:
        return ("bridge" if value == "default" else value), [], 0
    parts = [part.partition("=")[::2] for part in value.split(",")]
    name = next((text for key, text in parts if key == "name"), "")
    if not name:
        raise ValueError("`--network` with parts needs `name=`")
    addresses = [ip_address(text) for key, text in parts if key in {"ip", "ip6"}]
    priority = next((int(text) for key, text in parts if key == "gw-priority"), 0)
    return name, addresses, priority


def read_network(words: Sequence[Typed]) -> tuple[Network, list[Diagnostic]]:
    """Understand the words behind `docker network create`."""
    line = _Words(words, NETWORK_FLAGS, NETWORK_VALUES, stops=False)
    driver, flags = "bridge", {"ipv4": True}
    subnets: list[Subnet] = []
    gateways: list[Address] = []
    ranges: list[Subnet] = []
    options: dict[str, str] = {}
    for option in line.options():
        try:
            match option.name:
                case "driver":
                    driver = option.value
                case "subnet":
                    subnets.append(ip_network(option.value))
                case "ip-range":
                    ranges.append(ip_network(option.value))
                case "gateway":
                    gateways.append(ip_address(option.value))
                case "opt":
                    key, _, value = option.value.partition("=")
                    options[key] = value
                case "internal" | "ipv4" | "ipv6":
                    flags[option.name] = option.value != "false"
                case _:
                    pass
        except ValueError as error:
            line.wrong(option.span, _said(error))
    where = words[0].span if words else Source("docker", "").span(0, 0)
    if len(line.rest) != 1:
        line.wrong(where, "`docker network create` needs the name of one network")
    made = Network(
        name=line.rest[0].text if line.rest else "", driver=driver, internal=flags.get("internal", False),
        ipv4=flags["ipv4"], ipv6=flags.get("ipv6", False), subnets=tuple(subnets), gateways=tuple(gateways),
        ranges=tuple(ranges), options=options, span=line.rest[0].span if line.rest else where,
    )  # fmt: skip
    return made, line.problems


def _said(error: ValueError) -> str:
    text = str(error)
    return text if text.startswith("`") else text.replace("'", "`")
