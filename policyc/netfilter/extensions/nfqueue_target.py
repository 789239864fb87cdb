"""-j NFQUEUE: a program decides about the packet, by a queue of netlink (net/netfilter/xt_NFQUEUE.c)."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Number, parse_number
from policyc.netfilter.effect import Effect, Note, Verdict
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

# Where `4:` ends: the kernel counts at most 65535 queues. So iptables 1.8.11; 1.8.9 takes 65535 and fails for `:`.
LAST_OPEN = 65534


@frozen
class QueueRange(Argument):
    """`FIRST:LAST`, at least two and at most 65535 queues; an end may be left out."""

    def parse(self, word: str, family: int) -> tuple[int, int]:  # noqa: ARG002
        """Return both ends; raise ValueError."""
        first, mark, last = word.partition(":")
        if not mark:
            raise ValueError(f"`{word}` is one queue; a range is written FIRST:LAST")
        low = parse_number(first, 0, 0xFFFF) if first else 0
        high = parse_number(last, 0, 0xFFFF) if last else LAST_OPEN
        if low >= high:
            raise ValueError(f"the queue range `{word}` does not hold two queues")
        if high - low > LAST_OPEN:
            raise ValueError(f"the queue range `{word}` holds more than 65535 queues")
        return low, high

    def write(self, value: tuple[int, int], family: int) -> str:  # noqa: ARG002
        """Return `FIRST:LAST`."""
        return f"{value[0]}:{value[1]}"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return options if "queue-balance" in options else options.with_values(queue_num=options.get("queue-num", 0))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:
    return (Note("queue", TARGET.text(options, around.family).strip()), Verdict("queue"))


TARGET = TargetExtension(
    name="NFQUEUE",
    options=(
        Option("queue-num", Number(0, 0xFFFF), excludes=("queue-balance",)),
        Option("queue-balance", QueueRange(), excludes=("queue-num",)),
        Option("queue-bypass"),
        Option("queue-cpu-fanout", needs=("queue-balance",)),
    ),
    normalise=_normalise,
    effects=_effects,
    terminal=True,
)
