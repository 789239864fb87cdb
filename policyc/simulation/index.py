"""Which rules of a long chain a packet can match at all, by the addresses and the port they name. Part of `policyc.simulation`.

A rule stands under the first thing that it demands and that the kernel tests before anything with a side effect. Addresses
and ports do not change while a packet is inside a table, so the choice holds for one run of a chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.net.addresses import Network
from policyc.netfilter.extensions.ports import only_destination
from policyc.netfilter.parts import Match, Part, Selector
from policyc.netfilter.rule import Rule
from policyc.simulation.packet import Packet

LONG = 48  # rules; a shorter chain is run as it is
_Networks = dict[int, dict[int, list[int]]]


class ChainIndex:
    """The places of a chain's rules, from 0 on: by source and target network under each mask, by port, and all others."""

    __slots__ = ("_by_port", "_by_source", "_by_target", "_others")

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._by_source: _Networks = {}
        self._by_target: _Networks = {}
        self._by_port: dict[int, list[int]] = {}
        self._others: list[int] = []
        shelves = {"-s": self._by_source, "-d": self._by_target}
        for place, rule in enumerate(rules):
            first = rule.parts[0] if rule.parts else None
            network = first.value if type(first) is Selector and not first.negated else None
            if type(network) is Network:  # most rules of a long chain
                at = shelves[first.option].setdefault(network.mask, {})  # type: ignore[union-attr]
                found = at.get(network.address)
                if found is None:
                    at[network.address] = [place]
                else:
                    found.append(place)
            else:
                self._shelf(rule.parts).append(place)

    def _shelf(self, parts: Sequence[Part]) -> list[int]:
        """Return the list that a rule with these parts belongs to."""
        for part in parts:
            if isinstance(part, Match):
                port = only_destination(part.extension, part.options)
                return self._others if port is None else self._by_port.setdefault(port, [])
            if not isinstance(part, Selector):
                break
            if isinstance(part.value, Network) and not part.negated:
                networks = self._by_source if part.option == "-s" else self._by_target
                return networks.setdefault(part.value.mask, {}).setdefault(part.value.address, [])
        return self._others

    def candidates(self, packet: Packet) -> list[int]:
        """Return the places of the rules that the packet may match, in their order."""
        found = list(self._others)
        for networks, address in ((self._by_source, packet.src), (self._by_target, packet.dst)):
            for mask, places in networks.items():
                found += places.get(address & mask, ())
        if packet.dport is not None:
            found += self._by_port.get(packet.dport, ())
        found.sort()
        return found
