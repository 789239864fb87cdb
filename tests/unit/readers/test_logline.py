"""Lines of the kernel log as people paste them: every form that the kernel prints is read, what is wrong is told at its place."""

from __future__ import annotations

import pytest

from policyc.diagnostics import InputError
from policyc.net.addresses import parse_address
from policyc.net.headers import Headers
from policyc.readers.logline import LogLine, TracePoint, is_logline, read_logline
from policyc.source import Source

MAC = "MAC=52:54:00:aa:00:01:52:54:00:bb:00:02:08:00"
TO_MAC, FROM_MAC = 0x525400AA0001, 0x525400BB0002
IP = "SRC=203.0.113.9 DST=198.51.100.1 LEN=60 TOS=0x00 PREC=0x00 TTL=52 ID=54321 DF"
SYN = f"IN=eth0 OUT= {MAC} {IP} PROTO=TCP SPT=51000 DPT=8443 WINDOW=64240 RES=0x00 SYN URGP=0 "
V6 = (
    "SRC=2001:0db8:0000:0000:0000:0000:0000:0001 DST=2001:0db8:0001:0000:0000:0000:0000:0002 "
    "LEN=80 TC=3 HOPLIMIT=63 FLOWLBL=123456"
)


def read(text: str) -> LogLine:
    return read_logline(Source("line", text))


def v4(text: str) -> int:
    return parse_address(text, 4)


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(InputError) as raised:
        read(text)
    return [(one.message, one.span.text if one.span else "") for one in raised.value.diagnostics]


def test_a_whole_line() -> None:
    assert read(SYN).headers == Headers(
        4, v4("203.0.113.9"), v4("198.51.100.1"), 6, sport=51000, dport=8443, flags=2, window=64240, ttl=52, tos=0,
        length=60, mac_src=FROM_MAC, mac_dst=TO_MAC, entry="eth0",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "prefix"),
    [
        ("", ""),
        ("[UFW BLOCK] ", "[UFW BLOCK] "),
        ("Nov 25 07:36:07 gate kernel: [12345.678901] [UFW BLOCK] ", "[UFW BLOCK] "),
        ("Nov  5 07:36:07 gate kernel: [UFW BLOCK] ", "[UFW BLOCK] "),
        ("2026-11-25T07:36:07.123456+01:00 gate kernel: [UFW AUDIT INVALID] ", "[UFW AUDIT INVALID] "),
        ("[12345.678901] FINAL_REJECT: ", "FINAL_REJECT: "),
        ("[   45.678901] Shorewall:net-fw:DROP:", "Shorewall:net-fw:DROP:"),
        ("[12345.678901] gate kernel: drop ", "drop "),
        ("[Wed Nov 25 07:36:07 2026] filter_IN_public_REJECT: ", "filter_IN_public_REJECT: "),
        ("<4>[12345.678901] DROP", "DROP"),
        ("kern  :warn  : [12345.678901] pc:F12 ", "pc:F12 "),
        ("kernel: [1.5] kernel of mine ", "kernel of mine "),
    ],
)
def test_what_stands_before_it(before: str, prefix: str) -> None:
    line = read(before + SYN)
    assert line.prefix == prefix
    assert line.headers == read(SYN).headers


@pytest.mark.parametrize(
    ("interfaces", "hooks", "after_dnat", "local"),
    [
        (f"IN=eth0 OUT= {MAC}", ("PREROUTING", "INPUT"), None, False),
        (f"IN=eth0 OUT=eth1 {MAC}", ("FORWARD", "POSTROUTING"), True, False),
        ("IN= OUT=eth1", ("OUTPUT", "POSTROUTING"), None, True),
        ("IN= OUT=", (), None, False),
    ],
)
def test_the_hooks_it_can_come_from(
    interfaces: str, hooks: tuple[str, ...], after_dnat: bool | None, local: bool
) -> None:
    line = read(f"{interfaces} {IP} PROTO=UDP SPT=1 DPT=2 LEN=40")
    assert (line.hooks, line.after_dnat, line.headers.local) == (hooks, after_dnat, local)


@pytest.mark.parametrize(
    ("point", "chain", "after_dnat"),
    [
        ("raw:PREROUTING:policy:2", "PREROUTING", False),
        ("mangle:PREROUTING:rule:1", "PREROUTING", False),
        ("nat:PREROUTING:rule:1", "PREROUTING", None),
        ("mangle:OUTPUT:rule:1", "OUTPUT", False),
        ("filter:OUTPUT:rule:1", "OUTPUT", True),
        ("filter:INPUT:rule:3", "INPUT", True),
    ],
)
def test_a_trace_line(point: str, chain: str, after_dnat: bool | None) -> None:
    line = read(f"TRACE: {point} {SYN}")
    table, _, kind, number = point.split(":")
    assert line.trace == TracePoint(table, chain, kind, int(number))
    assert (line.hooks, line.after_dnat) == ((chain,), after_dnat)


def test_a_trace_line_of_a_user_chain_leaves_the_hook_open() -> None:
    line = read(f"[1.25] TRACE: filter:a:b:return:7 {SYN}")
    assert line.trace == TracePoint("filter", "a:b", "return", 7)
    assert line.hooks == ("PREROUTING", "INPUT")


@pytest.mark.parametrize(
    ("mac", "expected"),
    [
        ("MAC=", (None, None)),
        ("", (None, None)),
        ("MAC=45:00:00:54", (None, None)),  # a tunnel
        (
            "MAC=45:00:00:3c:12:34:40:00:40:29:00:00:c0:00:02:01:c0:00:02:02",
            (None, None),
        ),  # the bytes are an IPv4 header
        (MAC + ":11:22:33:44", (FROM_MAC, TO_MAC)),
        ("MAC=xx:xx:xx:xx:xx:xx:52:54:00:bb:00:02:08:00", (FROM_MAC, None)),
        ("MACSRC=52:54:00:bb:00:02 MACDST=52:54:00:aa:00:01 VPROTO=8100 VID=7 MACPROTO=0800", (FROM_MAC, TO_MAC)),
        ("MAC=45:00 TUNNEL=192.0.2.1->192.0.2.2", (None, None)),
    ],
)
def test_link_layers(mac: str, expected: tuple[int | None, int | None]) -> None:
    line = read(f"IN=eth0 OUT= {mac} {IP} PROTO=2")
    assert (line.headers.mac_src, line.headers.mac_dst, line.headers.proto) == (*expected, 2)
    assert line.unread == ()


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("PROTO=TCP SPT=1 DPT=2 SEQ=7 ACK=9 WINDOW=5 RES=0x00 ACK PSH FIN URGP=0", {"flags": 0x19, "seq": 7, "ack": 9}),
        (
            "PROTO=TCP SPT=1 DPT=2 WINDOW=5 RES=0x03 AE CWR ECE URG ACK PSH RST SYN FIN URGP=0",
            {"flags": 0xFF, "seq": None},
        ),
        ("PROTO=TCP SPT=1 DPT=2 WINDOW=5 RES=0x00 URGP=0", {"flags": 0}),
        ("PROTO=TCP SPT=1 DPT=2 WINDOW=5 RES=0x00 SYN URGP=0 OPT (0103030702040578)", {"mss": 0x578}),
        ("OPT (94040000) PROTO=TCP SPT=1 DPT=2 WINDOW=5 RES=0x00 SYN URGP=0 OPT (020405B40402080A)", {"mss": 1460}),
        ("PROTO=TCP INCOMPLETE [8 bytes]", {"flags": None, "sport": None}),
        ("MF FRAG:185 PROTO=UDP", {"fragment": True, "sport": None}),
        ("MF PROTO=UDP SPT=1 DPT=2 LEN=4000", {"fragment": False, "sport": 1}),
        ("PROTO=UDP SPT=5353 DPT=5353 LEN=40", {"dport": 5353, "payload": 32, "length": 60}),
        ("PROTO=UDPLITE SPT=1 DPT=2 LEN=40", {"proto": 136, "dport": 2}),
        ("PROTO=ICMP TYPE=8 CODE=0 ID=77 SEQ=1", {"icmp": 0x800, "icmp_id": 77}),
        ("PROTO=ICMP TYPE=13 CODE=0", {"icmp": 0xD00, "icmp_id": None}),
        ("PROTO=ICMP TYPE=12 CODE=0 PARAMETER=2", {"icmp": 0xC00}),
        ("PROTO=ESP SPI=0xdeadbeef", {"proto": 50, "spi": 0xDEADBEEF}),
        ("PROTO=AH SPI=0x10", {"proto": 51, "spi": 16}),
        ("PROTO=47", {"proto": 47}),
        ("PROTO=132 MARK=0x1f", {"proto": 132, "mark": 31}),
        ("PROTO=SCTP SPT=1 DPT=2", {"proto": 132, "dport": 2}),
        ("PROTO=UDP SPT=1 DPT=2 LEN=8 UID=1000 GID=100 MARK=0x1", {"uid": 1000, "gid": 100, "mark": 1}),
    ],
)
def test_transport_headers(rest: str, expected: dict[str, object]) -> None:
    line = read(f"IN=eth0 OUT= {MAC} {IP} {rest} ")
    assert {name: getattr(line.headers, name) for name in expected} == expected
    assert line.incomplete is ("INCOMPLETE" in rest)
    assert line.unread == ()


def test_tos_and_precedence_are_one_byte() -> None:
    assert read(SYN.replace("TOS=0x00 PREC=0x00", "TOS=0x08 PREC=0x60")).headers.tos == 0x68


def test_an_icmp_error_quotes_its_packet() -> None:
    quoted = (
        "[SRC=198.51.100.1 DST=203.0.113.9 LEN=60 TOS=0x00 PREC=0x00 TTL=1 ID=7 PROTO=UDP SPT=53 DPT=3333 LEN=40 ] "
    )
    line = read(f"IN=eth0 OUT= {MAC} {IP} PROTO=ICMP TYPE=3 CODE=4 {quoted}MTU=1400 MARK=0x5")
    assert (line.headers.icmp, line.headers.mark, line.headers.ttl) == (0x304, 5, 52)
    assert line.headers.inner == Headers(
        4, v4("198.51.100.1"), v4("203.0.113.9"), 17, sport=53, dport=3333, ttl=1, tos=0, length=60, payload=32
    )


def test_a_quoted_packet_may_be_cut() -> None:
    quoted = "[SRC=198.51.100.1 DST=203.0.113.9 LEN=60 TOS=0x00 PREC=0x00 TTL=1 ID=7 PROTO=TCP INCOMPLETE [8 bytes] ] "
    line = read(f"IN=eth0 OUT= {IP} PROTO=ICMP TYPE=11 CODE=0 {quoted}")
    assert not line.incomplete
    assert line.headers.inner is not None
    assert (line.headers.inner.proto, line.headers.inner.sport) == (6, None)


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("PROTO=TCP SPT=1 DPT=22 WINDOW=5 RES=0x00 SYN URGP=0", {"dport": 22, "ttl": 63, "tos": 3, "length": 80}),
        ("PROTO=ICMPv6 TYPE=128 CODE=0 ID=5 SEQ=1", {"icmp": 0x8000, "icmp_id": 5, "proto": 58}),
        ("PROTO=ICMPv6 TYPE=135 CODE=0", {"icmp": 0x8700}),
        ("FRAG:1448 INCOMPLETE ID:0000abcd PROTO=UDP", {"fragment": True, "sport": None}),
        ("FRAG:0 INCOMPLETE ID:0000abcd PROTO=UDP SPT=1 DPT=2 LEN=4000", {"fragment": False, "dport": 2}),
        (
            "OPT ( FRAG:0 ID:0000abcd ) OPT ( AH SPI=0x7 ) PROTO=TCP SPT=1 DPT=2 WINDOW=5 RES=0x00 URGP=0",
            {"spi": 7, "flags": 0},
        ),
        ("OPT ( ESP SPI=0x9 )", {"proto": 50, "spi": 9}),
        ("PROTO=59", {"proto": 59}),
    ],
)
def test_ipv6(rest: str, expected: dict[str, object]) -> None:
    line = read(f"IN=eth0 OUT= {V6} {rest} ")
    assert line.headers.src == parse_address("2001:db8::1", 6)
    assert {name: getattr(line.headers, name) for name in expected} == expected
    assert line.unread == ()
    assert not line.incomplete


def test_an_icmpv6_error_quotes_its_packet() -> None:
    line = read(f"IN=eth0 OUT= {V6} PROTO=ICMPv6 TYPE=2 CODE=0 [{V6} PROTO=UDP SPT=9 DPT=10 LEN=40 ] MTU=1280 ")
    assert line.headers.inner is not None
    assert line.headers.inner.dport == 10


def test_ports_of_a_bridge() -> None:
    line = read(f"IN=br0 OUT=br0 PHYSIN=veth1 PHYSOUT=veth2 {MAC} {IP} PROTO=2")
    assert (line.physin, line.physout) == ("veth1", "veth2")


def test_a_line_broken_by_the_terminal() -> None:
    assert read(SYN.replace(" LEN", "\n  LEN")).headers == read(SYN).headers


def test_words_that_no_kernel_prints_are_kept() -> None:
    assert read(f"IN=eth0 OUT= ZONE=wan {IP} PROTO=TCP SPT=1 DPT=2 WINDOW=5 SYN COLOR=red ??").unread == (
        "ZONE=wan",
        "COLOR=red",
        "??",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello world\n", [("this is no line of the kernel log: nothing in it reads `IN=… OUT=…`", "hello world")]),
        ("", [("this is no line of the kernel log: nothing in it reads `IN=… OUT=…`", "")]),
        ("IN=eth0 OUT=", [("the line ends before `SRC=`", "OUT=")]),
        ("IN=eth0 OUT= SRC=1.2.3.4", [("the line ends before `DST=`", "SRC=1.2.3.4"), ("the line ends before `PROTO=`", "SRC=1.2.3.4")]),
        (f"IN=eth0 OUT= {IP} PROTO=TCP SPT=12", [("the line ends before `DPT=`", "SPT=12"), ("the line ends before `WINDOW=`", "SPT=12")]),
        (f"IN=eth0 OUT= {IP} PROTO=ICMP TYPE=3 CODE=1 [", [("the line ends where the packet that it quotes begins", "[")]),
        (f"IN=eth0 OUT= {IP} PROTO=ICMP", [("the line ends before `CODE=`", "PROTO=ICMP"), ("the line ends before `TYPE=`", "PROTO=ICMP")]),
        ("IN=eth0 OUT= ARP HTYPE=1 PTYPE=0x0800 OPCODE=1", [("the line is about an ARP packet, which no table of iptables sees", "ARP")]),
        ("IN=eth0 OUT= TRUNCATED", [("the kernel saw less than an IP header, so that nothing is known of the packet", "TRUNCATED")]),
        (SYN + SYN, [("`IN=` stands here a second time", "IN=eth0")]),
        (
            SYN.replace("203.0.113.9", "x.x.x.x").replace("TTL=52", "TTL=520").replace("DPT=8443", "DPT=https"),
            [("`x.x.x.x` is not an IPv4 address", "x.x.x.x"), ("`TTL` is 520, over 255", "520"), ("`DPT` is `https` and must be a number", "https")],
        ),
        (SYN.replace("PROTO=TCP", "PROTO=FOO"), [("`FOO` is not a protocol name", "FOO")]),
        (SYN.replace("TOS=0x00", "TOS=0xzz"), [("`TOS` is `0xzz` and must be a hexadecimal number", "0xzz")]),
        (SYN.replace("IN=eth0", "IN=averyveryverylongname"), [("`averyveryverylongname` is longer than the 15 characters of an interface's name", "averyveryverylongname")]),
        (SYN.replace("DPT=8443", "DPT="), [("`DPT` is `` and must be a number", "DPT=")]),
    ],
)  # fmt: skip
def test_faults(text: str, expected: list[tuple[str, str]]) -> None:
    assert faults(text) == expected


def test_what_is_meant_as_one() -> None:
    assert is_logline(SYN)
    assert not is_logline("tcp 192.0.2.1 -> 192.0.2.2:443 in eth0")
