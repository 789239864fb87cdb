"""One packet of a capture file, classic pcap or pcapng, becomes Headers. A reader beside `logline`.

Sources: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. Packets are numbered from 1 as Wireshark numbers frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal, NamedTuple

from policyc.diagnostics import InputError, diagnose
from policyc.frozen import frozen
from policyc.net.headers import Headers
from policyc.readers.ip_packet import PacketError, read_ip
from policyc.readers.link_layer import read_frame

_Order = Literal["little", "big"]
_CLASSIC: dict[bytes, _Order] = {
    b"\xa1\xb2\xc3\xd4": "big", b"\xd4\xc3\xb2\xa1": "little",  # microseconds
    b"\xa1\xb2\x3c\x4d": "big", b"\x4d\x3c\xb2\xa1": "little",  # nanoseconds
}  # fmt: skip
_SECTION_MARK = b"\x0a\x0d\x0d\x0a"
_OTHERS = {
    b"\x1f\x8b": "gzip: unpack it first", b"\x28\xb5\x2f\xfd": "zstd: unpack it first", b"\xa1\xb2\xcd\x34": "a modified pcap",
    b"\x34\xcd\xb2\xa1": "a modified pcap", b"snoop": "snoop",
}  # fmt: skip
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET = 1, 2, 3, 6
# Blocks that Wireshark numbers as frames though they are no packets: journal entries, system calls.
_OTHER_FRAMES = frozenset((9, 0x204, 0x208, 0x216, 0x221, 0x223))
_IF_NAME, _EPB_FLAGS = 2, 2
_DIRECTIONS = {1: "in", 2: "out"}


class _Interface(NamedTuple):
    linktype: int
    snaplen: int
    name: str


class _Record(NamedTuple):
    """A frame as the file holds it; `fault` says why there is none."""

    data: bytes
    interface: _Interface
    length: int
    direction: str = ""
    fault: str = ""


@frozen
class Captured:
    """One packet of a capture.

    `headers` has `entry` or `exit` where the capture says both interface and direction; else `interface` is where it was
    seen, "" where the file does not say, and `direction` "in", "out" or "". `ifindex` is the device's number on the host
    that captured, None where the file does not say. `vlans` are 802.1Q tags from the outside in. A packet in direction
    `out` was sent by the capturing host or forwarded by it.
    """

    headers: Headers
    number: int
    interface: str = ""
    direction: str = ""
    ifindex: int | None = None
    vlans: tuple[int, ...] = ()


def read_capture(data: bytes, name: str, number: int) -> Captured:
    """Return packet `number` of a capture file's bytes; `name` is how errors call the file.

    Raises InputError: no capture, no such packet, or a packet that is cut or not IP.
    """
    if number < 1:
        raise _error(f"packet {number} of `{name}` is asked for; packets are numbered from 1")
    count = 0
    try:
        for count, record in enumerate(_records(data), 1):
            if count == number:
                return _captured(record, number)
    except PacketError as error:
        place = (
            f"packet {number} of `{name}`"
            if count == number
            else f"`{name}`, behind packet {count}"
            if count
            else f"`{name}`"
        )
        raise _error(f"{place}: {error}") from None
    there = "holds no packet" if not count else "holds 1 packet" if count == 1 else f"holds {count} packets"
    raise _error(f"packet {number} of `{name}` is asked for; the file {there}")


def _error(message: str) -> InputError:
    return InputError([diagnose("bad-packet", message)])


def _captured(record: _Record, number: int) -> Captured:
    if record.fault:
        raise PacketError(record.fault)
    frame = read_frame(record.interface.linktype & 0xFFFF, record.data)
    try:
        headers = read_ip(frame.packet)
    except PacketError as error:
        cut = record.length - len(record.data)
        more = (
            f"; the capture kept {len(record.data)} of {record.length} bytes (a larger snaplen keeps all)"
            if cut > 0
            else ""
        )
        raise PacketError(f"{error}{more}") from None
    direction, interface = frame.direction or record.direction, record.interface.name
    headers = replace(
        headers,
        mac_src=frame.mac_src,
        mac_dst=frame.mac_dst,
        entry=interface if direction == "in" else "",
        exit=interface if direction == "out" else "",
    )
    return Captured(headers, number, interface, direction, frame.ifindex, frame.vlans)


# ---------------------------------------------------------------------- files
def _records(data: bytes) -> Iterator[_Record]:
    if data[:4] in _CLASSIC:
        return _classic(data, _CLASSIC[data[:4]])
    if data[:4] == _SECTION_MARK:
        return _sections(data)
    other = next((what for mark, what in _OTHERS.items() if data.startswith(mark)), "")
    raise PacketError(f"it is neither a pcap nor a pcapng file{f' but {other}' if other else ''}")


def _classic(data: bytes, order: _Order) -> Iterator[_Record]:
    if len(data) < 24:
        raise PacketError(f"it ends within its file header, {len(data)} of 24 bytes")
    interface = _Interface(int.from_bytes(data[20:24], order), int.from_bytes(data[16:20], order), "")
    at = 24
    while at < len(data):
        if at + 16 > len(data):
            raise PacketError(f"it ends within a record's header, {len(data) - at} of 16 bytes")
        kept, length = int.from_bytes(data[at + 8 : at + 12], order), int.from_bytes(data[at + 12 : at + 16], order)
        at += 16
        yield _Record(data[at : at + kept], interface, length, fault=_missing(data, at, kept))
        if at + kept > len(data):
            return
        at += kept


def _missing(data: bytes, at: int, kept: int) -> str:
    there = len(data) - at
    return f"the file ends within it, {max(there, 0)} of {kept} bytes are there" if there < kept else ""


def _sections(data: bytes) -> Iterator[_Record]:
    """Walk the blocks of pcapng; a section may have its own byte order and has its own interfaces."""
    at, order = 0, _byte_order(data, 0)
    interfaces: list[_Interface] = []
    while at < len(data):
        if data[at : at + 4] == _SECTION_MARK:
            order, interfaces = _byte_order(data, at), []
        if at + 12 > len(data):
            raise PacketError(f"it ends within a block's header, {len(data) - at} of 12 bytes")
        kind, size = int.from_bytes(data[at : at + 4], order), int.from_bytes(data[at + 4 : at + 8], order)
        if size < 12 or size % 4:
            raise PacketError(f"a block says that it is {size} bytes long, which is no length of a block")
        body = data[at + 8 : at + size - 4]
        cut = _missing(data, at, size)
        if kind == _INTERFACE and not cut:
            interfaces.append(_interface(body, order))
        elif kind in {_OLD_PACKET, _SIMPLE_PACKET, _ENHANCED_PACKET}:
            yield _record(kind, body, order, interfaces, cut)
        elif kind in _OTHER_FRAMES:
            yield _Record(
                b"", _Interface(0, 0, ""), 0, fault="it is no packet but an event of the system that captured"
            )
        elif cut:
            raise PacketError(cut.replace("within it", "within a block"))
        at += size


def _byte_order(data: bytes, at: int) -> _Order:
    mark = data[at + 8 : at + 12]
    if mark not in {b"\x1a\x2b\x3c\x4d", b"\x4d\x3c\x2b\x1a"}:
        raise PacketError("a section does not say in which byte order it is written")
    return "big" if mark[0] == 0x1A else "little"


def _interface(body: bytes, order: _Order) -> _Interface:
    if len(body) < 8:
        raise PacketError(f"an interface's block ends early, {len(body)} of 8 bytes")
    names = [value for code, value in _options(body[8:], order) if code == _IF_NAME]
    name = names[0].split(b"\0")[0].decode("utf-8", "replace") if names else ""
    # What is no name of a Linux device, as Windows' \Device\NPF_{…}, is a place nobody here can use.
    usable = 0 < len(name) <= 15 and name.isprintable() and not any(one in "/ \\" for one in name)
    return _Interface(
        int.from_bytes(body[:2], order), int.from_bytes(body[4:8], order), name if usable and name != "any" else ""
    )


def _record(kind: int, body: bytes, order: _Order, interfaces: list[_Interface], cut: str) -> _Record:
    """Return the frame of a packet's block."""

    def number(at: int, size: int = 4) -> int:
        return int.from_bytes(body[at : at + size], order)

    start = 4 if kind == _SIMPLE_PACKET else 20
    nowhere = _Interface(0, 0, "")
    if cut or len(body) < start:
        return _Record(b"", nowhere, 0, fault=cut or f"its block ends early, {len(body)} of {start} bytes")
    index = 0 if kind == _SIMPLE_PACKET else number(0, 2 if kind == _OLD_PACKET else 4)
    if index >= len(interfaces):
        return _Record(b"", nowhere, 0, fault=f"it names interface {index}, and the file describes {len(interfaces)}")
    interface = interfaces[index]
    if kind == _SIMPLE_PACKET:
        length = number(0)
        kept = min(length, interface.snaplen or length, len(body) - 4)
        return _Record(body[4 : 4 + kept], interface, length)
    kept, length = number(12), number(16)
    flags = [
        value
        for code, value in _options(body[20 + kept + -kept % 4 :], order)
        if code == _EPB_FLAGS and len(value) >= 4
    ]
    direction = _DIRECTIONS.get(int.from_bytes(flags[0][:4], order) & 3, "") if flags else ""
    fault = f"its block ends early, {len(body) - 20} of {kept} bytes are there" if 20 + kept > len(body) else ""
    return _Record(body[20 : 20 + kept], interface, length, direction, fault)


def _options(data: bytes, order: _Order) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        code, size = int.from_bytes(data[at : at + 2], order), int.from_bytes(data[at + 2 : at + 4], order)
        if code == 0:
            return
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + size + -size % 4
