"""-j REJECT: drop with an answer (net/ipv4/netfilter/ipt_REJECT.c, net/ipv6/netfilter/ip6t_REJECT.c)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.protocols import TCP
from policyc.netfilter.arguments import Argument
from policyc.netfilter.effect import Effect, Reject
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.hooks import Hook

TCP_RESET = "tcp-reset"
DEFAULTS = {4: "icmp-port-unreachable", 6: "icmp6-port-unreachable"}

# Each answer and its older name, in the order in which iptables looks for what an abbreviation may mean.
ANSWERS: dict[int, dict[str, str]] = {
    4: {
        "icmp-net-unreachable": "net-unreach", "icmp-host-unreachable": "host-unreach",
        "icmp-proto-unreachable": "proto-unreach", "icmp-port-unreachable": "port-unreach",
        "icmp-net-prohibited": "net-prohib", "icmp-host-prohibited": "host-prohib", TCP_RESET: "tcp-rst",
        "icmp-admin-prohibited": "admin-prohib",
    },
    6: {
        "icmp6-no-route": "no-route", "icmp6-adm-prohibited": "adm-prohibited",
        "icmp6-addr-unreachable": "addr-unreach", "icmp6-port-unreachable": "port-unreach", TCP_RESET: TCP_RESET,
        "icmp6-policy-fail": "policy-fail", "icmp6-reject-route": "reject-route",
    },
}  # fmt: skip


@frozen
class Answer(Argument):
    """What is sent back, by its name, its older name or the beginning of one; upper case is the same."""

    def parse(self, word: str, family: int) -> str:
        """Return the name that iptables-save prints; raise ValueError."""
        start = word.lower()
        for name, older in ANSWERS[family].items():
            if start and (name.startswith(start) or older.startswith(start)):
                return name
        raise ValueError(f"`{word}` is none of the answers of IPv{family}: {', '.join(ANSWERS[family])}")


def _normalise(options: Options, family: int) -> Options:
    return options if options.given else options.with_values(reject_with=DEFAULTS[family])


def _protocols(options: Options) -> frozenset[int] | None:
    return frozenset((TCP,)) if options.get("reject-with") == TCP_RESET else None


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Reject(options["reject-with"]),)


TARGET = TargetExtension(
    name="REJECT",
    options=(Option("reject-with", Answer()),),
    protocols_for=_protocols,
    placement=in_tables(
        "filter",
        hooks=(Hook.INPUT, Hook.FORWARD, Hook.OUTPUT),
        why="the kernel answers packets in the table filter only",
    ),
    normalise=_normalise,
    effects=_effects,
    terminal=True,
)
