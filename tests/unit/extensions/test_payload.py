"""-m string, -m u32, -m bpf: programs and patterns over the packet's bytes, all opaque."""

from __future__ import annotations

import pytest
from reading import matches, predicate, printed, refusals

from policyc.netfilter.fields import IN_PACKET
from policyc.netfilter.predicate import Not, Opaque

LONGEST = "x" * 128


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--algo bm --string test", '--string "test" --algo bm'),
        ('--string "GET /index" --algo kmp', '--string "GET /index" --algo kmp'),
        (r'--string "a\"b\\c|d" --algo bm', r'--string "a\"b\\c|d" --algo bm'),
        ("--string a'b --algo bm", '--string "a\'b" --algo bm'),
        ("--string é --algo bm", '--hex-string "|c3a9|" --algo bm'),
        ('--string "tab\tx" --algo bm', '--hex-string "|7461620978|" --algo bm'),
        (
            "! --string a --algo kmp --to 10 --icase --from 5",
            '! --string "a" --algo kmp --from 5 --to 10 --icase',
        ),
        ("--algo bm --from 0 --to 65535 --string test", '--string "test" --algo bm'),
        ("--algo bm --to 0 --string test", '--string "test" --algo bm --to 0'),
        ('--algo bm --hex-string "|0D 0A|abc"', '--hex-string "|0d0a616263|" --algo bm'),
        ('--algo bm --hex-string "abc|64|"', '--string "abcd" --algo bm'),
        (r'--algo bm --hex-string "\\|61"', '--string "|61" --algo bm'),
        ('--algo bm ! --hex-string "|ff fe|"', '! --hex-string "|fffe|" --algo bm'),
        ('--algo bm --hex-string "|6122|"', r'--string "a\"" --algo bm'),
        (f"--string {LONGEST} --algo bm", f'--string "{LONGEST}" --algo bm'),
    ],
)
def test_string(given: str, canonical: str) -> None:
    assert printed(f"-m string {given}") == f"-m string {canonical}"
    assert printed(f"-m string {canonical}") == f"-m string {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("0 & 0xFFFF = 0x100:0xFFFF", "0x0&0xffff=0x100:0xffff"),
        (
            "6 & 0xFF = 1 && 4 & 0x3FFF = 0 && 0 >> 22 & 0x3C @ 0 >> 24 = 0",
            "0x6&0xff=0x1&&0x4&0x3fff=0x0&&0x0>>0x16&0x3c@0x0>>0x18=0x0",
        ),
        ("010<<2=1,2:5,4294967295", "0x8<<0x2=0x1,0x2:0x5,0xffffffff"),
        (" 0 = 5 : 4 ", "0x0=0x5:0x4"),
        ("&&".join(["0=1"] * 10), "&&".join(["0x0=0x1"] * 10)),
        ("0@1@2@3@4@5@6@7@8@9=1", "0x0@0x1@0x2@0x3@0x4@0x5@0x6@0x7@0x8@0x9=0x1"),
    ],
)
def test_u32(given: str, canonical: str) -> None:
    assert printed(f'-m u32 --u32 "{given}"') == f'-m u32 --u32 "{canonical}"'
    assert printed(f'-m u32 ! --u32 "{given}"') == f'-m u32 ! --u32 "{canonical}"'


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0", "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0"),
        ("1, 6  0 0 4294967295,", "1,6 0 0 4294967295"),
    ],
)
def test_bytecode(given: str, canonical: str) -> None:
    assert printed(f'-m bpf --bytecode "{given}"') == f'-m bpf --bytecode "{canonical}"'


def test_pinned_program() -> None:
    rule = "-m bpf --object-pinned /sys/fs/bpf/mine"
    assert printed(rule) == rule


@pytest.mark.parametrize(
    "rule",
    [
        "-m string",
        "-m string --string test",
        "-m string --algo bm",
        "-m string --algo wrong --string test",
        "-m string --algo BM --string test",
        '-m string --algo bm --string ""',
        '-m string --algo bm --hex-string ""',
        '-m string --algo bm --hex-string "||"',
        '-m string --algo bm --hex-string "|6|"',
        '-m string --algo bm --hex-string "|zz|"',
        '-m string --algo bm --hex-string "|61"',
        r'-m string --algo bm --hex-string "61\\"',
        "-m string --algo bm --string a --string b",
        '-m string --algo bm --string a --hex-string "|61|"',
        "-m string --algo bm --from 10 --to 5 --string test",
        "-m string --algo bm --from 65536 --string test",
        "-m string --algo bm --to 65536 --string test",
        f"-m string --algo bm --string {LONGEST}x",
        "-m u32",
        '-m u32 --u32 ""',
        "-m u32 --u32 jjjj",
        "-m u32 --u32 0",
        '-m u32 --u32 "0="',
        '-m u32 --u32 "0=1&&"',
        '-m u32 --u32 "0=1 x"',
        '-m u32 --u32 "0=1,"',
        '-m u32 --u32 "0=:5"',
        '-m u32 --u32 "0=5:"',
        '-m u32 --u32 "0|1=1"',
        '-m u32 --u32 "0=1& &0=1"',
        '-m u32 --u32 "0=4294967296"',
        '-m u32 --u32 "' + "&&".join(["0=1"] * 11) + '"',
        '-m u32 --u32 "0=1,2,3,4,5,6,7,8,9,10,11"',
        '-m u32 --u32 "0@1@2@3@4@5@6@7@8@9@10=1"',
        "-m bpf",
        "-m bpf --bytecode foo",
        '-m bpf --bytecode "0,"',
        '-m bpf --bytecode "1,6 0 0"',
        '-m bpf --bytecode "1,65536 0 0 1"',
        '-m bpf --bytecode "1,6 256 0 1"',
        '-m bpf --bytecode "2,6 0 0 1"',
        '-m bpf --bytecode "1,6 0 0 1,6 0 0 1"',
        '-m bpf ! --bytecode "1,6 0 0 1"',
        '-m bpf --bytecode "1,6 0 0 1" --object-pinned /x',
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule)


def test_a_refusal_says_where_the_program_goes_wrong() -> None:
    assert refusals('-m u32 --u32 "0=1&&2|3=1"') == ["--u32: character 7 of the u32 program, `|`, has no meaning there"]
    assert refusals('-m u32 --u32 "0=1 2"') == ["--u32: the u32 program wants `,`, `&&` or the end at character 5, `2`"]
    assert refusals('-m u32 --u32 "0="') == ["--u32: the u32 program wants a number at its end"]


def test_the_same_condition_has_the_same_key_however_it_is_written() -> None:
    same = Opaque('-m string --string "ab" --icase', IN_PACKET)
    assert predicate('-m string --hex-string "|6162|" --algo bm --icase') == same
    assert predicate("-m string ! --string ab --icase --algo kmp") == Not(same)
    assert predicate('-m u32 ! --u32 "0 = 0"') == Not(Opaque('-m u32 --u32 "0x0=0x0"', IN_PACKET))
    assert matches('-m bpf --bytecode "1,6 0 0 1,"', {}, assume={'-m bpf --bytecode "1,6 0 0 1"': True})
