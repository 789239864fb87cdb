"""The words of `ip rule add` become a routing rule. Reading of hosts, used by `topology`. Source: ip-rule(8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from policyc.host.host import DEFAULT, LOCAL, MAIN
from policyc.host.routing_rule import RoutingRule, RuleAction
from policyc.net.addresses import WIDTH, Network, parse_network
from policyc.net.protocols import parse_protocol
from policyc.readers.ipset_members import parse_mark

TABLES = {"main": MAIN, "local": LOCAL, "default": DEFAULT}
_ACTIONS = {
    "unreachable": RuleAction.UNREACHABLE, "prohibit": RuleAction.PROHIBIT, "blackhole": RuleAction.BLACKHOLE,
    "nop": RuleAction.NOP,
}  # fmt: skip
_SYNONYMS = {
    "table": "lookup", "preference": "pref", "priority": "pref", "order": "pref", "dsfield": "tos", "dev": "iif",
    "suppress_prefixlength": "sup_pl", "suppress_prefix": "sup_pl",
}  # fmt: skip


def parse_rule(text: str, family: int, before: Sequence[RoutingRule]) -> RoutingRule:
    """Return the rule of `[not] from NET to NET iif DEV fwmark M/M lookup TABLE pref N …`; raise ValueError.

    `before` are the rules that are there: without `pref` the kernel takes the number before that of the second of them.
    """
    words = text.split()
    rule = RoutingRule(family, -1, MAIN)
    has_action = False
    at = 0
    while at < len(words):
        word = _SYNONYMS.get(words[at], words[at])
        at += 1
        if word == "not":
            rule = replace(rule, inverted=True)
            continue
        if word in _ACTIONS:
            rule, has_action = replace(rule, action=_ACTIONS[word]), True
            continue
        if word not in _READERS:
            raise ValueError(f"`{word}` is no word of a routing rule that policyc knows")
        if at >= len(words):
            raise ValueError(f"the value of `{word}` is missing")
        has_action = has_action or word in {"lookup", "goto"}
        rule = _READERS[word](rule, words[at])
        at += 1
    if not has_action:
        raise ValueError(f"the rule `{text}` says neither `lookup TABLE` nor another action")
    if rule.preference < 0:
        rule = replace(rule, preference=_free_preference(family, before))
    return rule


def _free_preference(family: int, before: Sequence[RoutingRule]) -> int:
    others = [rule.preference for rule in before if rule.family == family]
    return others[1] - 1 if len(others) > 1 and others[1] else 0


def parse_table(text: str) -> int:
    """Return the number of a routing table; names are `main`, `local` and `default`. Raises ValueError."""
    if text in TABLES:
        return TABLES[text]
    number = parse_mark(text)
    if number == 0:
        raise ValueError("table 0 is no table")
    return number


def _network(text: str, family: int) -> Network | None:
    if text in {"all", "any", "default"}:
        return None
    network = parse_network(text, family)
    if network.prefix is None:
        raise ValueError(f"`{text}` has a mask with holes")
    return network if network.prefix or WIDTH[family] == 0 else None


def _mark(rule: RoutingRule, text: str) -> RoutingRule:
    value, slash, mask = text.partition("/")
    return replace(rule, mark=parse_mark(value), mark_mask=parse_mark(mask) if slash else 0xFFFFFFFF)


def _span(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    low = parse_mark(first)
    high = parse_mark(last) if dash else low
    if high < low:
        raise ValueError(f"the range `{text}` ends before it begins")
    return low, high


_READERS: dict[str, Callable[[RoutingRule, str], RoutingRule]] = {
    "from": lambda rule, text: replace(rule, source=_network(text, rule.family)),
    "to": lambda rule, text: replace(rule, destination=_network(text, rule.family)),
    "iif": lambda rule, text: replace(rule, iif=text),
    "oif": lambda rule, text: replace(rule, oif=text),
    "fwmark": _mark,
    "lookup": lambda rule, text: replace(rule, table=parse_table(text)),
    "pref": lambda rule, text: replace(rule, preference=parse_mark(text)),
    "uidrange": lambda rule, text: replace(rule, uids=_span(text)),
    "ipproto": lambda rule, text: replace(rule, protocol=parse_protocol(text)),
    "sport": lambda rule, text: replace(rule, sport=_span(text)),
    "dport": lambda rule, text: replace(rule, dport=_span(text)),
    "tos": lambda rule, text: replace(rule, tos=parse_mark(text)),
    "goto": lambda rule, text: replace(rule, action=RuleAction.GOTO, target=parse_mark(text)),
    "sup_pl": lambda rule, text: replace(rule, suppress_prefix=parse_mark(text)),
}
