"""What a source says about the host that it is for: interfaces, zones, networks behind them, where DNAT leads.

Part of `explanation`, read by `assumed_host` where nobody gave a host.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.frozen import frozen
from policyc.host.host import LOOPBACK
from policyc.net.addresses import Network
from policyc.net.names import NameSet
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.fields import DST
from policyc.netfilter.intent import Zone
from policyc.netfilter.parts import Selector, Target
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset

_WIDEST = {4: 8, 6: 16}
"""The shortest prefix that a rule's address tells where a network is; shorter ones are about the internet."""


@frozen
class Behind:
    """A network and the interface that a rule takes it to be behind."""

    network: Network
    interface: str


@frozen
class Hints:
    """What is known without a host.

    `interfaces` are whole names in the order in which the source names them, `patterns` those with a `+` at the end.
    `targets` are (family, address) where DNAT leads, `zones` those of the policy, `behind` what rules of a dump imply,
    `bridges` the networks of containers.
    """

    interfaces: tuple[str, ...]
    patterns: tuple[str, ...]
    zones: tuple[Zone, ...]
    behind: tuple[Behind, ...]
    targets: tuple[tuple[int, int], ...]
    bridges: tuple[Zone, ...] = ()

    def zone(self, name: str) -> Zone | None:
        """Return the zone of that name."""
        return next((zone for zone in self.zones if zone.name == name), None)


_last: list[tuple[Ruleset, Hints]] = []
"""The ruleset that was asked last with its hints: who asks about one packet of 100,000 rules asks about the next one too."""


def hints_of(ruleset: Ruleset) -> Hints:
    """Return what the rules and the policy of a ruleset say."""
    if not _last or _last[0][0] is not ruleset:
        _last[:] = [(ruleset, _read(ruleset))]
    return _last[0][1]


def _read(ruleset: Ruleset) -> Hints:
    zones = ruleset.intent.zones if ruleset.intent else ()
    bridges = ruleset.intent.bridges if ruleset.intent else ()
    names: dict[str, None] = {name: None for zone in (*zones, *bridges) for name in zone.interfaces}
    behind: dict[tuple[int, int, int], Behind] = {}
    for table in ruleset.tables:
        for chain in table.chains:
            for rule in chain.rules:
                way_out = ""
                for part in rule.parts:  # written for dumps of 100,000 rules
                    if type(part) is not Selector:
                        break
                    if type(part.value) is str:
                        names[part.value] = None
                        if part.option == "-o":
                            way_out = part.value
                if way_out and not zones and (found := _behind(rule, way_out)) is not None:
                    network = found.network
                    behind.setdefault((network.family, network.address, network.mask), found)
    plain = [name for name in names if not name.endswith("+") and name != LOOPBACK]
    return Hints(
        tuple(plain),
        tuple(name for name in names if name.endswith("+")),
        zones,
        tuple(behind.values()),
        tuple(dict.fromkeys(_targets(ruleset))),
        bridges,
    )


def _behind(rule: Rule, way_out: str) -> Behind | None:
    """Return where a rule takes a network to be.

    `-d NETWORK -o NAME -j ACCEPT` sends there what is for it, and `-s NETWORK ! -o NAME -j MASQUERADE` hides it from all
    others; both are how container engines and routers write.
    """
    target = rule.target
    out = rule.selector("-o")
    if target is None or out is None or way_out.endswith("+") or way_out == LOOPBACK:
        return None
    option = {"ACCEPT": "-d", "MASQUERADE": "-s"}.get(target.name)
    address = rule.selector(option) if option else None
    if address is None or address.negated or out.negated is not (option == "-s"):
        return None
    network = address.value
    assert isinstance(network, Network), "-s and -d hold networks"
    if network.prefix is None or network.prefix < _WIDEST[network.family]:
        return None
    return Behind(network, way_out)


def _nat_effects(ruleset: Ruleset) -> Iterator[tuple[int, Rewrite]]:
    for table in ruleset.tables:
        if table.name != "nat":
            continue
        for chain in table.chains:
            for rule in chain.rules:
                target = rule.target
                if isinstance(target, Target) and target.extension is not None:
                    for effect in target.effects(rule.around(table.family)):
                        if isinstance(effect, Rewrite):
                            yield table.family, effect


def _targets(ruleset: Ruleset) -> Iterator[tuple[int, int]]:
    for family, effect in _nat_effects(ruleset):
        if effect.side is DST and effect.how == "given" and effect.addresses is not None:
            yield from ((family, low) for low, _ in effect.addresses.spans)


def fits(zone: Zone, interface: str) -> bool:
    """Whether an interface is listed in a zone."""
    return any(interface in NameSet.interface(pattern) for pattern in zone.interfaces)


def holds(networks: tuple[Network, ...], family: int, address: int) -> bool:
    """Whether one of the networks has the address."""
    return any(network.family == family and address in network for network in networks)
