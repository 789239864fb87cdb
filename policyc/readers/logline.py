"""A line that LOG, nftables' `log` or TRACE wrote to the kernel log, pasted as it is, becomes `Headers` and where it was seen.

A reader beside `save`; `logline_packet` reads the packet itself. Source of the form: net/netfilter/nf_log_syslog.c, for
TRACE net/ipv4/netfilter/ip_tables.c.
"""

from __future__ import annotations

import re
from dataclasses import replace

from policyc.diagnostics import InputError
from policyc.frozen import frozen
from policyc.net.headers import Headers
from policyc.readers.logline_packet import PacketReader
from policyc.source import Source, Span

# What syslog, the journal and dmesg put before a message of the kernel, in any order and number.
_BEFORE = re.compile(
    r"""\s+
    | <\d+>
    | (?:[A-Z][a-z]{2}[ ]+\d+[ ]\d\d:\d\d:\d\d(?:\.\d+)? | \d{4}-\d\d-\d\d[T ][\d:.,+Z-]+) [ ]+\S+[ ]+[\w./-]+(?:\[\d+\])?:[ ]
    | \[\ *\d+\.\d+\](?:[ ]\S+[ ]kernel:)?[ ]?
    | \[[A-Z][a-z]{2}[ ][A-Z][a-z]{2}[ ]+\d+[ ][\d:]+[ ]\d{4}\][ ]?
    | kern[ ]*:\w+[ ]*:[ ]
    | kernel:[ ]?
    """,
    re.VERBOSE,
)
_BEGINNING = re.compile(r"IN=\S*\s+OUT=")
_TRACED = re.compile(r"TRACE: (\w+):(\S+):(rule|return|policy):(\d+) $")
_BASE_CHAINS = frozenset(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"))


@frozen
class TracePoint:
    """The rule that a TRACE line is about.

    `kind` is `rule`, `return` (a chain's end, or RETURN) or `policy`; `number` is 1-based within the chain, that of a
    `return` or `policy` is one more than the chain has rules where its end was reached.
    """

    table: str
    chain: str
    kind: str
    number: int


@frozen
class LogLine:
    """One line of the kernel log.

    `headers` are the packet's as it looked where it was logged: `hooks` says where that was and `after_dnat` whether its
    destination may have been translated by then. `prefix` is what stands before `IN=`, with its blanks, as --log-prefix
    has it (at most 29 characters of it). `physin` and `physout` are ports of a bridge. `trace` is set for a TRACE line.
    `incomplete`: the kernel saw less than a whole header. `unread` are words that no kernel is known to print.
    """

    headers: Headers
    prefix: str
    span: Span
    physin: str = ""
    physout: str = ""
    trace: TracePoint | None = None
    incomplete: bool = False
    unread: tuple[str, ...] = ()

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks it can have been logged in, in the packet's order; none where the line names no interface."""
        if self.trace is not None and self.trace.chain in _BASE_CHAINS:
            return (self.trace.chain,)
        if self.headers.entry and self.headers.exit:
            return ("FORWARD", "POSTROUTING")
        if self.headers.entry:
            return ("PREROUTING", "INPUT")
        return ("OUTPUT", "POSTROUTING") if self.headers.exit else ()

    @property
    def after_dnat(self) -> bool | None:
        """Whether nat had already been asked for the destination: translated addresses are shown; None where it is not known.

        For a packet of this host nat OUTPUT is meant.
        """
        hooks = self.hooks
        if self.trace is not None and hooks in {("PREROUTING",), ("OUTPUT",)}:
            # raw and mangle come before nat; behind it come filter and security, and nat itself is in between.
            return {"raw": False, "mangle": False, "filter": True, "security": True}.get(self.trace.table)
        return None if not hooks or hooks[0] in {"PREROUTING", "OUTPUT"} else True


def is_logline(text: str) -> bool:
    """Whether a text is meant as a line of the kernel log: it has `IN=… OUT=`."""
    return _BEGINNING.search(text) is not None


def read_logline(source: Source) -> LogLine:
    """Return what the one line of a text says; line ends within it are read as blanks, as a terminal's copy has them.

    Raises InputError with everything in it that cannot be read.
    """
    beginning = _BEGINNING.search(source.text)
    reader = PacketReader(source, 0 if beginning is None else beginning.start())
    if beginning is None:
        reader.error(
            "this is no line of the kernel log: nothing in it reads `IN=… OUT=…`",
            source.span(0, len(source.text.rstrip())),
            "expected is a line as the kernel wrote it, `IN=eth0 OUT= SRC=192.0.2.1 DST=192.0.2.2 … PROTO=TCP SPT=… DPT=…`",
        )
        raise InputError(reader.errors)
    prefix = _prefix(source.text[: beginning.start()])
    traced = _TRACED.search(prefix)
    headers = reader.line()
    if headers is None or reader.errors:
        raise InputError(reader.errors)
    if not headers.entry and headers.exit:
        headers = replace(headers, local=True)
    return LogLine(
        headers,
        prefix,
        source.span(beginning.start(), len(source.text.rstrip())),
        reader.interface("PHYSIN"),
        reader.interface("PHYSOUT"),
        TracePoint(traced[1], traced[2], traced[3], int(traced[4])) if traced else None,
        reader.incomplete,
        tuple(reader.unread),
    )


def _prefix(before: str) -> str:
    at = 0
    while (found := _BEFORE.match(before, at)) is not None:
        at = found.end()
    return before[at:]
