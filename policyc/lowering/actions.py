"""What a rule does, as targets: one or more actions that a packet goes through in order."""

from __future__ import annotations

from collections.abc import Callable

from policyc.lowering.amounts import rate_test, share_tests
from policyc.lowering.draft import Draft
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.raw_text import jump_target
from policyc.lowering.services import protocol_tests
from policyc.netfilter.quoting import save_string
from policyc.policy.defined import Log
from policyc.policy.model import Jump, Rule
from policyc.policy.values import ALL_BITS, Endpoint, Mark

UNREACHABLE = {4: "icmp-port-unreachable", 6: "icmp6-port-unreachable"}
"""What REJECT answers by itself."""
_RANDOM_PORTS = " --random-fully"
_ONE_ADDRESS = " --persistent"
"""One sender keeps one address of a pool, whoever it talks to: address pooling "paired" (RFC 4787, REQ-2)."""


def actions_of(draft: Draft, family: int, rule: Rule) -> list[Parts]:
    """Return the actions of a rule in one family: its log line, then its verb."""
    pieces = draft.pieces[family]
    found: list[Parts] = []
    if rule.effects.log:
        found.append(log_action(draft, pieces, rule.effects.log, rule.id))
    found.extend(_VERBS[rule.verb](draft, pieces, rule))
    return found


def log_action(draft: Draft, pieces: Pieces, log: Log, identifier: str) -> Parts:
    """Return the log line of a rule, no faster than its log allows."""
    prefix = save_string(log.prefix(identifier if draft.ids else ""))
    if log.group is None:
        target = pieces.read(f"-j LOG --log-prefix {prefix}")
    else:
        target = pieces.read(f"-j NFLOG --nflog-prefix {prefix} --nflog-group {log.group}")
    return (*(rate_test(pieces, log.rate, log.burst) if log.rate else ()), *target)


def destination_actions(pieces: Pieces, endpoints: tuple[Endpoint, ...], balance: str) -> list[Parts]:
    """Return the translation of the destination to one of the endpoints."""
    return _translations(pieces, "DNAT --to-destination", endpoints, balance)


def _translations(
    pieces: Pieces, target: str, endpoints: tuple[Endpoint, ...], balance: str, ports: str = ""
) -> list[Parts]:
    own = [endpoint for endpoint in endpoints if endpoint.family in {None, pieces.family}]
    shares = share_tests(pieces, balance, len(own))
    pooled = _ONE_ADDRESS if target.startswith("SNAT") else ""
    texts = [f"-j {target} {one}{ports}{pooled if one.first != one.last else ''}" for one in own]
    return [(*share, *pieces.read(text)) for share, text in zip(shares, texts, strict=True)]


def _accept(_: Draft, pieces: Pieces, __: Rule) -> list[Parts]:
    return [(pieces.accept,)]


def _drop(_: Draft, pieces: Pieces, __: Rule) -> list[Parts]:
    return [(pieces.drop,)]


def _return(_: Draft, pieces: Pieces, __: Rule) -> list[Parts]:
    return [(pieces.leave,)]


def _reject(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    return [pieces.read(f"-j REJECT --reject-with {rule.effects.answer or UNREACHABLE[pieces.family]}")]


def _log(draft: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    assert isinstance(rule.argument, Log), "`log` names a log"
    return [log_action(draft, pieces, rule.argument, rule.id)]


def _jump(draft: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    assert isinstance(rule.argument, Jump), "`jump` has a target"
    return [jump_target(draft, pieces.family, rule.argument, protocol_tests(pieces, rule.services))]


def _helper(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    return [pieces.read(f"-j CT --helper {rule.argument}")]


def _mark(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    assert isinstance(rule.argument, Mark), "`mark` has a mark"
    return [mark_action(pieces, rule.argument)]


def mark_action(pieces: Pieces, mark: Mark) -> Parts:
    """Return the action that gives the bits of the mask their value and leaves the others."""
    return pieces.read(f"-j MARK --set-xmark {mark.value:#x}/{mark.mask:#x}")


def _copy_mark(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    bits = ALL_BITS if rule.argument is None else rule.argument
    return [pieces.read(f"-j CONNMARK --{rule.verb} --nfmask {bits:#x} --ctmask {bits:#x}")]


def _masquerade(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    effects = rule.effects
    ports = effects.becomes[0].ports if effects.becomes else None
    return [masquerade_action(pieces, ports, kept=effects.ports == "kept")]


def masquerade_action(pieces: Pieces, ports: tuple[int, int] | None = None, *, kept: bool = False) -> Parts:
    """Return the action that hides the source behind the outgoing interface.

    The port is drawn fully at random, unless it is to be `kept` where that is possible.
    """
    span = f" --to-ports {ports[0]}" + (f"-{ports[1]}" if ports[0] != ports[1] else "") if ports else ""
    return pieces.read(f"-j MASQUERADE{span}" + ("" if kept else _RANDOM_PORTS))


def _snat(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    effects = rule.effects
    ports = _RANDOM_PORTS if effects.ports == "random" else ""
    return _translations(pieces, "SNAT --to-source", effects.becomes, effects.balance, ports)


def _dnat(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    return destination_actions(pieces, rule.effects.becomes, rule.effects.balance)


def _redirect(_: Draft, pieces: Pieces, rule: Rule) -> list[Parts]:
    ports = rule.effects.becomes[0].ports if rule.effects.becomes else None
    if ports is None:
        return [pieces.read("-j REDIRECT")]
    first, last = ports
    return [pieces.read(f"-j REDIRECT --to-ports {first}" + (f"-{last}" if first != last else ""))]


_VERBS: dict[str, Callable[[Draft, Pieces, Rule], list[Parts]]] = {
    "accept": _accept,
    "drop": _drop,
    "return": _return,
    "reject": _reject,
    "log": _log,
    "jump": _jump,
    "helper": _helper,
    "mark": _mark,
    "save-mark": _copy_mark,
    "restore-mark": _copy_mark,
    "masquerade": _masquerade,
    "snat": _snat,
    "dnat": _dnat,
    "redirect": _redirect,
}
