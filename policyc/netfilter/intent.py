"""What a ruleset was meant to be, as far as a policy says it: zones as predicates, required sysctls, owners, tests.

Simulation and analysis know a policy only through this value; they never import the language.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.addresses import Network
from policyc.netfilter.tested import PacketTest, Proof
from policyc.source import Span


@frozen
class Zone:
    """A named set of packets: interface patterns, networks of both families, the host's own addresses, an owner."""

    name: str
    interfaces: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    addresses: tuple[Network, ...] = ()
    owner: str = ""
    span: Span | None = None


@frozen
class Sysctl:
    """A kernel setting that the policy needs; `why` names the statement that needs it."""

    name: str
    value: str
    why: str = ""
    span: Span | None = None


@frozen
class Statement:
    """A policy statement that made kernel rules: its id (eight letters and digits), name and source place."""

    id: str
    name: str
    span: Span
    description: str = ""


@frozen
class AddressName:
    """A name of the policy for addresses: (family, first, last) in written order, both included."""

    name: str
    items: tuple[tuple[int, int, int], ...]


@frozen
class Intent:
    """The policy behind a ruleset. `addresses` are names that a packet may be described with.

    `place_last`: with shared ownership, the jumps to its chains stand at the end of the base chains, else first. `bridges` are
    the networks that container engines make on the host: one interface each, the host's own addresses on it.
    """

    name: str = ""
    zones: tuple[Zone, ...] = ()
    sysctls: tuple[Sysctl, ...] = ()
    statements: tuple[Statement, ...] = ()
    tests: tuple[PacketTest, ...] = ()
    proofs: tuple[Proof, ...] = ()
    addresses: tuple[AddressName, ...] = ()
    place_last: bool = False
    bridges: tuple[Zone, ...] = ()
