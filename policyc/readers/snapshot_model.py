"""The form of a snapshot, `policyc snapshot`'s JSON: pydantic models from which its schema in docs/schema is generated too.

`policyc.kernel.snapshot` makes them, `snapshot` reads them. They hold words and numbers as the kernel and `ip` show them; what
they mean is `snapshot_host`'s. Keys with their default value may be left out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FORMAT_VERSION = "1.0"

Name = Annotated[str, Field(min_length=1, max_length=15, description="an interface's name")]
Number = Annotated[int, Field(ge=0, le=0xFFFFFFFF)]
Lines = list[str]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Texts(_Model):
    """What `iptables-save` and `ip6tables-save` print, line by line, without the lines that say when."""

    ipv4: Lines = []
    ipv6: Lines = []


class Backends(_Model):
    """The rules of both kinds of iptables; null where a kind has no tables. The kernel walks both."""

    nft: Texts | None = None
    legacy: Texts | None = None


class Link(_Model):
    """An interface. `kind` as `ip link` spells it ("bridge", "veth"), "" for hardware; `master` is its bridge, bond or VRF."""

    name: Name
    kind: str = ""
    mac: str | None = None
    up: bool = True
    mtu: Number = 1500
    group: Number = 0
    master: str | None = None


class Address(_Model):
    """An address with its prefix length; those of a link stand in the order in which the kernel lists them."""

    link: Name
    address: str
    scope: str = "global"
    peer: str | None = None
    broadcast: str | None = None
    flags: list[Literal["secondary", "deprecated", "noprefixroute", "tentative", "dadfailed", "temporary"]] = []


class Hop(_Model):
    """One of several next hops of a route."""

    via: str | None = None
    dev: str | None = None
    weight: Annotated[int, Field(ge=1, le=256)] = 1


class Route(_Model):
    """A route; `to` is a network with its prefix length, `type` as ip-route(8) spells it.

    `kernel`: the kernel made it for an address. `only_from` is the source network of an IPv6 route that has one, `encap` the
    kind of a lightweight tunnel.
    """

    to: str
    type: str = "unicast"
    table: Number = 254
    via: str | None = None
    dev: str | None = None
    source: str | None = None
    metric: Number = 0
    tos: Annotated[int, Field(ge=0, le=255)] = 0
    realm: Number = 0
    kernel: bool = False
    hops: list[Hop] = []
    only_from: str | None = None
    mtu: Number | None = None
    encap: str = ""
    preference: Literal["low", "medium", "high"] = "medium"
    flags: list[Literal["dead", "linkdown", "onlink"]] = []


class RoutingRules(_Model):
    """The words of `ip rule` and `ip -6 rule`, one rule each: `pref 100 from 10.0.0.0/8 fwmark 0x2 lookup 102`."""

    ipv4: Lines = []
    ipv6: Lines = []


class Group(_Model):
    """A multicast group that a link has joined."""

    link: Name
    group: str


class Neighbour(_Model):
    """A permanent entry of the neighbour table."""

    link: Name
    address: str
    mac: str


class End(_Model):
    """One direction of a connection; of ICMP `id`, `type` and `code` instead of ports."""

    src: str
    dst: str
    sport: Annotated[int, Field(ge=0, le=65535)] | None = None
    dport: Annotated[int, Field(ge=0, le=65535)] | None = None
    id: Annotated[int, Field(ge=0, le=65535)] | None = None
    type: Annotated[int, Field(ge=0, le=255)] | None = None
    code: Annotated[int, Field(ge=0, le=255)] | None = None


class Connection(_Model):
    """An entry of the connection table; `status` as the bits of enum ip_conntrack_status, `timeout` in seconds."""

    proto: Annotated[int, Field(ge=0, le=255)]
    original: End
    reply: End
    status: Number
    mark: Number = 0
    tcp_state: Literal[
        "",
        "NONE",
        "SYN_SENT",
        "SYN_RECV",
        "ESTABLISHED",
        "FIN_WAIT",
        "CLOSE_WAIT",
        "LAST_ACK",
        "TIME_WAIT",
        "CLOSE",
        "SYN_SENT2",
    ] = ""
    zone: Annotated[int, Field(ge=0, le=65535)] = 0
    timeout: Number | None = None


class Snapshot(_Model):
    """A host, or one network namespace, as `policyc snapshot` found it.

    `kernel` is its release. `holds` names the kinds of data in the file that somebody may not want to give away. `nftables` names
    the tables that other tools have made, whose rules are not read. `sets` is what `ipset save` prints. Of `connections` null
    means: not asked for.
    """

    format_version: Annotated[str, Field(pattern=r"^1\.[0-9]+$")]
    kernel: str
    holds: list[str] = []
    iptables: Backends = Backends()
    nftables: list[str] = []
    sets: Lines = []
    links: list[Link]
    addresses: list[Address] = []
    routes: list[Route] = []
    routing_rules: RoutingRules
    groups: list[Group] = []
    neighbours: list[Neighbour] = []
    sysctls: dict[str, str] = {}
    connections: list[Connection] | None = None
