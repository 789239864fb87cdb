"""Rates and connection counts within what iptables and every kernel take.

Measured with iptables 1.8.9 on Linux 6.18: a rate finer than the scale is "Rate too fast", a burst that fills too slowly is
refused by the kernel when the rule is loaded (xt_limit.c, xt_hashlimit.c: user2credits overflows).
"""

from __future__ import annotations

from policyc.language import definitions as d
from policyc.language.literals import Number, Rate
from policyc.policy.defined import Limit, Log
from policyc.policy.findings import Findings
from policyc.source import Span

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
DEFAULT_BURST = 5
FASTEST_LIMIT, MOST_BURST_LIMIT = 10_000, 10_000
"""`-m limit`: packets a second, burst."""
FASTEST_HASHLIMIT, MOST_BURST_HASHLIMIT = 1_000_000, 1_000_000
"""`-m hashlimit`: packets a second, burst."""
LONGEST_FILL = 111_848
"""Seconds that an empty bucket may take to fill: 2**32 credits where the kernel counts 300 * 128 of them a second, which is
the worst of its configurations (CONFIG_HZ=300)."""


def resolved_limit(definition: d.LimitDefinition, findings: Findings) -> Limit | None:
    """Return a limit; None when it is out of range, which is reported."""
    name, per = definition.name, definition.per
    key, prefix = (per.key, per.prefix) if per else ("", None)
    if definition.connections:
        if not definition.connections.value:
            message = "a limit of 0 connections is none"
            findings.report("bad-literal", message, definition.connections.span, "write `drop` or `reject`")
            return None
        return Limit(name.text, None, 0, definition.connections.value, key, prefix, name.span)
    rate = definition.rate
    assert rate, "a limit has a rate or connections"
    burst = checked_burst(rate, definition.burst, findings, hashed=per is not None)
    return None if burst is None else Limit(name.text, (rate.count, rate.unit), burst, None, key, prefix, name.span)


def checked_burst(rate: Rate, burst: Number | None, findings: Findings, *, hashed: bool) -> int | None:
    """Return the burst, 5 where none is written; None when rate or burst is out of range.

    `hashed` says that each source or destination has a bucket of its own.
    """
    fastest = FASTEST_HASHLIMIT if hashed else FASTEST_LIMIT
    most = MOST_BURST_HASHLIMIT if hashed else MOST_BURST_LIMIT
    seconds = SECONDS[rate.unit]
    if rate.count > fastest * seconds:
        message = f"`{rate.span.text}` is faster than the {fastest} packets a second that the kernel tells apart"
        findings.report("bad-literal", message, rate.span)
        return None
    count = burst.value if burst else DEFAULT_BURST
    span: Span = burst.span if burst else rate.span
    if not 1 <= count <= most:
        findings.report("bad-literal", f"a burst is from 1 to {most}, not {count}", span)
        return None
    if count * seconds > LONGEST_FILL * rate.count:
        slowest = LONGEST_FILL * rate.count // seconds
        said = f"a burst of {count}" if burst else f"the default burst of {count}"
        message = f"{said} at {rate.span.text} takes longer to fill than the kernel can count"
        findings.report("bad-literal", message, span, f"write `burst {max(slowest, 1)}`" + (" or less" * (slowest > 1)))
        return None
    return count


def resolved_log(definition: d.LogDefinition, findings: Findings) -> Log | None:
    """Return a log; None when its limit is out of range."""
    rate, name = definition.rate, definition.name
    burst = checked_burst(rate, definition.burst, findings, hashed=False) if rate else 0
    if burst is None:
        return None
    group = definition.group.value if definition.group else None
    return Log(name.text, definition.text.text, group, (rate.count, rate.unit) if rate else None, burst, name.span)
