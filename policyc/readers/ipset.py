"""`ipset save` or `ipset restore` text to sets with members, all bad lines reported at once.

First step of reading an ipset dump; `ipset_members` reads the elements. Sources: ipset(8).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.host.set_kinds import KINDS
from policyc.host.set_values import Entry, Key, MemberSet, prefix_mask
from policyc.net.addresses import AddressError, parse_address
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.quoting import QuoteError, split_words
from policyc.readers.ipset_members import members_of, parse_mark, parse_range
from policyc.source import Source

Words = list[tuple[str, int, int]]
_FAMILIES = {"inet": 4, "inet6": 6}
_MAX_PORT = 65535
# Options that say nothing about who is a member, with how many words follow.
_SILENT_CREATE = {
    "hashsize": 1, "bucketsize": 1, "initval": 1, "counters": 0, "comment": 0, "skbinfo": 0, "forceadd": 0, "size": 1,
}  # fmt: skip
_SILENT_ADD = {
    "packets": 1, "bytes": 1, "comment": 1, "skbmark": 1, "skbprio": 1, "skbqueue": 1,
}  # fmt: skip


class _LineError(ValueError):
    """A word that cannot be read, with its place in the line."""

    def __init__(self, message: str, word: tuple[str, int, int], hint: str = "") -> None:
        super().__init__(message)
        self.start, self.end, self.hint = word[1], word[2], hint


def read_ipsets(source: Source) -> dict[str, MemberSet]:
    """Return the sets of a dump by name. Raises InputError with every line that cannot be read."""
    return _Reader(source).read()


def member_set(one: IpSet) -> MemberSet:
    """Return the members of a set that a ruleset declares. Raises ValueError for a kind or member that ipset refuses."""
    if one.kind not in KINDS:
        raise ValueError(f"`{one.kind}` is no kind of set")
    made = MemberSet(
        one.name, one.kind, one.family if KINDS[one.kind].families else 0, high=_MAX_PORT, timeout=one.timeout
    )
    entries: dict[Key, Entry] = {}
    for text in one.members:
        element, *options = text.split()
        keys, mac = members_of(made, element)
        entry = Entry("nomatch" in options, made.timeout or None, mac=mac)
        entries |= dict.fromkeys(keys, entry)
    return replace(made, entries=entries)


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.sets: dict[str, MemberSet] = {}
        self.members: dict[str, dict[Key, Entry]] = {}
        self.errors: list[Diagnostic] = []
        self.refused: set[str] = set()

    def read(self) -> dict[str, MemberSet]:
        """Read the lines."""
        offset = 0
        for raw in self.source.text.split("\n"):
            line = raw.rstrip("\r")
            if line.strip() and not line.lstrip().startswith("#"):
                self.line(line, offset)
            offset += len(raw) + 1
        if self.errors:
            raise InputError(self.errors)
        return {name: replace(one, entries=self.members[name]) for name, one in self.sets.items()}

    def line(self, line: str, offset: int) -> None:
        try:
            words = [word for word in split_words(line) if word[0] not in {"-exist", "-!"}]
            self.command(words)
        except QuoteError as error:
            self.error(str(error), offset + error.at, offset + len(line))
        except _LineError as error:
            self.error(str(error), offset + error.start, offset + error.end, error.hint)

    def error(self, message: str, start: int, end: int, hint: str = "") -> None:
        self.errors.append(diagnose("unreadable-line", message, self.source.span(start, end), help=hint))

    def command(self, words: Words) -> None:
        if not words:
            return
        name = words[0][0].removeprefix("--")
        known: dict[str, Callable[[Words], None]] = {
            "create": self.create, "new": self.create, "-N": self.create, "n": self.create,
            "add": self.add, "-A": self.add, "del": self.delete, "-D": self.delete, "flush": self.flush, "-F": self.flush,
        }  # fmt: skip
        if name == "COMMIT":
            return
        if name not in known:
            raise _LineError(
                f"`{name}` is no command that makes a set", words[0], "`create`, `add`, `del` and `flush` are read"
            )
        known[name](words)

    # ------------------------------------------------------------------ commands
    def create(self, words: Words) -> None:
        name, kind = _word(words, 1, "the set's name"), _word(words, 2, "the set's kind")
        if kind[0] not in KINDS:
            self.refused.add(name[0])
            raise _LineError(f"`{kind[0]}` is no kind of set that policyc knows", kind, f"known are {', '.join(KINDS)}")
        if name[0] in self.sets:
            raise _LineError(f"the set `{name[0]}` is created twice", name)
        shape = KINDS[kind[0]]
        self.refused.add(name[0])  # until its line is read to the end
        one = MemberSet(name[0], kind[0], shape.families[0] if shape.families else 0)
        at = 3
        has_range = not kind[0].startswith("bitmap:")
        while at < len(words):
            option = words[at][0]
            if option in _SILENT_CREATE:
                at += 1 + _SILENT_CREATE[option]
                continue
            value = _word(words, at + 1, f"the value of `{option}`")
            has_range = has_range or option == "range"
            one = self.option(one, words[at], value)
            at += 2
        if not has_range:
            raise _LineError(f"`{kind[0]}` needs a `range`", kind)
        if one.kind.startswith("bitmap:ip"):
            one = replace(one, size=one.high - one.low + 1)
        self.sets[one.name] = one
        self.members[one.name] = {}
        self.refused.discard(one.name)

    @staticmethod
    def option(one: MemberSet, option: tuple[str, int, int], value: tuple[str, int, int]) -> MemberSet:
        word, text = option[0], value[0]
        try:
            if word == "family" and one.shape.families:
                if text not in _FAMILIES:
                    raise ValueError(f"`{text}` is neither `inet` nor `inet6`")
                return replace(one, family=_FAMILIES[text])
            if word == "timeout":
                return replace(one, timeout=_number(text))
            if word == "maxelem":
                return replace(one, size=_number(text))
            if word == "markmask":
                return replace(one, markmask=parse_mark(text))
            if word == "netmask":
                return replace(one, mask=prefix_mask(one.family, _number(text, 32 if one.family == 4 else 128)))
            if word == "bitmask":
                return replace(one, mask=parse_address(text, one.family))
            if word == "range" and one.kind == "bitmap:port":
                first, dash, last = text.partition("-")
                low = _number(first, _MAX_PORT)
                return replace(one, low=low, high=_number(last, _MAX_PORT) if dash else low)
            if word == "range" and one.kind.startswith("bitmap:"):
                low, high = parse_range(text, 4)
                return replace(one, low=low, high=high)
        except ValueError as error:
            raise _LineError(str(error), value) from None
        raise _LineError(f"`{word}` is no option of {one.kind}", option)

    def add(self, words: Words) -> None:
        one = self.named(words)
        if one is None:
            return
        keys, mac = self.keys(one, words)
        entry = _entry(one, words[3:])
        name = words[2][0]
        if one.kind == "list:set" and name not in self.sets and name not in self.refused:
            raise _LineError(f"the set `{name}` is not created before this line", words[2])
        if mac is not None:
            entry = replace(entry, mac=mac)
        members = self.members[one.name]
        place = next((at for at in (3,) if len(words) > at + 1 and words[at][0] in {"before", "after"}), None)
        for key in keys:
            members[key] = entry
        if place is not None:
            self.members[one.name] = _moved(members, keys[0], words[place], words[place + 1])
        elif len(members) > one.size:
            raise _LineError(f"the set `{one.name}` is full: it takes {one.size} members", words[2])

    def delete(self, words: Words) -> None:
        one = self.named(words)
        if one is not None:
            for key in self.keys(one, words)[0]:
                self.members[one.name].pop(key, None)

    def flush(self, words: Words) -> None:
        one = self.named(words)
        if one is not None:
            self.members[one.name] = {}

    def named(self, words: Words) -> MemberSet | None:
        """Return the set that a line is about, None where its creation was an error already."""
        name = _word(words, 1, "the set's name")
        if name[0] in self.refused:
            return None
        if name[0] not in self.sets:
            raise _LineError(f"the set `{name[0]}` is not created before this line", name)
        return self.sets[name[0]]

    @staticmethod
    def keys(one: MemberSet, words: Words) -> tuple[list[Key], int | None]:
        element = _word(words, 2, "the member")
        try:
            return members_of(one, element[0])
        except AddressError as error:
            raise _LineError(str(error), element) from None
        except ValueError as error:
            raise _LineError(str(error), element) from None


def _word(words: Words, at: int, what: str) -> tuple[str, int, int]:
    if at >= len(words):
        last = words[-1]
        raise _LineError(f"{what} is missing", last)
    return words[at]


def _number(text: str, most: int = 0xFFFFFFFF) -> int:
    if not (text.isdecimal() and text.isascii() and int(text) <= most):
        raise ValueError(f"`{text}` is not a number from 0 to {most}")
    return int(text)


def _entry(one: MemberSet, options: Sequence[tuple[str, int, int]]) -> Entry:
    entry = Entry(timeout=one.timeout or None)
    at = 0
    while at < len(options):
        word = options[at][0]
        if word == "nomatch" and one.shape.has_exceptions:
            entry = replace(entry, nomatch=True)
        elif word == "wildcard" and one.kind == "hash:net,iface":
            entry = replace(entry, wildcard=True)
        elif word == "timeout":
            value = _word(list(options), at + 1, "the value of `timeout`")
            if one.timeout is None:
                raise _LineError(f"the set `{one.name}` was created without timeouts", options[at])
            try:
                entry = replace(entry, timeout=_number(value[0]) or None)
            except ValueError as error:
                raise _LineError(str(error), value) from None
            at += 1
        elif word in _SILENT_ADD:
            at += _SILENT_ADD[word]
        elif word in {"before", "after"} and one.kind == "list:set":
            at += 1
        else:
            raise _LineError(f"`{word}` is no option of a member of {one.kind}", options[at])
        at += 1
    return entry


def _moved(
    members: dict[Key, Entry], key: Key, where: tuple[str, int, int], other: tuple[str, int, int]
) -> dict[Key, Entry]:
    """Return the members of a list with one put before or after another."""
    if (other[0],) not in members:
        raise _LineError(f"`{other[0]}` is not in the list", other)
    rest = [each for each in members if each != key]
    at = rest.index((other[0],)) + (where[0] == "after")
    return {each: members[each] for each in (*rest[:at], key, *rest[at:])}
