"""-m bpf: a Berkeley packet filter program, given as bytecode or pinned (net/netfilter/xt_bpf.c). Its outcome is opaque."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument, Word
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, lacking, written
from policyc.netfilter.predicate import Opaque, Predicate

MOST_INSTRUCTIONS = 64  # XT_BPF_MAX_NUM_INSTR
_HIGHEST = (0xFFFF, 0xFF, 0xFF, 0xFFFFFFFF)  # of struct sock_filter: code, jt, jf, k


@frozen
class Bytecode(Argument):
    """`COUNT,CODE JT JF K,…` in decimal, as `tcpdump -ddd` and nfbpf_compile(8) print it, in canonical text."""

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the canonical text; raise ValueError where the count or an instruction is wrong."""
        count, _, rest = word.strip().removesuffix(",").partition(",")
        program = [_instruction(part) for part in rest.split(",")] if rest else []
        if not count.strip().isdecimal() or int(count) != len(program) or not program:
            raise ValueError(f"the program says `{count}` instructions and has {len(program)}")
        if len(program) > MOST_INSTRUCTIONS:
            raise ValueError(f"{len(program)} instructions are too many: the kernel takes {MOST_INSTRUCTIONS}")
        return ",".join([str(len(program)), *program])

    def write(self, value: str, family: int) -> str:  # noqa: ARG002
        """Return the program in double quotes."""
        return f'"{value}"'


def _instruction(text: str) -> str:
    numbers = text.split()
    if len(numbers) != 4 or not all(n.isascii() and n.isdecimal() for n in numbers):
        raise ValueError(f"`{text.strip()}` is not an instruction of four decimal numbers")
    for number, highest in zip(numbers, _HIGHEST, strict=True):
        if int(number) > highest:
            raise ValueError(f"`{number}` in `{text.strip()}` is over {highest}")
    return " ".join(str(int(number)) for number in numbers)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "bytecode", "object-pinned")


def _meaning(options: Options, around: Surroundings) -> Predicate:
    return Opaque(f"-m bpf{written(MATCH, options, around.family)}")


MATCH = MatchExtension(
    name="bpf",
    options=(
        Option("bytecode", Bytecode(), excludes=("object-pinned",)),
        Option("object-pinned", Word(511, "path"), excludes=("bytecode",)),  # XT_BPF_PATH_MAX with the NUL
    ),
    check=_check,
    meaning=_meaning,
)
