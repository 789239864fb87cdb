"""What we print of matches on connections, hosts, rates, lists and clocks is what iptables-save prints; where they may stand."""

from __future__ import annotations

import pytest
from test_save_targets import dump, lines, saved, tables
from test_target_places import PLACES, allowed, loads

from policyc import api
from policyc.kernel.loading import Backend
from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import program

SETS = """\
create names{family} hash:ip,port family {inet} counters
create nets{family} hash:net family {inet}
"""
# The table and chain of the rules below, then the rules.
BOTH = """\
* filter FORWARD
-j RATEEST --rateest-name R1 --rateest-interval 250ms --rateest-ewmalog 500ms
-j RATEEST --rateest-name R2 --rateest-interval 250ms --rateest-ewmalog 500ms
-m conntrack --ctstate DNAT,SNAT,UNTRACKED,ESTAB,rel,N,INV
-m conntrack ! --ctstate NEW --ctproto tcp --ctdir reply --ctexpire 10: ! --ctstatus CONF,NONE,expected
-m conntrack --ctstatus NONE
-m conntrack ! --ctrepldstport 4:4 --ctreplsrcport :4 --ctorigdstport : --ctorigsrcport http:8080
-m state ! --state new,established
-m addrtype ! --dst-type LOCAL,MULTICAST --src-type UN
-m addrtype --dst-type LOCAL --limit-iface-in
-m addrtype --limit-iface-out --dst-type LOCAL ! --src-type UNICAST
-m mark ! --mark 010/0xFF
-m connmark --mark 0x1ff/0xff
-m connlabel ! --label 0x3 --set
-m helper ! --helper ftp-2121
-m helper --helper "a b"
-m connbytes --connbytes : --connbytes-dir both --connbytes-mode avgpkt
-m connbytes ! --connbytes 0x10:20 --connbytes-dir reply --connbytes-mode bytes
-m connbytes --connbytes 5:18446744073709551615 --connbytes-dir original --connbytes-mode packets
-m connlimit ! --connlimit-upto 3
-m connlimit --connlimit-upto 0 --connlimit-daddr --connlimit-mask 24
-m devgroup ! --src-group 5/6 --dst-group 3/0xffffffff
-m policy --dir in
-m policy --dir out --pol none
-m policy --strict --reqid 1 --next --proto ah ! --spi 0x1f --next --mode tunnel --dir in
-m quota ! --quota 0x10
-m limit
-m limit --limit 90/min --limit-burst 5
-m limit --limit 24/day --limit-burst 7
-m limit --limit 6000/sec
-m hashlimit --hashlimit-name a1 ! --hashlimit 5/d --hashlimit-burst 1
-m hashlimit --hashlimit-name a2 --hashlimit-upto 300000/sec --hashlimit-mode dstport,srcip,dstip,srcport
-m hashlimit --hashlimit-name a3 --hashlimit-upto 60/min --hashlimit-srcmask 31 --hashlimit-dstmask 0
-m hashlimit --hashlimit-name a4 --hashlimit-upto 90/min --hashlimit-rate-match
-m hashlimit --hashlimit-name a5 --hashlimit-above 5/h --hashlimit-rate-match --hashlimit-rate-interval 9
-m hashlimit --hashlimit-name a6 --hashlimit-upto 1025b/sec --hashlimit-htable-expire 15000
-m hashlimit --hashlimit-name a7 --hashlimit-upto 4kb/s --hashlimit-burst 400000 --hashlimit-htable-expire 15000
-m hashlimit --hashlimit-name a8 --hashlimit-upto 24000mb/s --hashlimit-htable-size 20 --hashlimit-htable-max 30
-m hashlimit --hashlimit-name a9 --hashlimit-upto 123456b/s --hashlimit-burst 1mb --hashlimit-htable-gcinterval 40
-m rateest --rateest R1 ! --rateest-lt --rateest-bps 5MBps
-m rateest --rateest R1 --rateest-eq --rateest-pps 0x10
-m rateest --rateest R1 --rateest-delta --rateest-gt --rateest-bps2 16bit
-m rateest --rateest2 R2 --rateest-bps ! --rateest-lt --rateest R1
-m rateest --rateest-delta --rateest1 R1 --rateest-pps1 1 --rateest-eq --rateest2 R2
-m statistic --probability .1 --mode random
-m statistic --mode random ! --probability 0.33333
-m statistic --packet 1 ! --every 0x3 --mode nth
-m recent ! --set --name list1
-m recent --rdest --rttl --hitcount 4 --reap --name list2 --seconds 0x3c --update
-m time
-m time --timestop 1:2:3 ! --weekdays Mon --monthdays 31,2 --datestart 2020-5 --localtz
-m time --contiguous --timestart 23:00 --timestop 01:00 --datestop 2020-5-1T10:11
-m set ! --match-set names{family} src,dst --update-counters ! --update-subcounters
-m set --set nets{family} src --bytes-lt 5 ! --packets-eq 0x10 --return-nomatch
* filter OUTPUT
-m owner --uid-owner root --gid-owner 5:5 --suppl-groups ! --socket-exists
-m owner ! --gid-owner 7-9
-m cgroup ! --cgroup 0x100001
-m cgroup --path /
* mangle PREROUTING
-m socket --restore-skmark --nowildcard --transparent
-m rpfilter --invert --accept-local --validmark --loose
"""
OWN = {
    4: """\
* filter INPUT
-m conntrack --ctorigsrc 1.1.1.7/255.255.255.0 ! --ctrepldst 10.0.0.0/8 --ctorigdst 1.2.3.4/32
-m addrtype --src-type UNSPEC,UNICAST,LOCAL,BROADCAST,ANYCAST,MULTICAST,BLACKHOLE,UNREACHABLE,PROHIBIT,THROW,NAT
-m connlimit --connlimit-above 3 --connlimit-mask 255.255.0.0
-m hashlimit --hashlimit-name a10 --hashlimit-upto 1/s --hashlimit-srcmask 255.255.0.0 --hashlimit-dstmask 32
-m recent --remove --mask 255.255.0.255
-m policy --dir in --mode tunnel --tunnel-src 10.1.2.3/8 ! --tunnel-dst 1.2.3.4
""",
    6: """\
* filter INPUT
-m conntrack --ctorigsrc 2001:db8::1/64 ! --ctreplsrc ::/0
-m addrtype --src-type UNSPEC,UNICAST,LOCAL,ANYCAST,MULTICAST,UNREACHABLE
-m connlimit --connlimit-above 3 --connlimit-mask ffff::
-m hashlimit --hashlimit-name a10 --hashlimit-upto 1/s --hashlimit-srcmask 128 --hashlimit-dstmask 32
-m recent --remove --mask ffff:ffff::
-m policy --dir in --tunnel-src 2001:db8::1/32 ! --mode transport
""",
}
WHERE = """\
-m conntrack --ctstate NEW
-m addrtype --dst-type LOCAL
-m addrtype --dst-type LOCAL --limit-iface-in
-m addrtype --dst-type LOCAL --limit-iface-out
-m owner --uid-owner 5
-m cgroup --cgroup 5
-m devgroup --src-group 5
-m devgroup --dst-group 5
-m devgroup --dst-group 5 --src-group 5
-m policy --dir in --pol ipsec
-m policy --dir out --pol ipsec
-m socket
-m rpfilter
-m connmark --mark 5
-m connlabel --label 5
-m helper --helper ftp
-m connbytes --connbytes 5 --connbytes-mode bytes --connbytes-dir both
-m connlimit --connlimit-above 5
-m limit
-m hashlimit --hashlimit-upto 5/sec --hashlimit-name five
-m recent --set
-m set --match-set nets{family} src
-m time
""".splitlines()
# Loaded by nobody, although the words are right.
REFUSED = {
    4: """\
-m recent --set --hitcount 5
-m recent --rcheck --hitcount 65536
-m recent --set --name a/b
-m connlabel --label 128
-m hashlimit --hashlimit-upto 3/day --hashlimit-burst 10 --hashlimit-name r
-m hashlimit --hashlimit-upto 10000000/min --hashlimit-rate-match --hashlimit-name r
-m hashlimit --hashlimit-upto 5/s --hashlimit-htable-expire 0 --hashlimit-name r
-m hashlimit --hashlimit-upto 5/s --hashlimit-srcmask 33 --hashlimit-name r
-m cgroup --cgroup 1 --path /
-m cgroup
""".splitlines(),
    6: """\
-m addrtype --dst-type BROADCAST
-m addrtype --dst-type BLACKHOLE
-m addrtype ! --dst-type PROHIBIT
-m addrtype --src-type THROW
""".splitlines(),
}


def make_sets(namespace: Namespace, family: int) -> None:
    text = SETS.format(family=family, inet="inet" if family == 4 else "inet6")
    assert namespace.run([program("ipset", "ipset"), "restore"], text).code == 0


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("family", [4, 6])
def test_each_rule_is_printed_as_iptables_save_prints_it(namespace: Namespace, family: int, backend: Backend) -> None:
    make_sets(namespace, family)
    rules = tables(BOTH.format(family=family))
    for table, more in tables(OWN[family]).items():
        rules.setdefault(table, []).extend(more)
    text = dump(rules)
    printed = api.iptables_save(api.load(text, family=family), family)
    assert lines(printed) == saved(namespace, backend, family, text)
    assert lines(printed) == saved(namespace, backend, family, printed)


@pytest.mark.parametrize("family", [4, 6])
def test_places(namespace: Namespace, family: int) -> None:
    make_sets(namespace, family)
    wrong = []
    for rule in (line.format(family=family) for line in WHERE):
        for table, chain in PLACES:
            text = f"*{table}\n:{chain} ACCEPT [0:0]\n-A {chain} {rule}\nCOMMIT\n"
            if (mine := allowed(family, text)) is not loads(namespace, family, text):
                wrong.append(f"{table} {chain} {rule}: {'allowed' if mine else 'refused'} here only")
    assert not wrong


@pytest.mark.parametrize(("family", "rule"), [(family, rule) for family, rules in REFUSED.items() for rule in rules])
def test_what_the_kernel_refuses_is_refused_here(namespace: Namespace, family: int, rule: str) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n"
    assert not loads(namespace, family, text)
    with pytest.raises(api.InputError):
        api.load(text, family=family)


@pytest.mark.parametrize("family", [4, 6])
def test_a_range_that_iptables_save_loses_is_kept(namespace: Namespace, family: int) -> None:
    rule = "-A FORWARD -m connbytes --connbytes {} --connbytes-mode bytes --connbytes-dir both"
    text = dump({"filter": [rule.format("0:0")]})
    (mine,) = lines(api.iptables_save(api.load(text, family=family), family))
    assert mine == rule.format("0:0")
    assert saved(namespace, Backend.LEGACY, family, text) == [rule.format("0")]
