"""The daemon's hand on the tables: its chains made and emptied, rules of `rules` put in and taken out.

Rules that are there already are left where they are, as the daemon does, which is what decides the order after a restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from policyc.engines.docker.ports import Address, Binding, Port
from policyc.engines.docker.rules import ESTABLISHED, LOOPBACK, Bridge, Placed, Programming
from policyc.engines.docker.running import Running
from policyc.engines.docker.scenario import Settings
from policyc.engines.docker.versions import Behaviour, Isolation, Layout
from policyc.engines.tables import Tables
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.ruleset import Ruleset

_TO_LOCAL = "-m addrtype --dst-type LOCAL"
_USER = "DOCKER-USER"
_OWN = (
    "DOCKER", "DOCKER-FORWARD", "DOCKER-BRIDGE", "DOCKER-CT", "DOCKER-INTERNAL", "DOCKER-ISOLATION-STAGE-1",
    "DOCKER-ISOLATION-STAGE-2",
)  # fmt: skip


class Firewall:
    """Rules of both families, as far as the daemon filters them."""

    def __init__(self, tables: Tables, how: Behaviour, settings: Settings) -> None:
        self.tables = tables
        self.how = how
        self.programming = Programming(
            how, not settings.userland_proxy, settings.allow_direct_routing, settings.accept_mark
        )
        ip6tables = how.ip6tables if settings.ip6tables is None else settings.ip6tables
        asked = {4: settings.iptables, 6: ip6tables}
        self.families = tuple(family for family in (4, 6) if asked[family])
        self._sets: dict[int, list[str]] = {4: [], 6: []}

    def start(self) -> None:
        """Empty the chains of an earlier run and make those of this one."""
        for family in self.families:
            self._empty(family)
            self._make(family)

    def adopt(self, running: Running) -> str:
        """Go on with the chains of a daemon that runs; make those of a family that has none.

        Returns what shows that they are of another release, "" where they fit this one.
        """
        for family in self.families:
            if not self.tables.has_chain(family, "nat", "DOCKER"):
                self._make(family)
                continue
            there = {chain for chain in _OWN if self.tables.has_chain(family, "filter", chain)}
            if there != (expected := {"DOCKER", *self._between, *self._layered}):
                wrong = min(there ^ expected)
                return f"has {wrong}" if wrong in there else f"has no {wrong}"
            self._sets[family] += map(str, running.external(family))
        return ""

    @property
    def _between(self) -> tuple[str, ...]:
        if self.how.isolation is Isolation.INTERNAL:
            return ("DOCKER-INTERNAL",)
        return ("DOCKER-ISOLATION-STAGE-1", "DOCKER-ISOLATION-STAGE-2")

    @property
    def _layered(self) -> tuple[str, ...]:
        return ("DOCKER-FORWARD", "DOCKER-BRIDGE", "DOCKER-CT") if self.how.layout is Layout.CHAINS else ()

    def _empty(self, family: int) -> None:
        self.tables.delete(family, "nat", "PREROUTING", f"{_TO_LOCAL} -j DOCKER")
        self.tables.delete(family, "nat", "OUTPUT", self._output(family, hairpin=False))
        self.tables.delete(family, "nat", "OUTPUT", self._output(family, hairpin=True))
        self.tables.flush(family, "nat", "DOCKER")
        for chain in _OWN:
            self.tables.flush(family, "filter", chain)

    def _make(self, family: int) -> None:
        how, tables = self.how, self.tables
        tables.new_chain(family, "nat", "DOCKER")
        tables.new_chain(family, "filter", "DOCKER")
        between = self._between
        for chain in between:
            tables.new_chain(family, "filter", chain)
            if how.isolation is Isolation.STAGES_FIRST:
                self._append_once(family, "filter", chain, "-j RETURN")
        if how.layout is Layout.FORWARD:
            return  # its jumps come with the first network
        self._jump_from_nat(family)
        if how.layout is Layout.IPSET:
            asked = f"-m set --match-set {self._set_name(family)} dst"
            self._jump_first(family, "FORWARD", f"{asked} -j DOCKER")
            self._jump_first(family, "FORWARD", f"-j {between[0]}")
            self._jump_first(family, "FORWARD", f"{asked} {ESTABLISHED} -j ACCEPT")
            return
        for chain in self._layered:
            tables.new_chain(family, "filter", chain)
        self._jump_first(family, "FORWARD", "-j DOCKER-FORWARD")
        for chain in ("DOCKER-BRIDGE", between[0], "DOCKER-CT"):
            self._jump_first(family, "DOCKER-FORWARD", f"-j {chain}")

    def user_chain(self) -> None:
        """Make the chain for rules of the user, and the jump to it the first in FORWARD."""
        for family in self.families:
            if family == 6 and not self.how.user_chain_ipv6:
                continue
            self.tables.new_chain(family, "filter", _USER)
            if self.how.user_chain_returns:
                self._append_once(family, "filter", _USER, "-j RETURN")
            self._jump_first(family, "FORWARD", f"-j {_USER}")

    def drop_by_default(self, family: int) -> None:
        """Let FORWARD drop what no rule decides."""
        self.tables.set_policy(family, "filter", "FORWARD", "DROP")

    def add_network(self, bridge: Bridge) -> None:
        """Program a network."""
        for family in self.families:
            if family in bridge.subnets:
                self._put(family, self.programming.network(bridge, family))
                if self.how.layout is Layout.FORWARD:
                    if not bridge.internal:
                        self._jump_from_nat(family)
                    self._jump_first(family, "FORWARD", "-j DOCKER-ISOLATION-STAGE-1")
                if not bridge.internal:
                    self._sets[family].append(str(bridge.subnets[family]))
            if family in bridge.subnets or self.how.layout is Layout.FORWARD:
                self._put(family, self.programming.isolation(bridge, family))

    def remove_network(self, bridge: Bridge) -> None:
        """Take a network out."""
        for family in self.families:
            if family in bridge.subnets:
                self._take(family, self.programming.network(bridge, family))
                if not bridge.internal:
                    self._sets[family].remove(str(bridge.subnets[family]))
            self._take(family, self.programming.isolation(bridge, family))

    def add_endpoint(self, bridge: Bridge, addresses: Mapping[int, Address]) -> None:
        """Program the addresses of a container on a network."""
        for family in self.families:
            if family in addresses:
                self._put(family, self.programming.endpoint(bridge, addresses[family]))

    def remove_endpoint(self, bridge: Bridge, addresses: Mapping[int, Address]) -> None:
        """Take the addresses of a container out."""
        for family in self.families:
            if family in addresses:
                self._take(family, self.programming.endpoint(bridge, addresses[family]))

    def add_port(self, bridge: Bridge, binding: Binding) -> None:
        """Program a published port."""
        if binding.family in self.families and not bridge.internal:
            self._put(binding.family, self.programming.port(bridge, binding))

    def remove_port(self, bridge: Bridge, binding: Binding) -> None:
        """Take a published port out."""
        if binding.family in self.families and not bridge.internal:
            self._take(binding.family, self.programming.port(bridge, binding))

    def add_link(self, bridge: Bridge, parent: Address, child: Address, port: Port) -> None:
        """Let a container ask a port of another."""
        if 4 in self.families:
            self._put(4, self.programming.link(bridge, parent, child, port))

    def remove_link(self, bridge: Bridge, parent: Address, child: Address, port: Port) -> None:
        """Take a link out."""
        if 4 in self.families:
            self._take(4, self.programming.link(bridge, parent, child, port))

    def ruleset(self) -> Ruleset:
        """Return what is programmed now, with the sets that its rules ask."""
        found = self.tables.ruleset()
        if self.how.layout is not Layout.IPSET:
            return found
        sets = (
            IpSet(self._set_name(family), "hash:net", family, members=tuple(self._sets[family]))
            for family in self.families
        )
        return replace(found, sets=tuple(sets))

    def _put(self, family: int, rules: Iterable[Placed]) -> None:
        for placed in rules:
            if self.tables.has(family, placed.table, placed.chain, placed.rule):
                continue
            if placed.top:
                self.tables.insert(family, placed.table, placed.chain, placed.rule)
            else:
                self.tables.append(family, placed.table, placed.chain, placed.rule)

    def _take(self, family: int, rules: Iterable[Placed]) -> None:
        for placed in rules:
            self.tables.delete(family, placed.table, placed.chain, placed.rule)

    def _append_once(self, family: int, table: str, chain: str, rule: str) -> None:
        self._put(family, [Placed(table, chain, rule)])

    def _jump_first(self, family: int, chain: str, rule: str) -> None:
        self.tables.delete(family, "filter", chain, rule)
        self.tables.insert(family, "filter", chain, rule)

    def _jump_from_nat(self, family: int) -> None:
        self._append_once(family, "nat", "PREROUTING", f"{_TO_LOCAL} -j DOCKER")
        self._append_once(family, "nat", "OUTPUT", self._output(family, hairpin=self.programming.hairpin))

    def _output(self, family: int, *, hairpin: bool) -> str:
        return f"{_TO_LOCAL} -j DOCKER" if hairpin else f"! -d {LOOPBACK[family]} {_TO_LOCAL} -j DOCKER"

    def _set_name(self, family: int) -> str:
        return f"docker-ext-bridges-v{family}"
