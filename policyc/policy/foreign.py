"""What other tools install beside a policy, as far as it says so: part of the resolved policy, never written by us."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from policyc.engines.surroundings import Publication
from policyc.frozen import frozen
from policyc.language.literals import Name
from policyc.net.addresses import Network
from policyc.netfilter import intent
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Span


@frozen
class Container:
    """A container that a policy may name: its addresses, and whether the policy or its file says them (`fixed`)."""

    addresses: tuple[Network, ...]
    fixed: bool


@frozen
class Service:
    """A service of a compose file as a name of the policy: it stands for the addresses of all of its containers."""

    name: Name
    kind: str = "container"


@frozen
class Foreign:
    """The rules of one tool (`owner`), its bridges as zones of the host, the ports that it publishes."""

    owner: str
    ruleset: Ruleset
    bridges: tuple[intent.Zone, ...]
    published: tuple[Publication, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Beside:
    """All that is installed beside a policy, and the containers in it by their names in the policy.

    A container of an engine that could not be asked, which was reported, is missing.
    """

    foreign: tuple[Foreign, ...] = ()
    containers: Mapping[str, Container] = field(default_factory=dict)

    @property
    def published(self) -> Iterator[tuple[str, Publication]]:
        """Every published port with the tool that translates it."""
        return ((one.owner, port) for one in self.foreign for port in one.published)
