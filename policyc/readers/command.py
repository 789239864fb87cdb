"""One iptables command: `-I FORWARD 2 …` in a restore file, `iptables -t nat -A …` on its own.

Commands are read here and carried out on a table's draft. Raw rules in a policy and the steps of container scenarios come
through `apply_command`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.frozen import frozen
from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.quoting import QuoteError, split_words
from policyc.netfilter.rule import Counters, Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.building import rule_problems
from policyc.readers.draft import CommandError, TableDraft
from policyc.readers.fragments import Fragments
from policyc.readers.reading import Problem, Reading, Word
from policyc.readers.words import read_rule
from policyc.source import Source, Span

# Short and long commands with what follows: c a chain, n? an optional number, n a number, r a rule, p a policy, N a name.
COMMANDS: dict[str, tuple[str, str]] = {
    "-A": ("append", "c r"), "-I": ("insert", "c n? r"), "-D": ("delete", "c n? r"), "-R": ("replace", "c n r"),
    "-N": ("new", "c"), "-X": ("delete-chain", "c?"), "-F": ("flush", "c?"), "-Z": ("zero", "c?"),
    "-P": ("policy", "c p"), "-E": ("rename", "c N"), "-C": ("check", "c r"), "-L": ("list", "c?"), "-S": ("list-rules", "c?"),
}  # fmt: skip
_LONG = {f"--{name}": short for short, (name, _) in COMMANDS.items()} | {"--new-chain": "-N", "--rename-chain": "-E"}
# Options of the program, not of the rule: how to wait for the lock, how to print.
_PROGRAM_FLAGS = {"-v", "-n", "-x", "--verbose", "--numeric", "--exact", "--line-numbers"}
_PROGRAM_VALUES = {"-w", "-W", "--wait", "--wait-interval", "--modprobe", "-M"}


@frozen
class Command:
    """A command understood: `action` of COMMANDS, chain, 1-based `number`, policy or new `name`, and the rule it carries."""

    action: str
    chain: str = ""
    number: int | None = None
    name: str = ""
    reading: Reading | None = None
    counters: Counters | None = None
    table: str | None = None
    chain_span: tuple[int, int] = (0, 0)

    def carry_out(self, draft: TableDraft, span: Span | None, owner: str = "") -> None:
        """Do to a table what iptables does; raise CommandError where it would refuse."""
        rules = [Rule(parts, span, self.counters, owner) for parts in (self.reading.rules if self.reading else ())]
        match self.action:
            case "-A":
                draft.append(self.chain, rules)
            case "-I":
                draft.insert(self.chain, self.number or 1, rules)
            case "-D" if self.number is not None:
                draft.delete_number(self.chain, self.number)
            case "-D":
                draft.delete_rule(self.chain, rules)
            case "-R":
                if len(rules) != 1:
                    raise CommandError("`-R` replaces one rule by one rule")
                draft.replace(self.chain, self.number or 1, rules[0])
            case "-N":
                draft.new(self.chain, span)
            case "-P":
                draft.set_policy(self.chain, self.name)
            case "-F":
                draft.flush(self.chain or None)
            case "-X":
                draft.delete_chain(self.chain or None)
            case "-E":
                draft.rename(self.chain, self.name)
            case "-C":
                draft.expect_rule(self.chain, rules)
            case _:
                pass  # -L, -S, -Z print or zero counters: no rule changes


def parse_command(line: str, family: int, fragments: Fragments | None = None) -> Command:
    """Understand a command line without the program's name; what is wrong with it is in the command's reading."""
    try:
        words = [Word(*word) for word in split_words(line)]
    except QuoteError as error:
        return Command("", reading=Reading((), (Problem(str(error), error.at, len(line)),)))
    counters = None
    if words and words[0].text.startswith("["):
        head = words.pop(0)
        packets, _, size = head.text[1:-1].partition(":")
        if not (head.text.endswith("]") and packets.isdecimal() and size.isdecimal()):
            return _broken(head, "the counters before a rule are written `[packets:bytes]`")
        counters = Counters(int(packets), int(size))
    return _CommandReader(words, family, counters, line, fragments).read()


def _broken(word: Word, message: str, help: str = "") -> Command:  # noqa: A002
    return Command("", reading=Reading((), (Problem(message, word.start, word.end, help=help),)))


class _CommandReader:
    def __init__(
        self, words: Sequence[Word], family: int, counters: Counters | None, line: str, fragments: Fragments | None
    ) -> None:
        self.words = list(words)
        self.family = family
        self.counters = counters
        self.line = line
        self.fragments = fragments
        self.table: str | None = None

    def read(self) -> Command:
        stripped = self._program_options()
        if stripped is not None:
            return stripped
        if not self.words:
            return Command("", reading=Reading((), (Problem("the command is empty", 0, len(self.line)),)))
        at = next((i for i, w in enumerate(self.words) if w.text in COMMANDS or w.text in _LONG), None)
        if at is None:
            return _broken(
                self.words[0], f"`{self.words[0].text}` is no command", "commands are -A, -I, -D, -R, -N, -P, -F, -X"
            )
        # options may stand before the command: `iptables -p tcp -A INPUT …`
        command = self.words.pop(at)
        rest = self.words[at:]
        before = self.words[:at]
        action = _LONG.get(command.text, command.text)
        return self._with_arguments(action, command, before, rest)

    def _program_options(self) -> Command | None:
        kept: list[Word] = []
        at = 0
        while at < len(self.words):
            word = self.words[at]
            if word.text in {"-t", "--table"}:
                if at + 1 >= len(self.words):
                    return _broken(word, f"`{word.text}` has no value")
                name = self.words[at + 1]
                if name.text not in BASE_CHAINS:
                    return _broken(name, f"`{name.text}` is none of the tables {', '.join(BASE_CHAINS)}")
                self.table = name.text
                at += 2
                continue
            if word.text in _PROGRAM_VALUES:
                at += 2 if at + 1 < len(self.words) and self.words[at + 1].text.isdecimal() else 1
                continue
            if word.text not in _PROGRAM_FLAGS:
                kept.append(word)
            at += 1
        self.words = kept
        return None

    def _with_arguments(self, action: str, command: Word, before: list[Word], rest: list[Word]) -> Command:
        chain: Word | None = None
        number: int | None = None
        name = ""
        for want in COMMANDS[action][1].split():
            word = rest[0] if rest else None
            is_option = word is None or word.text.startswith("-") or word.text == "!"
            match want:
                case "c" | "c?":
                    if is_option and want == "c":
                        return _broken(word or command, f"`{command.text}` needs a chain name")
                    if not is_option:
                        chain = rest.pop(0)
                case "n" | "n?":
                    if word is not None and word.text.isdecimal():
                        number = int(rest.pop(0).text)
                        if number == 0:
                            return _broken(word, "rules are numbered from 1")
                    elif want == "n":
                        return _broken(word or command, f"`{command.text}` needs a rule number")
                case "p" | "N":
                    if is_option or word is None:
                        return _broken(word or command, f"`{command.text}` lacks its second word")
                    name = rest.pop(0).text
        reading = None
        if action in {"-A", "-I", "-R", "-C"} or (action == "-D" and number is None):
            reading = self._rule([*before, *rest])
        elif rest or before:
            extra = (rest or before)[0]
            return _broken(extra, f"`{extra.text}` has no place behind `{command.text}`")
        counters = self.counters
        if reading is not None and reading.counters is not None:
            counters = Counters(*reading.counters)
        where = (chain.start, chain.end) if chain else (0, 0)
        return Command(action, chain.text if chain else "", number, name, reading, counters, self.table, where)

    def _rule(self, words: list[Word]) -> Reading:
        reading = read_rule(words, self.family)
        for parts in reading.rules:
            messages = rule_problems(parts, self.family)
            if messages:
                start, end = (words[0].start, words[-1].end) if words else (0, 0)
                return Reading((), tuple(Problem(m, start, end) for m in messages), reading.spelled)
        return reading


def apply_command(ruleset: Ruleset, source: Source, line: str, offset: int = 0, owner: str = "") -> Ruleset:
    """Return the ruleset after one `iptables …` or `ip6tables …` command; raise InputError where iptables would refuse it.

    `offset` is where the line begins in its source. Without a program name the family is 4, without `-t` the table filter.
    """
    words = line.split(None, 1)
    family, body, shift = 4, line, 0
    if words and words[0].rpartition("/")[2].startswith(("iptables", "ip6tables")):
        family = 6 if words[0].rpartition("/")[2].startswith("ip6tables") else 4
        body = words[1] if len(words) > 1 else ""
        shift = len(line) - len(body)
    command = parse_command(body, family)
    span = Span(source, offset, offset + len(line))

    def diagnostics(problems: Sequence[Problem]) -> list[Diagnostic]:
        at = offset + shift
        return [diagnose(p.code, p.message, Span(source, at + p.start, at + p.end), help=p.help) for p in problems]

    if command.reading is not None and command.reading.problems:
        raise InputError(diagnostics(command.reading.problems))
    name = command.table or "filter"
    table = ruleset.table(family, name)
    draft = TableDraft.of(table) if table else TableDraft(family, name)
    try:
        command.carry_out(draft, span, owner)
    except CommandError as error:
        raise InputError([diagnose(error.code, str(error), span, help=error.help)]) from None
    changed = draft.finished()
    tables = tuple(changed if t is table else t for t in ruleset.tables) if table else (*ruleset.tables, changed)
    return replace(ruleset, tables=tables)
