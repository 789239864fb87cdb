"""iptables-save text to Ruleset: real dumps with their oddities, both families, all bad lines reported at once.

First step of reading a dump. A plain line costs a few look-ups in the table of fragments; anything unusual is read word by
word. What iptables-restore would refuse is an error at its line and column; what it reads but nobody meant is a note.
"""

from __future__ import annotations

import re

from policyc.collector import resting_collector
from policyc.diagnostics import Diagnostic, InputError, Related, diagnose
from policyc.diagnostics.suppressions import of_dump
from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.quoting import has_control_character
from policyc.netfilter.rule import Counters, Rule
from policyc.netfilter.ruleset import Ruleset, Table
from policyc.readers.command import Command, parse_command
from policyc.readers.draft import CommandError, TableDraft
from policyc.readers.families import block_family, header_family, only_family
from policyc.readers.fragments import Fragments
from policyc.source import Source, Span

_APPEND = re.compile(r"(?:\[(\d+):(\d+)\] )?-A ([^\s\"]+)(?: (.*))?")
_CHAIN = re.compile(r":(?:\"([^\"]*)\"|(\S+))\s+(\S+)(?:\s+\[(\d+):(\d+)\])?\s*")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]")


def read_save(source: Source, family: int | None = None) -> Ruleset:
    """Return the ruleset of one or several iptables-save or ip6tables-save dumps in a text.

    `family` 4 or 6 decides for all tables; without it each table block is decided by itself. Raises InputError with every
    line that cannot be read; milder findings are the ruleset's `notes`.
    """
    with resting_collector(keep=True):
        return _SaveReader(source, family).read()


class _SaveReader:
    def __init__(self, source: Source, family: int | None) -> None:
        self.source = source
        self.given = family
        self.header: int | None = None
        self.tables: dict[tuple[int, str], Table] = {}
        self.draft: TableDraft | None = None
        self.fragments = {4: Fragments(4), 6: Fragments(6)}
        self.errors: list[Diagnostic] = []
        self.notes: list[Diagnostic] = []
        self.guessed = False
        self.stray = False

    def read(self) -> Ruleset:
        text = self.source.text
        offset = 0
        lines = text.split("\n")
        crlf = text.find("\r\n")
        for number, raw in enumerate(lines, 1):
            line = raw.removesuffix("\r")
            if line:
                first = line[0]
                if first in "-[" and self.draft is not None:
                    self.rule_line(line, offset)
                else:
                    self.other_line(line, offset, number, lines)
            offset += len(raw) + 1
        self.end_of_text()
        if crlf >= 0:
            self.notes.append(
                diagnose("legacy-spelling", "lines end in CR LF, which iptables-restore does not read",
                         Span(self.source, crlf, crlf + 1))
            )  # fmt: skip
        if self.errors:
            raise InputError([*self.errors, *(n for n in self.notes if n.severity.label == "error")])
        suppressions, misspelt = of_dump(self.source)
        return Ruleset(tuple(self.tables.values()), notes=(*self.notes, *misspelt), suppressions=suppressions)

    # ------------------------------------------------------------------ lines
    def rule_line(self, line: str, offset: int) -> None:
        draft = self.draft
        assert draft is not None
        found = _APPEND.fullmatch(line)
        if found is not None:
            packets, size, chain, body = found.groups()
            parts = self.fragments[draft.family].parts(body.rstrip()) if body else ()
            target = draft.chains.get(chain)
            if parts is not None and target is not None:
                counters = Counters(int(packets), int(size)) if packets else None
                target.rules.append(Rule(parts, Span(self.source, offset, offset + len(line)), counters))
                return
        self.command_line(line, offset)

    def command_line(self, line: str, offset: int) -> None:
        draft = self.draft
        assert draft is not None
        if (bad := _CONTROL.search(line)) is not None:
            self.error("control-character", f"a control character ({bad[0]!r}) stands in the line",
                       offset + bad.start(), offset + bad.end())  # fmt: skip
            return
        span = Span(self.source, offset + len(line) - len(line.lstrip()), offset + len(line.rstrip()))
        command = parse_command(line, draft.family, self.fragments[draft.family])
        self.carry_out(command, draft, span, offset)

    def carry_out(self, command: Command, draft: TableDraft, span: Span, offset: int) -> None:
        reading = command.reading
        if reading is not None:
            for problem in reading.problems:
                self.error(problem.code, problem.message, offset + problem.start, offset + problem.end, problem.help)
            for old in reading.spelled:
                self.notes.append(
                    diagnose(old.code, old.message, Span(self.source, offset + old.start, offset + old.end))
                )
            if reading.problems:
                return
        if command.table is not None:
            self.error("unreadable-line", "a rule's table is that of the `*` line above it; iptables-restore refuses `-t`",
                       span.start, span.end, f"write rules of {command.table} below `*{command.table}`")  # fmt: skip
            return
        try:
            command.carry_out(draft, span)
        except CommandError as error:
            start, end = command.chain_span
            where = (offset + start, offset + end) if end else (span.start, span.end)
            self.error(error.code, str(error), *where, error.help)

    def other_line(self, line: str, offset: int, number: int, lines: list[str]) -> None:
        stripped = line.strip()
        span = Span(self.source, offset + len(line) - len(line.lstrip()), offset + len(line.rstrip()))
        if not stripped:
            return
        if stripped[0] == "#":
            self.header = header_family(stripped) or self.header
        elif stripped[0] == "*":
            self.table_line(stripped, span, number, lines)
        elif self.draft is None:
            if not self.stray:
                self.error("unreadable-line", f"`{_short(stripped)}` stands outside a table", span.start, span.end,
                           "a dump's rules stand between `*filter` (or another table) and `COMMIT`")  # fmt: skip
            self.stray = True
        elif stripped == "COMMIT":
            self.commit()
        elif stripped[0] == ":":
            self.chain_line(stripped, span)
        elif stripped[0] in "-[":
            self.command_line(line, offset)
        else:
            self.error("unreadable-line", f"`{_short(stripped)}` is no line of an iptables-save dump", span.start,
                       span.end, "lines begin with `#`, `*`, `:`, `-` or `[`, or are `COMMIT`")  # fmt: skip

    # ------------------------------------------------------------------ tables and chains
    def table_line(self, line: str, span: Span, number: int, lines: list[str]) -> None:
        if self.draft is not None:
            self.without_commit(self.draft)
        name = line[1:].strip()
        family = self.given or self.header or block_family(lines, number) or only_family(lines)
        if family is None:
            family = 4
            if not self.guessed:
                self.guessed = True
                self.notes.append(
                    diagnose("guessed-family", "nothing says whether this is IPv4 or IPv6; read as IPv4", span,
                             help="give the family: -4 FILE or -6 FILE")
                )  # fmt: skip
        if name not in BASE_CHAINS:
            self.error(
                "unreadable-line", f"`{name}` is none of the tables {', '.join(BASE_CHAINS)}", span.start, span.end
            )
        self.stray = False
        self.draft = TableDraft(family, name, span)

    def chain_line(self, line: str, span: Span) -> None:
        draft = self.draft
        assert draft is not None
        found = _CHAIN.fullmatch(line)
        if found is None:
            if len(line) > 1 and " " not in line:
                name, policy, packets, size = line[1:], "-", None, None
                self.notes.append(
                    diagnose("legacy-spelling", f"the chain `{name}` is declared without `-` or a policy", span)
                )
            else:
                self.error("unreadable-line", f"`{_short(line)}` is no chain line", span.start, span.end,
                           "it is `:NAME POLICY [packets:bytes]`, with `-` for the policy of a chain of your own")  # fmt: skip
                return
        else:
            name, policy, packets, size = found[1] or found[2], found[3], found[4], found[5]
        if has_control_character(name):
            self.error("control-character", "a control character stands in a chain name", span.start, span.end)
            return
        counters = Counters(int(packets), int(size)) if packets and size else None
        try:
            draft.declare(name, None if policy == "-" else policy, counters, span)
        except CommandError as error:
            self.error(error.code, str(error), span.start, span.end, error.help)

    def commit(self) -> None:
        draft = self.draft
        assert draft is not None
        self.draft = None
        key = (draft.family, draft.name)
        earlier = self.tables.pop(key, None)
        if earlier is not None and draft.span is not None:
            self.notes.append(
                diagnose(
                    "repeated-table", f"the table {draft.name} comes twice; this one replaces the earlier one", draft.span,
                    related=(Related("the earlier one", earlier.span),),
                    help="the kernel does the same; delete one, or join them",
                )
            )  # fmt: skip
        self.tables[key] = draft.finished()

    def without_commit(self, draft: TableDraft) -> None:
        self.notes.append(
            diagnose("missing-commit", f"the table {draft.name} has no COMMIT; iptables-restore would not load it",
                     draft.span, help="add a line `COMMIT` behind its last rule")
        )  # fmt: skip
        self.commit()

    def end_of_text(self) -> None:
        if self.draft is not None:
            self.without_commit(self.draft)
        if not self.tables and not self.errors:
            self.error("unreadable-line", "there is no table in this text", 0, 0,
                       "a dump has `*filter` (or another table) … `COMMIT`, as iptables-save prints")  # fmt: skip

    def error(self, code: str, message: str, start: int, end: int, help: str = "") -> None:  # noqa: A002
        self.errors.append(diagnose(code, message, Span(self.source, start, end), help=help))


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}…"
