"""Fragments, which only rules without a question about connections see: with one the kernel puts them together first."""

from __future__ import annotations

import pytest
from bench import judged, ruleset_of
from packet_bytes import Described, with_length
from packet_site import SITE, UNASKED, arriving, ports, tcp
from polarity import expect_both

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

ROWS = [
    "-p tcp", "! -p udp", "-p tcp -m tcp --dport 80", "-p udp -m udp", "-p udp -m multiport ! --dports 54", "-p esp -m esp ! --espspi 9",
    "-p sctp -m sctp ! --dport 9", "-p dccp -m dccp", "-m length --length 40:60", "-m mark --mark 0",
]  # fmt: skip
# iptables-nft makes comparisons of these that read what a later fragment has in the header's place.
LEGACY_ONLY = ["-p tcp -m tcp ! --dport 80", "-p tcp -m tcp ! --syn", "-p udp -m udp ! --sport 2000"]
IPV4 = ["-f", "! -f", "-p icmp -m icmp ! --icmp-type 9", "-p ah -m ah"]
IPV6 = [
    "-m frag", "-m frag --fragfirst", "-m ipv6header --header frag,prot", "-m ipv6header ! --header frag --soft",
    "-p icmpv6 -m icmp6 ! --icmpv6-type 9", "-m frag --fraglen 8", "-m frag ! --fraglen 8",
]  # fmt: skip


def packets(family: int) -> list[Described]:
    icmp = {"icmp_type": 8, "icmp_id": 5} if family == 4 else {"icmp_type": 128, "icmp_id": 5}
    whole = [
        arriving(family, "tcp", **tcp(1000, 80)),
        arriving(family, "tcp", **tcp(1001, 81, "ACK")),
        arriving(family, "udp", **ports(2000, 53)),
        arriving(family, "udp", **ports(2001, 54)),
        arriving(family, "icmp" if family == 4 else "icmpv6", **icmp),
        arriving(family, "esp", spi=10),
        arriving(family, "sctp", **ports(1, 2, sctp_chunks=[1])),
        arriving(family, "dccp", **ports(1, 2, dccp_type=0)),
        *([arriving(4, "ah", spi=10)] if family == 4 else ()),
    ]
    headers = {"headers": ["frag"]} if family == 6 else {}
    return [*whole, *({**p, "frag": kind, **headers} for p in whole for kind in ("first", "later"))]


LACKS = {
    "-m mark --mark 0": "no match without entry: nothing marks these packets",
}


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_fragments(namespace: Namespace, family: int, backend: Backend) -> None:
    rows = [*ROWS, *(IPV4 if family == 4 else IPV6), *(LEGACY_ONLY if backend is Backend.LEGACY else ())]
    answers = judged(namespace, backend, family, UNASKED, rows, packets(family))
    expect_both(answers, LACKS, tracking=False)


@pytest.mark.parametrize("family", [4, 6])
def test_with_connections_no_answer_is_given(family: int) -> None:
    rules = ruleset_of(SITE, ["-m conntrack --ctstate NEW"], family)
    asked = [{"n": n, **with_length(p)} for n, p in enumerate(packets(family)) if "frag" in p]
    for verdict in api.replay({"topology": SITE.topology, f"rules_v{family}": rules, "packets": asked}):
        assert verdict["verdict"] == "UNSUPPORTED"
        assert "put together" in verdict["reason"]
