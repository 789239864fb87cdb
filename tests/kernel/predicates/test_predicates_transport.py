"""Ports, flags, options, types and chunks of TCP, UDP, SCTP, DCCP, UDP-Lite, ICMP, AH and ESP."""

from __future__ import annotations

import pytest
from bench import judged
from packet_bytes import Described
from packet_site import SITE, answering, arriving, leaving, ports, states, tcp
from polarity import expect_both

from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

ROWS = [
    "-p tcp -m tcp", "-p tcp -m tcp --sport 1000", "-p tcp -m tcp ! --sport 1000", "-p tcp -m tcp --dport 80:90",
    "-p tcp -m tcp ! --dport 80:90", "-p tcp -m tcp --sport 1000:1002 ! --dport 81",
    "-p tcp -m tcp --syn", "-p tcp -m tcp ! --syn", "-p tcp -m tcp --tcp-flags SYN,ACK SYN",
    "-p tcp -m tcp ! --tcp-flags SYN,FIN SYN", "-p tcp -m tcp --tcp-flags ALL NONE", "-p tcp -m tcp ! --tcp-flags FIN NONE",
    "-p tcp -m tcp --tcp-option 4", "-p tcp -m tcp ! --tcp-option 4", "-p tcp -m tcp --tcp-option 2",
    "-p tcp -m tcpmss --mss 1400:1500", "-p tcp -m tcpmss ! --mss 1400:1500", "-p tcp -m tcpmss --mss 536",
    "-p tcp -m ecn --ecn-tcp-ece", "-p tcp -m ecn ! --ecn-tcp-ece", "-p tcp -m ecn --ecn-tcp-cwr", "-p tcp -m ecn ! --ecn-tcp-cwr",
    "-p tcp -m ecn --ecn-tcp-ece ! --ecn-ip-ect 2",
    "-p udp -m udp", "-p udp -m udp --sport 2000:2002", "-p udp -m udp ! --sport 2000:2002", "-p udp -m udp --dport 53",
    "-p udp -m udp ! --dport 53",
    "-p sctp -m sctp", "-p sctp -m sctp --sport 4000", "-p sctp -m sctp ! --sport 4000", "-p sctp -m sctp --dport 4100",
    "-p sctp -m sctp ! --dport 4100", "-p sctp -m sctp --chunk-types any DATA,INIT", "-p sctp -m sctp ! --chunk-types any DATA,INIT",
    "-p sctp -m sctp --chunk-types all COOKIE_ECHO,DATA", "-p sctp -m sctp ! --chunk-types all COOKIE_ECHO,DATA",
    "-p sctp -m sctp --chunk-types only INIT", "-p sctp -m sctp ! --chunk-types only INIT",
    "-p sctp -m sctp --chunk-types only NONE", "-p sctp -m sctp --chunk-types any ALL", "-p sctp -m sctp --chunk-types all NONE",
    "-p dccp -m dccp", "-p dccp -m dccp --sport 4300", "-p dccp -m dccp ! --sport 4300", "-p dccp -m dccp --dport 4400",
    "-p dccp -m dccp ! --dport 4400", "-p dccp -m dccp --dccp-types REQUEST,RESPONSE", "-p dccp -m dccp ! --dccp-types REQUEST,RESPONSE",
    "-p dccp -m dccp --dccp-option 37", "-p dccp -m dccp ! --dccp-option 37", "-p dccp -m dccp --dccp-option 2",
    "-p tcp -m multiport --sports 999,1000:1002", "-p tcp -m multiport ! --sports 999,1000:1002",
    "-p tcp -m multiport --dports 80,443", "-p tcp -m multiport ! --dports 80,443", "-p tcp -m multiport --ports 80,1500:1600",
    "-p tcp -m multiport ! --ports 80,1500:1600", "-p udp -m multiport --dports 53,5000", "-p sctp -m multiport --ports 4100",
    "-p dccp -m multiport ! --ports 4300", "-p udplite -m multiport --sports 4500", "-p udplite -m multiport ! --dports 4600",
    "-p esp -m esp", "-p esp -m esp --espspi 256:300", "-p esp -m esp ! --espspi 256:300",
]  # fmt: skip
IPV4 = [
    "-p icmp -m icmp --icmp-type any", "-p icmp -m icmp --icmp-type 8", "-p icmp -m icmp ! --icmp-type 8",
    "-p icmp -m icmp --icmp-type 3/3", "-p icmp -m icmp ! --icmp-type 3/3", "-p icmp -m icmp --icmp-type 3",
    "-p ah -m ah", "-p ah -m ah --ahspi 256:300", "-p ah -m ah ! --ahspi 256:300",
]  # fmt: skip
IPV6 = [
    "-p icmpv6 -m icmp6 --icmpv6-type 128", "-p icmpv6 -m icmp6 ! --icmpv6-type 128", "-p icmpv6 -m icmp6 --icmpv6-type 1/4",
    "-p icmpv6 -m icmp6 ! --icmpv6-type 1/4", "-p icmpv6 -m icmp6 --icmpv6-type 1",
]  # fmt: skip
LACKS = {
    "-p tcp -m tcp --tcp-flags ALL NONE": "match with entry: a segment without flags is INVALID",
    "-p sctp -m sctp --chunk-types only NONE":
        "match with entry, match without entry: the kernel drops what has no chunk when a rule asks for chunks",
}  # fmt: skip
# iptables-nft 1.8.9 makes one comparison of both ports of this rule, which holds unless both are equal.
LEGACY_ONLY = ["-p udp -m udp ! --sport 2000 ! --dport 53"]


def packets(family: int) -> list[Described]:
    both = [
        *states(family),
        arriving(family, "tcp", **tcp(1200, 80, mss=1460, tcp_options=[4, 1, 3])),
        arriving(family, "tcp", **tcp(1201, 81, mss=536)),
        arriving(family, "tcp", **tcp(1202, 80, "SYN,ECE,CWR", tcp_options=[4]), tos=2),
        arriving(family, "tcp", **tcp(1203, 1555, "SYN,ECE", mss=1400), tos=1),
        arriving(family, "tcp", **tcp(1204, 80, "SYN,FIN,CWR")),
        leaving(family, "tcp", **tcp(3200, 443, mss=1500)),
        *(arriving(family, "sctp", **ports(4000 + n, 4100, sctp_chunks=chunks, badsum=False)) for n, chunks in enumerate(CHUNKS)),
        *(leaving(family, "sctp", **ports(4000, 4100 + n, sctp_chunks=chunks)) for n, chunks in enumerate(CHUNKS)),
        arriving(family, "sctp", **ports(4050, 80, sctp_chunks=[1], badsum=False)),
        answering(family, "sctp", **ports(80, 4050, sctp_chunks=[2], badsum=False)),
        arriving(family, "sctp", **ports(4050, 80, sctp_chunks=[10, 0], badsum=False)),
        arriving(family, "tcp", **tcp(1000, 80, "FIN,ACK", seq=1011, ack=5001)),
        leaving(family, "udplite", **ports(4500, 4601)),
        *(arriving(family, "dccp", **ports(4300 + n, 4400 + n, dccp_type=n)) for n in range(10)),
        arriving(family, "dccp", **ports(4310, 4400, dccp_type=0, dccp_options=[37, 2])),
        arriving(family, "dccp", **ports(4311, 4401, dccp_type=2, dccp_options=[2])),
        arriving(family, "udplite", **ports(4500, 4600)),
        arriving(family, "udplite", **ports(4501, 4601)),
        *(arriving(family, "esp", spi=spi) for spi in (255, 256, 300, 301)),
        leaving(family, "esp", spi=256),
    ]  # fmt: skip
    if family == 4:
        both += [arriving(4, "ah", spi=spi) for spi in (255, 256, 300, 301)]
    return both


CHUNKS = ([1], [0], [10, 0], [3], [1, 0], [14], [4], [4, 5])


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_transport(namespace: Namespace, family: int, backend: Backend) -> None:
    rows = [*ROWS, *(IPV4 if family == 4 else IPV6), *(LEGACY_ONLY if backend is Backend.LEGACY else ())]
    answers = judged(namespace, backend, family, SITE, rows, packets(family))
    expect_both(answers, LACKS)
