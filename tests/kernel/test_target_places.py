"""Where we allow a target, a kind of iptables loads it; where we refuse it, both refuse."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program
from policyc.netfilter.hooks import BASE_CHAINS

BOTH = """\
-j ACCEPT
-j DROP
-j REJECT
-p tcp -j REJECT --reject-with tcp-reset
-j LOG
-j NFLOG
-j NFQUEUE
-j AUDIT --type drop
-j TRACE
-j MASQUERADE
-j REDIRECT
-j MARK --set-mark 1
-j CONNMARK --save-mark
-j CONNMARK --restore-mark
-j CONNMARK --set-mark 1
-j TOS --set-tos 0x10
-j DSCP --set-dscp 1
-p tcp --syn -j TCPMSS --set-mss 1400
-p tcp --syn -j TCPMSS --clamp-mss-to-pmtu
-p tcp -j TCPOPTSTRIP --strip-options 8
-p tcp -j TPROXY --on-port 80
-j CT --notrack
-j NOTRACK
-j CHECKSUM --checksum-fill
-j CLASSIFY --set-class 1:1
-p tcp -j SYNPROXY
-j CONNSECMARK --save
-j RATEEST --rateest-name R --rateest-interval 250ms --rateest-ewmalog 500ms
-j IDLETIMER --timeout 42 --label policyc-places
-j HMARK --hmark-tuple src --hmark-mod 4 --hmark-rnd 1
-j SET --add-set s{family} src
-j SET --map-set s{family} src --map-mark
-j SET --map-set s{family} src --map-prio
""".splitlines()
OWN = {
    4: """\
-j DNAT --to-destination 192.0.2.1
-j SNAT --to-source 192.0.2.1
-j NETMAP --to 192.0.2.0/24
-p tcp -j ECN --ecn-tcp-remove
-j TTL --ttl-set 64
-j TEE --gateway 192.0.2.1
""".splitlines(),
    6: """\
-j DNAT --to-destination 2001:db8::1
-j SNAT --to-source 2001:db8::1
-j NETMAP --to 2001:db8::/64
-j HL --hl-set 64
-j TEE --gateway 2001:db8::1
-j DNPT --src-pfx 2001:db8::/64 --dst-pfx fd00:1::/64
-j SNPT --src-pfx 2001:db8::/64 --dst-pfx fd00:1::/64
""".splitlines(),
}
PLACES = [(table, chain) for table, chains in BASE_CHAINS.items() for chain in chains]


def loads(namespace: Namespace, family: int, text: str) -> bool:
    return any(namespace.run([backend.tool(family, "restore")], text).code == 0 for backend in Backend)


def allowed(family: int, text: str) -> bool:
    findings = api.check(api.load(text, family=family)).diagnostics
    return not any(found.name in {"wrong-table", "wrong-hook"} for found in findings)


@pytest.mark.parametrize("family", [4, 6])
def test_places(namespace: Namespace, family: int) -> None:
    sets = "create s4 hash:ip skbinfo\ncreate s6 hash:ip family inet6 skbinfo\n"
    assert namespace.run([program("ipset", "ipset"), "restore"], sets).code == 0
    wrong = []
    for rule in (line.format(family=family) for line in BOTH + OWN[family]):
        for table, chain in PLACES:
            text = f"*{table}\n:{chain} ACCEPT [0:0]\n-A {chain} {rule}\nCOMMIT\n"
            if (mine := allowed(family, text)) is not loads(namespace, family, text):
                wrong.append(f"{table} {chain} {rule}: {'allowed' if mine else 'refused'} here only")
    assert not wrong
