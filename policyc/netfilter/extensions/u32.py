"""-m u32: a small program over the packet's bytes (net/netfilter/xt_u32.c, iptables-extensions(8)). Its outcome is opaque."""

from __future__ import annotations

import re

from policyc.frozen import frozen
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import Opaque, Predicate, negate_if

MOST = 10  # XT_U32_MAXSIZE: tests in a program, numbers in a location, ranges in a value
_TOKEN = re.compile(r"\s*(0[xX][0-9a-fA-F]+|\d+|&&|<<|>>|[&@=,:])\s*")
_OPERATORS = frozenset(("&", "<<", ">>", "@"))


@frozen
class Program(Argument):
    """`LOCATION = VALUE && …` in its canonical text: hexadecimal numbers, no blanks."""

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the canonical text; raise ValueError that says at which character the program goes wrong."""
        return _Reader(word).program()

    def write(self, value: str, family: int) -> str:  # noqa: ARG002
        """Return the program in double quotes."""
        return f'"{value}"'


class _Reader:
    """Recursive descent over the tokens; `at` is the next one."""

    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, int]] = []
        self.at = 0
        end = 0
        while end < len(text):
            token = _TOKEN.match(text, end)
            if token is None:
                raise ValueError(f"character {end + 1} of the u32 program, `{text[end]}`, has no meaning there")
            self.tokens.append((token[1], token.start(1)))
            end = token.end()
        self.tokens.append(("", len(text)))

    def program(self) -> str:
        tests = [self.test()]
        while self.next_is("&&"):
            tests.append(self.test())
        if self.tokens[self.at][0]:
            self.fail("`,`, `&&` or the end")
        return "&&".join(self.few("tests", tests))

    def test(self) -> str:
        location = [self.number()]
        while self.tokens[self.at][0] in _OPERATORS:
            location.append(self.tokens[self.at][0])
            self.at += 1
            location.append(self.number())
        self.few("numbers in a location", location[::2])
        if not self.next_is("="):
            self.fail("an operator or `=`")
        ranges = [self.span()]
        while self.next_is(","):
            ranges.append(self.span())
        return f"{''.join(location)}={','.join(self.few('ranges in a value', ranges))}"

    def span(self) -> str:
        low = self.number()
        return f"{low}:{self.number()}" if self.next_is(":") else low

    def number(self) -> str:
        word = self.tokens[self.at][0]
        if not word[:1].isdecimal():
            self.fail("a number")
        self.at += 1
        return f"{parse_number(word, 0, 0xFFFFFFFF):#x}"

    def next_is(self, word: str) -> bool:
        found = self.tokens[self.at][0] == word
        self.at += found
        return found

    def few(self, what: str, found: list[str]) -> list[str]:
        if len(found) > MOST:
            raise ValueError(f"{len(found)} {what} of the u32 program are too many: the kernel takes {MOST}")
        return found

    def fail(self, expected: str) -> None:
        word, start = self.tokens[self.at]
        where = f"at character {start + 1}, `{word}`," if word else "at its end"
        raise ValueError(f"the u32 program wants {expected} {where}".removesuffix(","))


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    return negate_if(options.negated("u32"), Opaque(f'-m u32 --u32 "{options["u32"]}"', fields.IN_PACKET))


MATCH = MatchExtension(
    name="u32",
    options=(Option("u32", Program(), negatable=True, required=True),),
    meaning=_meaning,
)
