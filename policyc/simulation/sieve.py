"""Which rules of a long chain one packet can match at all, in one pass. Part of `policyc.simulation`, for a single packet.

`index` answers the same for many packets, but takes longer to begin. A rule is left out where a test fails that the kernel
makes before anything with a side effect: the selectors, and ports where they are the first match.
"""

from __future__ import annotations

from collections.abc import Sequence

from policyc.net.addresses import Network
from policyc.net.names import NameSet
from policyc.netfilter.extensions.ports import ports_fit
from policyc.netfilter.parts import Match, Part, Selector
from policyc.netfilter.rule import Rule
from policyc.simulation.packet import Packet

_HOLDS, _FAILS, _ENDS = 0, 1, 2  # of a test: the next one is looked at, the rule is out, the rule stays in


def sieve(rules: Sequence[Rule], packet: Packet) -> list[int]:
    """Return the places of the rules that the packet may match, in their order, from 0 on."""
    found: list[int] = []
    known: dict[int, int] = {}  # parts are shared between rules, so their identity will do
    src, dst = packet.src, packet.dst
    for place, rule in enumerate(rules):
        for part in rule.parts:
            if type(part) is Selector and type(part.value) is Network:
                network = part.value
                inside = (src if part.option == "-s" else dst) & network.mask == network.address
                if inside is part.negated:
                    break
                continue
            fate = known.get(id(part))
            if fate is None:
                fate = known[id(part)] = _fate(part, packet)
            if fate == _FAILS:
                break
            if fate == _ENDS:
                found.append(place)
                break
        else:
            found.append(place)
    return found


def _fate(part: Part, packet: Packet) -> int:
    if isinstance(part, Selector):
        return _HOLDS if _selects(part, packet) is not part.negated else _FAILS
    if isinstance(part, Match) and not ports_fit(part.extension, part.options, packet.sport, packet.dport):
        return _FAILS
    return _ENDS


def _selects(selector: Selector, packet: Packet) -> bool:
    value = selector.value
    if isinstance(value, int):
        return value in {0, packet.proto}
    if isinstance(value, str):
        name = packet.iif if selector.option == "-i" else packet.oif
        return name is not None and name in NameSet.interface(value)
    return not selector.negated  # fragments: the rule stays in
