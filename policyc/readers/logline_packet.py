"""The words from `IN=` on in a line of the kernel log, one packet and where it quotes one the packet within. Used by `logline`.

A word's meaning depends on what stands before it: `LEN=` and `ID=` come twice, `ACK` is a flag and `ACK=` a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.addresses import AddressError, parse_address
from policyc.net.headers import Headers
from policyc.net.protocols import ESP, ICMP, ICMPV6, TCP, UDP, UDPLITE, parse_protocol
from policyc.source import Source, Span

_WORD = re.compile(r"\[(?=SRC=)|INCOMPLETE \[\d+ bytes\]|Unknown Ext Hdr \d+|[^\s()\[\]]+|\S")
_FLAGS = {name: 1 << bit for bit, name in enumerate(("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"))}
# What is read of a packet.
_READ = frozenset((
    "SRC", "DST", "LEN", "TOS", "PREC", "TTL", "TC", "HOPLIMIT", "PROTO", "SPT", "DPT", "WINDOW", "TYPE", "CODE", "SPI",
    "MARK", "UID", "GID",
))  # fmt: skip
# Words that say nothing which a rule could test, or that others say too.
_SILENT = frozenset((
    "DF", "MF", "CE", "AE", "AH", "ESP", "OPT", "(", ")", "FLOWLBL", "RES", "URGP", "ID", "SEQ", "ACK", "PARAMETER",
    "POINTER", "GATEWAY", "MTU", "TUNNEL", "VPROTO", "VID", "MACPROTO", "MAC", "MACSRC", "MACDST", "PHYSIN", "PHYSOUT",
))  # fmt: skip
_IP_IN_ETHERNET = frozenset(("08:00", "86:dd", "81:00", "88:a8", "88:64"))
_NEEDED = {
    TCP: ("SPT", "DPT", "WINDOW"), UDP: ("SPT", "DPT"), UDPLITE: ("SPT", "DPT"), ICMP: ("TYPE", "CODE"), ICMPV6: ("TYPE", "CODE"),
}  # fmt: skip
_LONG = 0xFFFFFFFF
_EXPECTED = "expected is a line as the kernel wrote it, to its end"


class _Word(NamedTuple):
    name: str
    value: str | None  # what stands behind `=`
    start: int
    end: int


@dataclass(slots=True)
class _Packet:
    """The words of one packet by name, those before `PROTO=` and those behind it; a flag's name ends in a blank."""

    last: _Word
    ip: dict[str, _Word] = field(default_factory=dict)
    transport: dict[str, _Word] = field(default_factory=dict)
    options: str = ""
    inner: Headers | None = None
    incomplete: bool = False


class PacketReader:
    """Reads one line from an offset; `errors` are all that is wrong, `unread` the words that nobody knows."""

    def __init__(self, source: Source, start: int) -> None:
        self.source = source
        self.errors: list[Diagnostic] = []
        self.unread: list[str] = []
        self.incomplete = False
        self.words = [self._word(found) for found in _WORD.finditer(source.text, start)]
        self.at = 0
        self.head: dict[str, _Word] = {}

    def error(self, message: str, span: Span, hint: str = "") -> None:
        """Note a fault."""
        self.errors.append(diagnose("bad-packet", message, span, help=hint))

    @staticmethod
    def _word(found: re.Match[str]) -> _Word:
        name, equals, value = found[0].partition("=")
        return _Word(name, value if equals else None, found.start(), found.end())

    # ------------------------------------------------------------------ the line
    def line(self) -> Headers | None:
        """Read the words: interfaces, link layer, packet. None where there is no packet."""
        while self.at < len(self.words) and self.words[self.at].name not in {"SRC", "ARP", "TRUNCATED"}:
            word = self.words[self.at]
            self.at += 1
            if word.name in self.head:
                self._twice(word)
            elif word.name not in _SILENT | {"IN", "OUT"}:
                self.unread.append(self.source.text[word.start : word.end])
            self.head[word.name] = word
        if self.at == len(self.words) or self.words[self.at].name != "SRC":
            self._without_packet()
            return None
        return self._packet(self.head)

    def _without_packet(self) -> None:
        if self.at < len(self.words) and self.words[self.at].name == "ARP":
            word = self.words[self.at]
            self.error(
                "the line is about an ARP packet, which no table of iptables sees",
                self._span(word),
                "a line about IPv4 or IPv6 has `SRC=` and `DST=`",
            )
        elif self.at < len(self.words):
            self.error(
                "the kernel saw less than an IP header, so that nothing is known of the packet",
                self._span(self.words[self.at]),
            )
        else:
            self.error("the line ends before `SRC=`", self._span(self.words[-1]), _EXPECTED)

    def _twice(self, word: _Word) -> None:
        hint = "ask about one line at a time" if word.name == "IN" else ""
        self.error(f"`{word.name}=` stands here a second time", self._span(word), hint)

    def _packet(self, head: dict[str, _Word]) -> Headers | None:
        """Read from `SRC=` to the line's end, or to the bracket that closes a quoted packet."""
        found = _Packet(self.words[self.at])
        section = found.ip
        in_options = False
        while self.at < len(self.words):
            word = found.last = self.words[self.at]
            self.at += 1
            text = self.source.text[word.start : word.end]
            if text == "]":
                break
            if text == "[" and self.at == len(self.words):
                self.error("the line ends where the packet that it quotes begins", self._span(word), _EXPECTED)
            elif text == "[":
                found.inner = self._packet({})
            elif text in {"(", ")"}:
                in_options = text == "("
            elif in_options and _hex(text):
                found.options = text if section is found.transport else ""
            elif text.startswith(("INCOMPLETE", "TRUNCATED", "Unknown ")):
                # A bare INCOMPLETE behind FRAG: of IPv6 says that more fragments follow.
                found.incomplete = found.incomplete or text != "INCOMPLETE"
            elif text.startswith(("FRAG:", "ID:")):
                name, _, value = text.partition(":")
                section[name] = _Word(name, value, word.start, word.end)
            elif word.name == "IN":
                self._twice(word)
                break
            elif word.value is not None and word.name in section:
                self._twice(word)
            elif word.name in _READ | _SILENT or word.name in _FLAGS:
                section[word.name if word.value is not None else f"{word.name} "] = word
                if word.name == "PROTO":
                    section = found.transport
            else:
                self.unread.append(text)
        if head:
            self.incomplete = found.incomplete
        return self._headers(head, found)

    # ------------------------------------------------------------------ values
    def _headers(self, head: dict[str, _Word], found: _Packet) -> Headers | None:
        ip, transport = found.ip, found.transport
        family = 6 if "SRC" in ip and ":" in (ip["SRC"].value or "") else 4
        src, dst = self._address(found, "SRC", family), self._address(found, "DST", family)
        fragment = self._number(ip, "FRAG", 65535) not in {None, 0}
        proto = self._protocol(found, family, optional=fragment or found.incomplete)
        if not fragment and not found.incomplete:
            for name in _NEEDED.get(proto or 0, ()):
                if name not in transport:
                    self.error(f"the line ends before `{name}=`", self._span(found.last), _EXPECTED)
        kind, code = self._number(transport, "TYPE", 255), self._number(transport, "CODE", 255)
        tos, precedence = self._number(ip, "TOS", 255, 16), self._number(ip, "PREC", 255, 16)
        udp_length = self._number(transport, "LEN", 65535)
        mac_src, mac_dst = self._macs(head)
        flags = sum(bit for name, bit in _FLAGS.items() if f"{name} " in transport)
        made = Headers(
            family,
            src or 0,
            dst or 0,
            proto,
            sport=self._number(transport, "SPT", 65535),
            dport=self._number(transport, "DPT", 65535),
            flags=flags if proto == TCP and "WINDOW" in transport else None,
            seq=self._number(transport, "SEQ", _LONG) if proto == TCP else None,
            ack=self._number(transport, "ACK", _LONG),
            window=self._number(transport, "WINDOW", 65535),
            mss=_mss(found.options),
            icmp=None if kind is None or code is None else kind << 8 | code,
            icmp_id=self._number(transport, "ID", 65535),
            inner=found.inner,
            spi=self._number(transport if "SPI" in transport else ip, "SPI", _LONG, 16),
            ttl=self._number(ip, "HOPLIMIT" if family == 6 else "TTL", 255),
            tos=self._number(ip, "TC", 255) if tos is None else tos | (precedence or 0),
            length=self._number(ip, "LEN", 65535 + 40),
            payload=None if udp_length is None else max(udp_length - 8, 0),
            fragment=fragment,
            mac_src=mac_src,
            mac_dst=mac_dst,
            entry=self.interface("IN", head),
            exit=self.interface("OUT", head),
            mark=self._number(transport, "MARK", _LONG, 16),
            uid=self._number(transport, "UID", _LONG),
            gid=self._number(transport, "GID", _LONG),
        )
        return None if src is None or dst is None else made

    def _span(self, word: _Word) -> Span:
        return self.source.span(word.start, word.end)

    def _value(self, word: _Word) -> Span:
        return self.source.span(word.end - len(word.value or ""), word.end) if word.value else self._span(word)

    def _address(self, found: _Packet, name: str, family: int) -> int | None:
        if name not in found.ip:
            self.error(f"the line ends before `{name}=`", self._span(found.last), _EXPECTED)
            return None
        try:
            return parse_address(found.ip[name].value or "", family)
        except AddressError as error:
            self.error(str(error), self._value(found.ip[name]), "write the address as the kernel logged it")
            return None

    def _protocol(self, found: _Packet, family: int, *, optional: bool) -> int | None:
        if "PROTO" not in found.ip:
            if family == 6 and "ESP " in found.ip:
                return ESP
            if not optional:
                of_esp = "; of ESP over IPv6 it prints no protocol unless the rule has `--log-ip-options`"
                hint = _EXPECTED + (of_esp if family == 6 else "")
                self.error("the line ends before `PROTO=`", self._span(found.last), hint)
            return None
        try:
            return parse_protocol(found.ip["PROTO"].value or "")
        except ValueError as error:
            self.error(str(error), self._value(found.ip["PROTO"]), "`TCP`, `UDP`, `ICMP` or a number")
            return None

    def _number(self, words: dict[str, _Word], name: str, most: int, base: int = 10) -> int | None:
        word = words.get(name)
        if word is None:
            return None
        text = (word.value or "").removeprefix("0x" if base == 16 else "")
        if not (_hex(text) if base == 16 else text.isascii() and text.isdecimal()) or len(text) > 20:
            kind = "number" if base == 10 else "hexadecimal number"
            self.error(f"`{name}` is `{word.value}` and must be a {kind}", self._value(word))
            return None
        number = int(text, base)
        if number > most:
            limit = f"{most:#x}" if base == 16 else most
            self.error(f"`{name}` is {word.value}, over {limit}", self._value(word))
            return None
        return number

    def interface(self, name: str, head: dict[str, _Word] | None = None) -> str:
        """Return an interface's name from before the packet, "" where it is empty or missing."""
        word = (self.head if head is None else head).get(name)
        if word is None or not word.value:
            return ""
        if len(word.value) > 15:
            self.error(f"`{word.value}` is longer than the 15 characters of an interface's name", self._value(word))
        return word.value

    def _macs(self, head: dict[str, _Word]) -> tuple[int | None, int | None]:
        """Return source and destination of an Ethernet frame; other link layers have other addresses, or none."""
        if "MACSRC" in head or "MACDST" in head:
            pair = [head[name].value or "" if name in head else "" for name in ("MACSRC", "MACDST")]
        else:
            text = head["MAC"].value or "" if "MAC" in head else ""
            if len(text) < 41 or text[36:41].lower() not in _IP_IN_ETHERNET:
                return None, None
            pair = [text[18:35], text[:17]]
        source, destination = ((int(one.replace(":", ""), 16) if _is_mac(one) else None) for one in pair)
        return source, destination


def _hex(text: str) -> bool:
    return re.fullmatch("[0-9A-Fa-f]+", text) is not None


def _is_mac(text: str) -> bool:
    return re.fullmatch("[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}", text) is not None


def _mss(options: str) -> int | None:
    """Return the MSS of TCP options in hexadecimal (RFC 9293, section 3.2)."""
    data = bytes.fromhex(options) if len(options) % 2 == 0 else b""
    at = 0
    while at + 1 < len(data) and data[at]:
        if data[at] == 1:
            at += 1
            continue
        if data[at] == 2 and at + 4 <= len(data):
            return int.from_bytes(data[at + 2 : at + 4], "big")
        at += max(data[at + 1], 2)
    return None
