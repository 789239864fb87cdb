"""Whatever bytes a capture file has, its packets are read or refused with a diagnostic, never a traceback."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from policyc.diagnostics import InputError
from policyc.readers.pcap import read_capture

MAGICS = st.sampled_from([b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1", b"\x0a\x0d\x0d\x0a", b""])
LINKS = st.sampled_from([0, 1, 12, 101, 108, 113, 228, 229, 276, 9])
STARTS = st.sampled_from(
    [
        b"",
        b"\x45",
        b"\x60",
        bytes(12) + b"\x08\0\x45",
        bytes(12) + b"\x81\0\0\1\x86\xdd\x60",
        b"\x08\0" + bytes(18) + b"\x45",
    ]
)
PROTOCOLS = st.sampled_from([1, 6, 17, 44, 43, 50, 51, 58, 132, 0, 59, 60])


def ask(data: bytes, number: int) -> None:
    try:
        found = read_capture(data, "x", number)
    except InputError as error:
        assert error.diagnostics
    else:
        assert found.headers.family in {4, 6}


@given(MAGICS, st.binary(max_size=200), st.integers(0, 3))
def test_any_file(magic: bytes, rest: bytes, number: int) -> None:
    ask(magic + rest, number)


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3, 5, 6, 9]), st.binary(max_size=80)), max_size=5), st.integers(1, 5))
def test_any_blocks(blocks: list[tuple[int, bytes]], number: int) -> None:
    data = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
    for kind, body in blocks:
        size = 12 + len(body) + -len(body) % 4
        data += struct.pack("<II", kind, size) + body.ljust(size - 12, b"\0") + struct.pack("<I", size)
    ask(data, number)


@given(LINKS, STARTS, PROTOCOLS, st.binary(max_size=120))
def test_any_packet(linktype: int, start: bytes, proto: int, rest: bytes) -> None:
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, linktype)
    for frame in (
        start + rest,
        start + rest[:5] + bytes([proto]) + rest[5:],
        start + rest[:8] + bytes([proto]) + rest[8:],
    ):
        ask(head + struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame, 1)
