"""What we print of targets is what iptables-save prints, rule by rule, with both kinds of iptables."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program

SETS = """\
create s hash:ip timeout 5
create t hash:ip
create m hash:ip skbinfo
create s6 hash:ip family inet6 timeout 5
"""
# The table and chain of the rules below, then the rules.
BOTH = """\
* filter INPUT
-j REJECT
-p tcp -j REJECT --reject-with tcp-reset
-j LOG --log-level warning
-j LOG --log-macdecode --log-u --log-ip-options --log-tcp-options --log-tcp-sequence --log-level info --log-prefix "x y"
-j LOG --log-prefix a.b --log-level 0x5
-j NFLOG --nflog-group 0 --nflog-threshold 0
-j NFLOG --nflog-threshold 10 --nflog-size 0 --nflog-group 0x10 --nflog-prefix "a b"
-j NFQUEUE
-j NFQUEUE --queue-cpu-fanout --queue-bypass --queue-balance :4
-j NFQUEUE --queue-balance 1:65535
-j AUDIT --type DROP
-p tcp -j SYNPROXY --ecn --mss 1460 --wscale 7 --timestamp --sack-perm
-j RATEEST --rateest-name r1 --rateest-interval 100ms --rateest-ewma 1s
-j RATEEST --rateest-name r2 --rateest-interval 8s --rateest-ewmalog 60s
-j RATEEST --rateest-name r3 --rateest-interval 250ms --rateest-ewmalog 1000s
-j RATEEST --rateest-name r4 --rateest-interval 250000 --rateest-ewmalog 500MSECS
-j IDLETIMER --alarm --label policyc-a --timeout 42
-j IDLETIMER --label policyc-b --timeout 2147482
-j HMARK --hmark-offset 7 --hmark-tuple ct,src,dst,sport,dport,proto --hmark-rnd 4 --hmark-mod 10
-j HMARK --hmark-tuple spi --hmark-spi 80 --hmark-proto-mask 5 --hmark-rnd 0xfeedcafe --hmark-mod 10
-j HMARK --hmark-src-prefix 24 --hmark-sport-mask 0xff --hmark-dport 81 --hmark-rnd 4 --hmark-mod 1
* mangle FORWARD
-j MARK --set-mark 1/2
-j MARK --set-mark 0x3/0x1
-j MARK --set-xmark 0x3/0x1
-j MARK --and-mark 0xff
-j MARK --or 010
-j MARK --xor-mark 0xff
-j CONNMARK --set-mark 1/2
-j CONNMARK --set-mark 1/2 --mask 0xff
-j CONNMARK --mask 0xff --set-mark 1/2
-j CONNMARK --and-mark 1 --left-shift-mark 4
-j CONNMARK --save --mask 255
-j CONNMARK --ctmask 0xff --restore --right-shift-mark 31
-j TOS --set-tos minimize-delay
-j TOS --set-tos 16
-j TOS --and-tos 0x3f
-j TOS --or-tos 0x3f
-j TOS --xor-tos 0x3f
-j DSCP --set-dscp 010
-j DSCP --set-dscp-class af43
-j DSCP --set-dscp-class BE
-p tcp --syn -j TCPMSS --set-mss 0x500
-p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp
-p tcp --tcp-flags ACK SYN -j TCPMSS --set-mss 1
-p tcp -j TCPOPTSTRIP
-p tcp -j TCPOPTSTRIP --strip-options md5,wscale,0x10,255,mss
-j CHECKSUM --checksum-fill
-j CLASSIFY --set-class 0x1:aBcd
-j CONNSECMARK --save
-j CONNSECMARK --restore
* raw PREROUTING
-j NOTRACK
-j CT
-j CT --notrack --zone 0x10
-j CT --zone-orig 0
-j CT --zone-orig mark
-j CT --zone-reply 3
-j CT --zone-orig 7 --zone-reply 7
-j CT --ctevents mark,new,new
-p tcp -j CT --expevents new --ctevents secmark,new --zone 3 --helper ftp
-p udp -j CT --helper tftp
-j TRACE
* nat POSTROUTING
-j MASQUERADE
-p tcp -j MASQUERADE --random-fully --random --to 80-80
-p udp -j MASQUERADE --to-ports ftp-data
* nat PREROUTING
-j REDIRECT
-p tcp -j REDIRECT --random --to http-alt
-p icmp -j REDIRECT --to-ports 0-10
"""
IPV4 = """\
* filter INPUT
-j REJECT --reject-with net-unreach
-j REJECT --reject-with ICMP-Host
-j REJECT --reject-with admin-prohib
-p tcp -j REJECT --reject-with tcp-rst
-j TEE --oif lo --gateway 192.0.2.1
-j SET --timeout 0x10 --exist --add-set s src
-j SET --del-set t dst,src --add-set s src
* mangle FORWARD
-p tcp -j ECN --ecn-tcp-remove
-p tcp -j ECN --ecn-ip-ect 2 --ecn-tcp-cwr 0 --ecn-tcp-ece 1
-p tcp -j ECN --ecn-tcp-remove --ecn-ip-ect 1
-j ECN --ecn-ip-ect 3
-j TTL --ttl-set 0
-j TTL --ttl-dec 1
-j TTL --ttl-inc 0x10
-j SET --map-queue --map-prio --map-mark --map-set m src
-j SET --map-set m src --map-mark --add-set s src --exist --timeout 5
* mangle PREROUTING
-p tcp -j TPROXY --on-port http
-p udp -j TPROXY --tproxy-mark 0x3/0x1 --on-ip 192.0.2.1 --on-port 0
* nat PREROUTING
-j DNAT --to 192.0.2.1-192.0.2.1
-p tcp -j DNAT --persistent --random --to 192.0.2.1-192.0.2.5:0x50-90/http
-p udp -j DNAT --to-destination :10-20/30
-p sctp -j DNAT --to-destination 192.0.2.1:80-80
-j NETMAP --to 192.0.2.5/24
-j NETMAP --to 192.0.2.5
* nat POSTROUTING
-j SNAT --to 192.0.2.1-192.0.2.5 --persistent --random-fully --random
-p tcp -j SNAT --to-source :1024-2048
-j NETMAP --to 192.0.2.0/255.255.255.0
"""
IPV6 = """\
* filter INPUT
-j REJECT --reject-with no-route
-j REJECT --reject-with adm-prohibited
-j REJECT --reject-with icmp6-addr
-j REJECT --reject-with policy-fail
-j REJECT --reject-with reject-route
-j TEE --gateway 2001:db8::1
-j SET --add-set s6 src --exist
* mangle FORWARD
-j HL --hl-set 0
-j HL --hl-dec 1
-j HL --hl-inc 0x10
* mangle PREROUTING
-p tcp -j TPROXY --on-port 80
-p udp -j TPROXY --on-port 80 --on-ip 2001:db8::1 --tproxy-mark 0x23/0xff
-j DNPT --dst-pfx fd00:1::/64 --src-pfx 2001:db8::/48
* mangle POSTROUTING
-j SNPT --src-pfx 2001:db8::/ffff:ffff:: --dst-pfx fd00:1::/32
* nat PREROUTING
-j DNAT --to [2001:db8::1]
-p tcp -j DNAT --to-destination [2001:db8::1-2001:db8::9]:80-90/100 --random
-p udp -j DNAT --to-destination 2001:db8::1:80
-j DNAT --to-destination ::ffff:192.0.2.1
-j NETMAP --to 2001:db8::5/64
* nat POSTROUTING
-p tcp -j SNAT --to-source [2001:db8::1]:1024 --persistent
-p tcp -j SNAT --to-source :1024
"""


def tables(text: str) -> dict[str, list[str]]:
    """The rules of each table, as `-A CHAIN …` lines."""
    found: dict[str, list[str]] = {}
    table = chain = ""
    for line in text.splitlines():
        if line.startswith("* "):
            _, table, chain = line.split()
        else:
            found.setdefault(table, []).append(f"-A {chain} {line}")
    return found


def dump(rules: dict[str, list[str]]) -> str:
    return "".join("\n".join([f"*{table}", *lines, "COMMIT", ""]) for table, lines in rules.items())


def lines(text: str) -> list[str]:
    return sorted(line for line in text.splitlines() if line.startswith("-A"))


def saved(namespace: Namespace, backend: Backend, family: int, text: str) -> list[str]:
    done = namespace.run([backend.tool(family, "restore")], text)
    assert done.code == 0, done.err
    return lines(namespace.run([backend.tool(family, "save")]).out)


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize(("family", "own"), [(4, IPV4), (6, IPV6)])
def test_each_rule_is_printed_as_iptables_save_prints_it(
    namespace: Namespace, family: int, own: str, backend: Backend
) -> None:
    assert namespace.run([program("ipset", "ipset"), "restore"], SETS).code == 0
    rules = tables(BOTH)
    for table, more in tables(own).items():
        rules.setdefault(table, []).extend(more)
    text = dump(rules)
    printed = api.iptables_save(api.load(text, family=family), family)
    assert lines(printed) == saved(namespace, backend, family, text)
    assert lines(printed) == saved(namespace, backend, family, printed)
