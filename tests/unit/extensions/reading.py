"""How the tests of extensions read a rule, print it, and ask whether a packet matches it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from policyc import api
from policyc.netfilter.effect import Effect
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import All, Always, Any, Bits, In, Never, Not, Opaque, Predicate

Packet = Mapping[str, object]  # by the names of `fields`; a set for a set-valued field; what is left out does not exist


def printed(rule: str, family: int = 4, table: str = "filter", chain: str = "INPUT") -> str:
    """The one rule that comes out, as iptables-save prints it."""
    (line,) = [
        line
        for line in api.iptables_save(_loaded(rule, family, table, chain), family).splitlines()
        if line.startswith("-A")
    ]
    return line.removeprefix(f"-A {chain}").strip()


def refusals(rule: str, family: int = 4) -> list[str]:
    """All messages with which the rule is refused."""
    with pytest.raises(api.InputError) as caught:
        _loaded(rule, family)
    return [problem.message for problem in caught.value.diagnostics]


def predicate(rule: str, family: int = 4) -> Predicate:
    """What the rule tests."""
    ((_, _, _, found),) = _loaded(rule, family).rules()
    return found.predicate(family)


def effects(rule: str, family: int = 4) -> tuple[Effect, ...]:
    """What the rule's target does."""
    ((_, _, _, found),) = _loaded(rule, family).rules()
    return found.target.effects(found.around(family))


def matches(rule: str, packet: Packet, family: int = 4, assume: Mapping[str, bool] | None = None) -> bool:
    """Whether the packet matches; `assume` gives the outcome of opaque conditions by their keys."""
    return _holds(predicate(rule, family), packet, assume or {})


def hooks(rule: str, family: int = 4) -> set[str]:
    """The names of the hooks in which the kernel takes the rule's only match."""
    ((_, _, _, found),) = _loaded(rule, family).rules()
    (match,) = found.matches
    allowed = match.placement.hooks
    return {hook.value for hook in Hook} if allowed is None else {hook.value for hook in allowed}


def _loaded(rule: str, family: int, table: str = "filter", chain: str = "INPUT") -> api.Ruleset:
    return api.load(f"*{table}\n:{chain} ACCEPT [0:0]\n-A {chain} {rule}\nCOMMIT\n", family=family)


def _holds(node: Predicate, packet: Packet, assume: Mapping[str, bool]) -> bool:
    match node:
        case Always():
            return True
        case Never():
            return False
        case In(field, values):
            value = packet.get(field.name)
            if isinstance(value, set):
                return any(one in values for one in value)
            return value is not None and value in values
        case Bits(field, mask, wanted):
            number = packet.get(field.name)
            return isinstance(number, int) and number & mask == wanted
        case All(parts):
            return all(_holds(part, packet, assume) for part in parts)
        case Any(parts):
            return any(_holds(part, packet, assume) for part in parts)
        case Not(part):
            return not _holds(part, packet, assume)
        case Opaque(key):
            return assume[key]
    raise AssertionError(f"no packet alone decides {node}")
