"""The words of one iptables rule become its parts, as iptables itself reads them: getopt with the options of what is loaded.

Third step of reading: `save` and `command` cut lines into words, this file gives them meaning, `fragments` remembers.
Sources: iptables/xshared.c `do_parse`, libxtables `xtables_merge_options`: an option belongs to the extension loaded last
that has it; an unknown one after `-p PROTO` loads the protocol's match; unique prefixes are accepted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import product

from policyc.net.addresses import AddressError, is_host_name
from policyc.net.protocols import format_protocol
from policyc.netfilter.arguments import TooLongError
from policyc.netfilter.extension import Extension, Given, MatchExtension, Option, Options
from policyc.netfilter.extensions import match_extension, target_extension
from policyc.netfilter.hooks import MAX_CHAIN_NAME
from policyc.netfilter.parts import (
    MATCH_RANK,
    TARGET_RANK,
    VERDICTS,
    Part,
    Selector,
    Target,
    Unknown,
    jump,
    verdict,
)
from policyc.netfilter.quoting import quote_word
from policyc.readers.building import built, option_problems
from policyc.readers.reading import Problem, Reading, Word
from policyc.readers.selectors import says_nothing, selectors_of, widened

BASE_OPTIONS: dict[str, str] = {
    "source": "-s", "src": "-s", "destination": "-d", "dst": "-d", "in-interface": "-i", "out-interface": "-o",
    "protocol": "-p", "proto": "-p", "fragment": "-f", "fragments": "-f", "match": "-m", "jump": "-j", "goto": "-g",
    "set-counters": "-c", "ipv4": "-4", "ipv6": "-6",
}  # fmt: skip
_SHORT = frozenset("sdiopfmjgc46")
# The program's own long options: no rule has them, but an abbreviation that fits one of them is ambiguous.
_PROGRAM_OPTIONS = (
    "append", "delete", "insert", "replace", "check", "list", "list-rules", "flush", "zero", "new-chain", "delete-chain",
    "rename-chain", "policy", "table", "verbose", "wait", "wait-interval", "numeric", "exact", "modprobe", "version", "help",
    "line-numbers", "new", "jump",
)  # fmt: skip


@dataclass(slots=True)
class _Loaded:
    """An extension that a rule has loaded and the options given to it so far."""

    extension: Extension | None
    name: str
    start: int
    end: int
    given: list[Given] = field(default_factory=list)
    verbatim: list[str] = field(default_factory=list)
    is_target: bool = False


class _Stop(Exception):  # noqa: N818 - not an error: the rest of this rule cannot be understood any more
    pass


def read_rule(words: Sequence[Word], family: int, *, exact: bool = False) -> Reading:
    """Understand the words of a rule, without its `-A CHAIN`.

    `exact` accepts only what means the same in every rule: no abbreviations. Problems are returned, never raised.
    """
    return _RuleReader(words, family, exact=exact).read()


class _RuleReader:
    def __init__(self, words: Sequence[Word], family: int, *, exact: bool) -> None:
        self.words = words
        self.family = family
        self.exact = exact
        self.at = 0
        self.loaded: list[_Loaded] = []
        self.target: Target | None = None
        self.selectors: dict[str, list[Selector]] = {}
        self.problems: list[Problem] = []
        self.spelled: list[Problem] = []
        self.counters: tuple[int, int] | None = None

    # ------------------------------------------------------------------ words
    def read(self) -> Reading:
        try:
            while self.at < len(self.words):
                self.one_option()
        except _Stop:
            pass
        if not self.problems:
            parts = self.finished()
            if not self.problems:
                return Reading(self.multiplied(parts), (), tuple(self.spelled), self.counters)
        return Reading((), tuple(self.problems), tuple(self.spelled))

    def one_option(self) -> None:
        word = self.words[self.at]
        negated = False
        if word.text == "!":
            negated = True
            self.at += 1
            if self.at >= len(self.words):
                self.fail("`!` has nothing behind it to negate", word)
            word = self.words[self.at]
            if word.text == "!":
                self.fail("`!` stands twice", word)
        text = word.text
        self.at += 1
        if text.startswith("--") and len(text) > 2:
            name, equals, value = text[2:].partition("=")
            if equals:
                self.words = [
                    *self.words[: self.at],
                    Word(value, word.end - len(value), word.end),
                    *self.words[self.at :],
                ]
            self.long_option(name, word, negated=negated)
        elif text.startswith("-") and len(text) > 1 and text[1] in _SHORT:
            if len(text) > 2:
                self.words = [*self.words[: self.at], Word(text[2:], word.start + 2, word.end), *self.words[self.at :]]
            self.base_option(text[:2], word, negated=negated)
        elif self.loaded and self.loaded[-1].extension is None:
            self.loaded[-1].verbatim.extend(["!"] * negated + [quote_word(text)])
        elif text.startswith("-") and len(text) > 1:
            self.fail(f"unknown option `{text}`", word)
        else:
            self.fail(f"`{text}` belongs to no option", word, help=self.help_for_stray(text))

    def help_for_stray(self, text: str) -> str:
        if " " not in text and self.at >= 2 and self.words[self.at - 2].text == "!":
            return "write `!` before the option: `! --option value`"
        return ""

    def fail(self, message: str, word: Word, code: str = "unreadable-line", help: str = "") -> None:  # noqa: A002
        self.problems.append(Problem(message, word.start, word.end, code, help))
        raise _Stop

    def note(self, message: str, word: Word, code: str = "unreadable-line", help: str = "") -> None:  # noqa: A002
        self.problems.append(Problem(message, word.start, word.end, code, help))

    def value(self, option: str, after: Word, *, negatable: bool = True) -> tuple[Word, bool]:
        """Return the next word and whether the old spelling `--option ! value` negates it."""
        if self.at >= len(self.words):
            self.fail(f"`{option}` has no value", after)
        word = self.words[self.at]
        self.at += 1
        if word.text == "!" and negatable and self.at < len(self.words):
            mark, word = word, self.words[self.at]
            self.at += 1
            if self.exact:
                self.fail("an old spelling means nothing by itself", mark)
            self.spelled.append(
                Problem(f"`{option} ! {word.text}` is the old spelling of `! {option} {word.text}`",
                        mark.start, word.end, "legacy-spelling")
            )  # fmt: skip
            return word, True
        return word, False

    # ------------------------------------------------------------------ -s -d -i -o -p -f -m -j -g -c
    def base_option(self, option: str, word: Word, *, negated: bool) -> None:
        if option in {"-m", "-j", "-g", "-c", "-4", "-6"}:
            if negated:
                self.fail(f"`!` cannot stand before `{option}`", word)
            match option:
                case "-m":
                    self.load_match(word)
                case "-j":
                    self.load_target(word)
                case "-g":
                    self.load_goto(word)
                case "-c":
                    self.read_counters(word)
                case _:
                    self.family_flag(word)
            return
        if option in self.selectors:
            self.fail(f"`{option}` is given twice", word)
        if option == "-f":
            if self.family == 6:
                self.fail("`-f` is IPv4 only; IPv6 fragments are matched by `-m frag`", word)
            self.selectors[option] = [Selector(5, "! -f" if negated else "-f", "-f", None, negated)]
            return
        value, old = self.value(option, word)
        negated = negated or old
        try:
            self.selectors[option] = selectors_of(option, value.text, self.family, negated=negated)
            if option in {"-s", "-d"} and (wider := widened(value.text, self.family)):
                message = f"`{value.text}` has host bits: the kernel takes it for `{wider}`"
                self.spelled.append(Problem(message, value.start, value.end, "host-bits"))
        except AddressError as error:
            if is_host_name(value.text):
                self.note(
                    f"`{value.text}` is a host name; a rule needs an address, because a name may mean another one at each load",
                    value, "host-name", "write its addresses, or use an ipset that something else keeps up to date",
                )  # fmt: skip
            else:
                self.note(str(error), value)
            self.selectors[option] = []
        except ValueError as error:
            self.note(str(error), value)
            self.selectors[option] = []

    def load_match(self, word: Word) -> None:
        name, _ = self.value("-m", word, negatable=False)
        extension = match_extension(name.text)
        if extension is not None and self.family not in extension.families:
            self.fail(f"the match `{name.text}` does not exist for IPv{self.family}", name)
        self.loaded.append(_Loaded(extension, name.text, word.start, name.end))

    def load_target(self, word: Word) -> None:
        name, _ = self.value("-j", word, negatable=False)
        if self.target is not None or any(item.is_target for item in self.loaded):
            self.fail("a rule has one target; `-j` or `-g` is given twice", word)
        if name.text in VERDICTS:
            self.target = verdict(name.text)
            return
        extension = target_extension(name.text)
        if extension is None:
            self.check_chain_name(name)
            self.target = jump(name.text)
            self.loaded.append(_Loaded(None, name.text, word.start, name.end, is_target=True))
            return
        if self.family not in extension.families:
            self.fail(f"the target `{name.text}` does not exist for IPv{self.family}", name)
        self.loaded.append(_Loaded(extension, name.text, word.start, name.end, is_target=True))

    def load_goto(self, word: Word) -> None:
        name, _ = self.value("-g", word, negatable=False)
        if self.target is not None or any(item.is_target for item in self.loaded):
            self.fail("a rule has one target; `-j` or `-g` is given twice", word)
        self.check_chain_name(name)
        self.target = jump(name.text, goto=True)

    def check_chain_name(self, name: Word) -> None:
        if len(name.text.encode(errors="surrogateescape")) > MAX_CHAIN_NAME:
            self.fail(f"the chain name `{name.text}` is longer than {MAX_CHAIN_NAME} characters", name, "too-long")

    def read_counters(self, word: Word) -> None:
        packets, _ = self.value("-c", word, negatable=False)
        size, _ = self.value("-c", packets, negatable=False)
        if not (packets.text.isdecimal() and size.text.isdecimal()):
            self.fail("`-c` takes two numbers, packets and bytes", Word("", packets.start, size.end))
        self.counters = int(packets.text), int(size.text)

    def family_flag(self, word: Word) -> None:
        if word.text.endswith("4") is not (self.family == 4):
            self.fail(f"`{word.text}` makes this a rule of the other family", word)

    # ------------------------------------------------------------------ extensions' own options
    def long_option(self, name: str, word: Word, *, negated: bool) -> None:
        if name in BASE_OPTIONS and not any(item.extension and item.extension.option(name) for item in self.loaded):
            self.base_option(BASE_OPTIONS[name], word, negated=negated)
            return
        found = self.find(name, word)
        if found is None:
            unknown = next((item for item in reversed(self.loaded) if item.extension is None), None)
            if unknown is not None:
                unknown.verbatim.extend(["!"] * negated + [quote_word(word.text)])
                if self.loaded[-1] is not unknown:  # stray words go to the extension loaded last
                    self.loaded.remove(unknown)
                    self.loaded.append(unknown)
                return
            self.fail(f"unknown option `{word.text}`", word, help=self.suggestion(name))
            return
        loaded, option = found
        self.extension_option(loaded, option, word, negated=negated)

    def find(self, name: str, word: Word) -> tuple[_Loaded, Option] | None:
        for loaded in reversed(self.loaded):
            option = loaded.extension.option(name) if loaded.extension else None
            if option is not None:
                return loaded, option
        if (implied := self.implied_match()) is not None and (option := implied.option(name)) is not None:
            return self.load_implied(implied, word), option
        if self.exact:
            return None
        candidates = {
            (index, option.name): (loaded, option)
            for index, loaded in enumerate(self.loaded)
            if loaded.extension
            for option in loaded.extension.options
            if any(spelling.startswith(name) for spelling in (option.name, *option.aliases))
        }
        base = {spelling for spelling in (*BASE_OPTIONS, *_PROGRAM_OPTIONS) if spelling.startswith(name)}
        if len(candidates) == 1 and not base:
            return next(iter(candidates.values()))
        if not candidates and not base and implied is not None:
            fits = [o for o in implied.options if any(s.startswith(name) for s in (o.name, *o.aliases))]
            if len(fits) == 1:
                return self.load_implied(implied, word), fits[0]
            candidates = (
                {(0, option.name): (self.loaded[-1], option) for option in fits} if fits and self.loaded else {}
            )
        if len(candidates) > 1:
            names = ", ".join(sorted(f"`--{key[1]}`" for key in candidates))
            self.fail(f"`--{name}` may mean {names}", word)
        return None

    def implied_match(self) -> MatchExtension | None:
        """Return the match of the `-p` protocol where it is not loaded yet."""
        chosen = self.selectors.get("-p")
        if not chosen or chosen[0].negated or not isinstance(chosen[0].value, int):
            return None
        extension = match_extension(format_protocol(chosen[0].value))
        if extension is None or self.family not in extension.families:
            return None
        return None if any(item.extension is extension for item in self.loaded) else extension

    def load_implied(self, extension: MatchExtension, word: Word) -> _Loaded:
        loaded = _Loaded(extension, extension.name, word.start, word.end)
        self.loaded.append(loaded)
        return loaded

    def extension_option(self, loaded: _Loaded, option: Option, word: Word, *, negated: bool) -> None:
        spelled = f"--{option.name}"
        loaded.end = word.end
        values: list[Word] = []
        if option.argument is not None and not (option.optional and self.at_option()):
            first, old = self.value(spelled, word, negatable=option.negatable and not negated)
            negated = negated or old
            values.append(first)
            for _ in range(option.argument.words - 1):
                values.append(self.value(spelled, values[-1], negatable=False)[0])
            loaded.end = values[-1].end
        if negated and not option.negatable:
            self.note(f"`!` cannot stand before `{spelled}`", word)
        if not option.repeatable and any(item.name == option.name for item in loaded.given):
            self.note(f"`{spelled}` is given twice", word)
        try:
            value = option.argument.read([v.text for v in values], self.family) if option.argument and values else None
        except AddressError as error:
            code = "host-name" if is_host_name(values[0].text) else "unreadable-line"
            self.note(f"{spelled}: {error}", Word("", values[0].start, values[-1].end), code)
            return
        except ValueError as error:
            code = "truncated-text" if isinstance(error, TooLongError) else "unreadable-line"
            self.note(f"{spelled}: {error}", Word("", values[0].start, values[-1].end), code)
            return
        loaded.given.append(Given(option.name, value, negated))

    def at_option(self) -> bool:
        """Whether no value can stand here: the rule ends, or an option or its `!` begins."""
        return self.at >= len(self.words) or self.words[self.at].text[:1] in {"-", "!"}

    def suggestion(self, name: str) -> str:
        known = [o.name for item in self.loaded if item.extension for o in item.extension.options]
        implied = self.implied_match()
        known += [o.name for o in implied.options] if implied else []
        close = get_close_matches(name, [*known, *BASE_OPTIONS], 1)
        if close:
            return f"did you mean `--{close[0]}`?"
        if name in {"dport", "sport", "destination-port", "source-port"}:
            return "ports need `-p tcp`, `-p udp` or another protocol with ports before them"
        return ""

    # ------------------------------------------------------------------ the parts
    def finished(self) -> list[Part]:
        parts: list[Part] = []
        for item in self.loaded:
            if item.extension is not None:
                parts.extend(self.built(item))
            elif item.is_target:
                if item.verbatim:
                    self.target = None
                    text = " ".join(["-j", quote_word(item.name), *item.verbatim])
                    parts.append(Unknown(TARGET_RANK, text, item.name))
            else:
                parts.append(Unknown(MATCH_RANK, " ".join(["-m", quote_word(item.name), *item.verbatim]), item.name))
        if self.target is not None:
            parts.append(self.target)
        return parts

    def built(self, item: _Loaded) -> list[Part]:
        extension, given = item.extension, Options(tuple(item.given))
        assert extension is not None
        messages = [*option_problems(extension, given)]
        if not messages:
            messages = [*extension.check(given, self.family)]
        if messages:
            self.problems.extend(Problem(message, item.start, item.end) for message in messages)
            return []
        return [built(extension, given, self.family)]

    def multiplied(self, parts: list[Part]) -> tuple[tuple[Part, ...], ...]:
        """Return the rules that lists of addresses stand for, each in canonical order, without tests that say nothing."""
        choices: list[list[Selector | None]] = [
            [None if says_nothing(s) else s for s in chosen] for chosen in self.selectors.values()
        ]
        rules = []
        for chosen in product(*choices):
            whole = [*(s for s in chosen if s is not None), *parts]
            whole.sort(key=lambda part: part.rank)
            rules.append(tuple(whole))
        return tuple(rules)
