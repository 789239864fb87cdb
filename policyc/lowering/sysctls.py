"""Fifth pass: the kernel settings that statements need, besides those that the policy requires itself."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.diagnostics import Related
from policyc.lowering.draft import Draft
from policyc.lowering.publish import LOOPBACK
from policyc.netfilter.hooks import Hook
from policyc.netfilter.intent import Sysctl
from policyc.policy.model import Block, Item, Netmap, Publish, Rule, Synproxy
from policyc.policy.values import Endpoint
from policyc.source import Span

FORWARDING = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}
ROUTE_LOCALNET = "net.ipv4.conf.all.route_localnet"
TCP_LOOSE = "net.netfilter.nf_conntrack_tcp_loose"

_SENDS_ON = frozenset(("masquerade", "snat", "dnat"))


def sysctls(draft: Draft) -> None:
    """Collect settings, the first statement that needs one is why; a requirement that contradicts it is an error."""
    for required in draft.policy.sysctls:
        draft.sysctls[required.name] = required
    for item in draft.policy.items:
        for name, value, why, span in _needs(item):
            known = draft.sysctls.setdefault(name, Sysctl(name, value, why, span))
            if known.value != value:
                message = f"`{name}` is required to be `{known.value}`, but {why} needs `{value}`"
                related = (Related("this statement needs it", span),)
                draft.report("contrary-sysctl", message, known.span or span, related=related)


def _needs(item: Item) -> Iterator[tuple[str, str, str, Span]]:
    match item:
        case Block():
            yield from _block(item)
        case Publish():
            for family in item.families:
                yield FORWARDING[family], "1", "publish", item.span
            yield from _localnet(item.endpoints, item.span)
        case Netmap():
            for family in item.families:
                yield FORWARDING[family], "1", "netmap", item.span
        case Synproxy():
            # With loose tracking the client's ACK opens a connection by itself, and the proxy never sees it.
            yield TCP_LOOSE, "0", "synproxy", item.span
            for pair in item.filters:
                if pair.hook is Hook.FORWARD:
                    for family in set(pair.families) & set(item.families):
                        yield FORWARDING[family], "1", "synproxy", item.span
        case _:
            pass


def _block(block: Block) -> Iterator[tuple[str, str, str, Span]]:
    for rule in block.rules:
        for pair in block.pairs:
            if rule.hooks and pair.hook not in rule.hooks:
                continue
            forwards = block.table == "filter" and pair.hook is Hook.FORWARD and rule.verb == "accept"
            if (forwards and not _answers_only(rule)) or (rule.verb in _SENDS_ON and pair.hook is not Hook.OUTPUT):
                for family in pair.families:
                    if family in rule.families:
                        yield FORWARDING[family], "1", f"`{rule.verb}`", rule.span
            if rule.verb == "dnat" and pair.hook is Hook.PREROUTING:
                yield from _localnet(rule.effects.becomes, rule.span)


def _answers_only(rule: Rule) -> bool:
    """Whether a rule accepts nothing that opens a connection: a host that forwards nothing may have it as well."""
    state = rule.matches.state
    return state is not None and not state.negated and set(state.values) <= {"established", "related"}


def _localnet(endpoints: tuple[Endpoint, ...], span: Span) -> Iterator[tuple[str, str, str, Span]]:
    """Yield the setting without which routing drops what comes from outside and is translated to 127.0.0.0/8."""
    if any(one.family == 4 and one.first in LOOPBACK[4] for one in endpoints):
        yield ROUTE_LOCALNET, "1", "a translation to the loopback address", span
