"""Translations of addresses and ports to statements of nft: dnat, snat, masquerade, redirect. Used by `statements`."""

from __future__ import annotations

from policyc.net.addresses import range_network
from policyc.net.intervals import IntervalSet
from policyc.netfilter import fields
from policyc.netfilter.effect import Rewrite
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target
from policyc.writers.nft.conditions import NoForm
from policyc.writers.nft.spelling import addresses

_TO_SOURCE = frozenset((Hook.INPUT, Hook.POSTROUTING))


def translated(change: Rewrite, target: Target, family: int, hooks: frozenset[Hook]) -> tuple[str, ...]:
    """Return the rules that translate; `hooks` are those that reach the rule. Raises NoForm."""
    if change.port_base is not None:
        raise NoForm("`--to-destination …/BASE`, a range of ports moved as a whole")
    if change.how == "prefix":
        return _prefix(change, family, hooks)
    ports = "" if change.ports is None else f":{_span(change.ports)}"
    if change.how == "outgoing":
        verb = "masquerade"
    elif change.how == "incoming":
        verb = "redirect"
    else:
        verb = "snat" if change.side is fields.SRC else "dnat"
    where = ""
    if change.addresses is not None:
        ((low, high),) = change.addresses.spans
        first = next(iter(addresses(IntervalSet.of(low), family)))
        last = next(iter(addresses(IntervalSet.of(high), family)))
        where = first if low == high else f"{first}-{last}"
        if family == 6 and ports:
            where = f"[{first}]" if low == high else f"[{first}]-[{last}]"
    to = f" to {where}{ports}" if where or ports else ""
    return (f"{verb}{to}{_flags(target)}",)


def _span(ports: IntervalSet) -> str:
    ((low, high),) = ports.spans
    return str(low) if low == high else f"{low}-{high}"


def _flags(target: Target) -> str:
    names = {"random": "random", "random-fully": "fully-random", "persistent": "persistent"}
    flags = [word for name, word in names.items() if name in target.options]
    return f" {','.join(flags)}" if flags else ""


def _prefix(change: Rewrite, family: int, hooks: frozenset[Hook]) -> tuple[str, ...]:
    """Return the rules that keep the host part (NETMAP): of the side that the hook translates.

    What is in the network already stays as it is; nft itself would call such a connection translated (measured).
    """
    assert change.addresses is not None
    ((low, high),) = change.addresses.spans
    network = range_network(low, high, family)
    assert network is not None, "the extension takes networks only"
    sides = {"snat" if hook in _TO_SOURCE else "dnat" for hook in hooks}
    if len(sides) > 1:
        raise NoForm("`NETMAP` in a chain that hooks of both sides call")
    verb = sides.pop() if sides else "dnat"
    if low == high:
        return (f"{verb} to {next(iter(addresses(change.addresses, family)))}",)
    there = f"{'ip' if family == 4 else 'ip6'} {'saddr' if verb == 'snat' else 'daddr'} {network}"
    return f"{there} accept", f"{verb} prefix to {network}"
