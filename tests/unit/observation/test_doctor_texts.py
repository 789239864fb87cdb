"""What the kernel prints in /proc/net becomes counters by nstat's names; odd and missing texts become none."""

from __future__ import annotations

from policyc.observation.doctor.proc_texts import from_snmp, from_snmp6, from_softnet, from_stat, time_wait

SNMP = """\
Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors
Ip: 2 64 120 1 7
Icmp: InMsgs InErrors
Icmp: 3 0
IcmpMsg: InType3
IcmpMsg: 3
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn InErrs
Tcp: 1 200 120000 -1 5
"""
NETSTAT = """\
TcpExt: SyncookiesSent ListenOverflows ListenDrops IPReversePathFilter
TcpExt: 0 4 6 9
IpExt: InNoRoutes InTruncatedPkts
IpExt: 2 0
"""
SOFTNET = """\
000daf4b 00000002 00000003 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000000 00000000 00000000 00000000
0007546b 0000000a 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000000 00000000
"""
RT_CACHE = """\
entries  in_hit   in_no_route in_martian_dst in_martian_src
00000005 00000000 00010cb1    00000001       0000000f
00000005 00000000 0000edd1    00000002       00000001
"""
SOCKSTAT = """\
sockets: used 16
TCP: inuse 1 orphan 0 tw 28000 alloc 1 mem 210
UDP: inuse 0 mem 0
"""


def test_pairs_of_lines() -> None:
    found = from_snmp(SNMP) | from_snmp(NETSTAT)
    assert found["IpInAddrErrors"] == 7
    assert found["TcpMaxConn"] == -1
    assert found["IcmpMsgInType3"] == 3
    assert found["TcpExtIPReversePathFilter"] == 9
    assert found["IpExtInNoRoutes"] == 2
    assert len(found) == 5 + 2 + 1 + 5 + 4 + 2


def test_a_line_for_each_counter() -> None:
    assert from_snmp6("Ip6InReceives                   \t11\nIp6InNoRoutes \t3\n") == {
        "Ip6InReceives": 11,
        "Ip6InNoRoutes": 3,
    }


def test_hexadecimal_columns_of_all_processors() -> None:
    assert from_softnet(SOFTNET) == {"softnet.dropped": 12, "softnet.time_squeeze": 3, "softnet.flow_limit": 1}
    found = from_stat(RT_CACHE, "rt_cache")
    assert found == {
        "rt_cache.in_hit": 0, "rt_cache.in_no_route": 0x10CB1 + 0xEDD1, "rt_cache.in_martian_dst": 3,
        "rt_cache.in_martian_src": 16,
    }  # fmt: skip


def test_an_old_kernel_prints_fewer_columns() -> None:
    assert from_softnet("00000010 00000001 00000000\n")["softnet.dropped"] == 1
    assert from_softnet("00000010 00000001 00000000\n")["softnet.flow_limit"] == 0


def test_nothing_is_no_counter() -> None:
    assert from_snmp("") == from_snmp6("") == from_softnet("") == from_stat("", "x") == {}
    assert time_wait("") == 0


def test_sockets_in_time_wait() -> None:
    assert time_wait(SOCKSTAT) == 28000
