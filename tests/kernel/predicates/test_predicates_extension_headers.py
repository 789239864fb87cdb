"""IPv6's extension headers, and the protocol behind them."""

from __future__ import annotations

from itertools import product

import pytest
from bench import judged
from packet_bytes import Described
from packet_site import HOST, SITE, arriving, leaving, ports, states, tcp
from polarity import expect_both

from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace

ROWS = [
    "-m hbh", "-m dst", "-m rt", "-m ah", "-m ah --ahspi 256:300", "-m ah ! --ahspi 256:300", "-p esp -m esp",
    *(f"-m ipv6header {mark}--header {names}{soft}"
      for names in ("hop-by-hop,protocol", "ipv6-opts,protocol", "ipv6-route,protocol", "ah,protocol", "esp", "protocol", "ipv6-nonxt")
      for mark, soft in product(("", "! "), ("", " --soft"))),
    "-m ipv6header --header hop,dst,route,prot", "-m ipv6header ! --header hop,dst,route,prot",
    "-p mobility-header -m mh", "-p mobility-header -m mh --mh-type 1:3", "-p mobility-header -m mh ! --mh-type 1:3",
    "-p 59",
]  # fmt: skip
# nft takes the authentication header for the protocol, what is behind it is out of sight.
LEGACY_ONLY = ["-p tcp -m tcp --dport 80", "! -p tcp"]


def packets() -> list[Described]:
    chains = (["frag"], ["hop"], ["dst"], ["route"], ["auth"], ["hop", "dst", "route"], ["hop", "dst", "route", "auth"])
    found = states(6)
    for n, headers in enumerate(chains):
        extra = {"headers": headers, "spi": 256 + 40 * n % 60} if "auth" in headers else {"headers": headers}
        found += [
            arriving(6, "tcp", **tcp(1500 + n, 80), **extra),
            arriving(6, "tcp", **tcp(1520 + n, 80, "FIN"), **extra),
            arriving(6, "udp", **ports(2500 + n, 53), **extra, dst=HOST[6]),
            leaving(6, "udp", **ports(3500 + n, 53), **extra),
        ]
    for n, spi in enumerate((255, 256, 300, 301)):
        found += [arriving(6, "tcp", **tcp(1540 + n, 81, flags), headers=["auth"], spi=spi) for flags in ("SYN", "FIN")]
    found += [arriving(6, "mobility-header", mh_type=kind) for kind in (0, 1, 3, 4)]
    found += [arriving(6, "ipv6-nonxt"), arriving(6, "esp", spi=5), arriving(6, "ipv6-nonxt", headers=["hop"])]
    return found


LACKS = {
    **{
        f"-m ipv6header {mark}--header ipv6-nonxt{soft}": f"{how} with entry: there is nothing to track"
        for mark, how in (("", "match"), ("! ", "no match"))
        for soft in ("", " --soft")
    },
    "-p 59": "match with entry: there is nothing to track",
}


@pytest.mark.parametrize("backend", list(Backend))
def test_extension_headers(namespace: Namespace, backend: Backend) -> None:
    rows = [*ROWS, *(LEGACY_ONLY if backend is Backend.LEGACY else ())]
    answers = judged(namespace, backend, 6, SITE, rows, packets())
    expect_both(answers, LACKS)
