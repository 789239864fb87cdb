"""The lines of a `docker` block as the values of Docker's model: its settings, networks and containers.

`docker create` and dockerd have more words; these are the ones that decide rules. What is wrong is reported at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, ip_address, ip_interface, ip_network
from typing import TypeVar

from policyc.engines.docker.ports import Address, Port, PortError, Publish, read_port, read_publish
from policyc.engines.docker.scenario import Container, Network, Settings, Subnet
from policyc.frozen import frozen
from policyc.language import tree as t
from policyc.language.literals import String
from policyc.language.problems import one_of, suggestion
from policyc.policy.findings import Findings

_BRIDGE = "com.docker.network.bridge."
_WORDS = {
    "engine": (
        "bind", "bridge", "gateway", "icc", "ip-forward", "ip-masq", "ip6tables", "iptables", "ipv6", "subnet",
        "userland-proxy",
    ),
    "network": ("bind", "bridge", "driver", "gateway", "icc", "internal", "ip-masq", "ipv6", "mode", "subnet", "trusted"),
    "container": ("address", "expose", "link", "network", "publish", "publish-all"),
}  # fmt: skip
_SWITCH = {"on": True, "off": False}
BUILT_IN = ("bridge", "host", "none")
"""Networks that every daemon has."""

T = TypeVar("T")
P = TypeVar("P", Port, Publish)


@frozen
class _Options:
    """The options of one line, each once, by their words."""

    by_word: dict[str, t.EngineOption]
    findings: Findings

    def flag(self, word: str, *, default: bool) -> bool:
        """Return what `on` or `off` says; the word alone means on."""
        option = self.by_word.get(word)
        if option is None:
            return default
        value = self._one(option) if option.values else None
        if value is None:
            return True
        if value.text not in _SWITCH:
            self.findings.report("bad-literal", f"`{value.text}` is neither `on` nor `off`", value.span)
        return _SWITCH.get(value.text, default)

    def text(self, word: str, default: str = "") -> str:
        """Return the one value of a word."""
        option = self.by_word.get(word)
        value = self._one(option) if option else None
        return value.text if value else default

    def values(self, word: str) -> tuple[String, ...]:
        """Return all values of a word."""
        option = self.by_word.get(word)
        if option is not None and not option.values:
            self.findings.report("missing-word", f"`{word}` needs a value", option.span)
        return option.values if option else ()

    def all(self, word: str, convert: Callable[[str], T], wanted: str) -> tuple[T, ...]:
        """Return the values of a word converted; those that are wrong are reported."""
        found: list[T] = []
        for value in self.values(word):
            try:
                found.append(convert(value.text))
            except ValueError:
                self.findings.report("bad-literal", f"`{value.text}` is not {wanted}", value.span)
        return tuple(found)

    def ports(self, word: str, read: Callable[[str], list[P]]) -> tuple[P, ...]:
        """Return the ports of a word; what is wrong with one is reported at its characters."""
        found: list[P] = []
        for value in self.values(word):
            try:
                found += read(value.text)
            except PortError as error:
                start = value.span.start + (value.span.text[:1] in {'"', "'"})
                where = value.span.source.span(start + error.start, start + max(error.end, error.start + 1))
                form = "`ADDRESS:HOST:CONTAINER/PROTOCOL`, as docker writes it" if word == "publish" else "`80/udp`"
                self.findings.report("bad-literal", str(error), where, f"write {form}")
        return tuple(found)

    def _one(self, option: t.EngineOption) -> String | None:
        if len(option.values) == 1:
            return option.values[0]
        message = f"`{option.word}` takes one value" if option.values else f"`{option.word}` needs a value"
        self.findings.report("misplaced-word" if option.values else "missing-word", message, option.span)
        return None


def _options(kind: str, options: Iterable[t.EngineOption], findings: Findings) -> _Options:
    found: dict[str, t.EngineOption] = {}
    for option in options:
        if option.word not in _WORDS[kind]:
            message = f"`{option.word}` does not go with `{kind}`"
            findings.report("misplaced-word", message, option.span, f"its words are {one_of(_WORDS[kind])}")
        elif option.word in found:
            hint = "a list goes with one word"
            findings.report("misplaced-word", f"`{option.word}` stands twice", option.span, hint)
        else:
            found[option.word] = option
    return _Options(found, findings)


def _subnets(options: _Options) -> tuple[Subnet, ...]:
    return options.all("subnet", ip_network, "a network, as 172.18.0.0/16")


def settings_of(line: t.EngineLine, findings: Findings) -> Settings:
    """Return the daemon's settings; `bind`, `icc`, `ip-masq`, `ipv6` and the addresses are about its default bridge."""
    options = _options("engine", line.options, findings)
    subnets, gateways = _subnets(options), options.all("gateway", ip_address, "an address")
    bind = options.all("bind", ip_address, "an address")
    v4, v6 = ([one for one in subnets if one.version == family] for family in (4, 6))
    gateway = next((one for one in gateways if one.version == 4), None)
    bip = ip_interface(f"{gateway}/{v4[0].prefixlen}") if v4 and gateway else None
    return Settings(
        iptables=options.flag("iptables", default=True),
        ip6tables=options.flag("ip6tables", default=True) if "ip6tables" in options.by_word else None,
        experimental="ip6tables" in options.by_word,
        userland_proxy=options.flag("userland-proxy", default=True),
        ip_forward=options.flag("ip-forward", default=True),
        bridge=options.text("bridge", "docker0"),
        icc=options.flag("icc", default=True),
        ip_masq=options.flag("ip-masq", default=True),
        ip=bind[0] if bind else None,
        ipv6=options.flag("ipv6", default=bool(v6)),
        bip=bip if isinstance(bip, IPv4Interface) else None,
        fixed_cidr=next((one for one in v4 if isinstance(one, IPv4Network)), None),
        fixed_cidr_v6=next((one for one in v6 if not isinstance(one, IPv4Network)), None),
    )


def network_of(line: t.EngineObject, findings: Findings) -> Network:
    """Return a network; one with a subnet of IPv6 has IPv6."""
    options = _options("network", line.options, findings)
    subnets = _subnets(options)
    said = {
        "name": options.text("bridge"),
        "enable_icc": "" if options.flag("icc", default=True) else "false",
        "enable_ip_masquerade": "" if options.flag("ip-masq", default=True) else "false",
        "host_binding_ipv4": ",".join(str(one) for one in options.all("bind", IPv4Address, "an address of IPv4")),
        "gateway_mode_ipv4": options.text("mode"),
        "gateway_mode_ipv6": options.text("mode"),
        "trusted_host_interfaces": ":".join(value.text for value in options.values("trusted")),
    }
    return Network(
        line.name.text,
        driver=options.text("driver", "bridge"),
        internal=options.flag("internal", default=False),
        ipv6=options.flag("ipv6", default=any(one.version == 6 for one in subnets)),
        subnets=subnets,
        gateways=options.all("gateway", ip_address, "an address"),
        options={_BRIDGE + name: value for name, value in said.items() if value},
        span=line.name.span,
    )


def container_of(
    line: t.EngineObject, networks: Collection[str], containers: Collection[str], findings: Findings
) -> Container:
    """Return a container; `networks` and `containers` are the names that there are."""
    options = _options("container", line.options, findings)
    addresses: tuple[Address, ...] = options.all("address", ip_address, "an address")
    joined: list[str] = []
    for value in options.values("network"):
        name = "bridge" if value.text == "default" else value.text
        of, _, other = name.partition(":")
        known, asked, kind = (
            (containers, other, "container") if of == "container" and other else (networks, name, "network")
        )
        if asked in known:
            joined.append(name)
        else:
            hint = suggestion(asked, known) or f"write `{kind} {asked} = …`"
            findings.report("unknown-name", f"nothing here makes the {kind} `{asked}`", value.span, hint)
    links = (value.text.partition(":") for value in options.values("link"))
    return Container(
        line.name.text,
        networks=tuple(joined) or ("bridge",),
        publish=options.ports("publish", read_publish),
        publish_all=options.flag("publish-all", default=False),
        expose=options.ports("expose", read_port),
        ip=next((one for one in addresses if isinstance(one, IPv4Address)), None),
        ip6=next((one for one in addresses if isinstance(one, IPv6Address)), None),
        links=tuple((name, alias or name) for name, _, alias in links),
        span=line.name.span,
    )
