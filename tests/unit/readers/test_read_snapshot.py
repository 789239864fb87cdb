"""A snapshot becomes a Ruleset with its host; everything wrong in it is said at its place in the JSON, all at once."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from policyc import api
from policyc.diagnostics import Diagnostic, InputError, Severity
from policyc.host.host import LOCAL, MAIN, RouteKind
from policyc.net.addresses import parse_address
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.snapshot import read_snapshot
from policyc.source import Source
from policyc.writers.json_layout import laid_out

DROP = ["*filter", ":INPUT DROP [0:0]", "COMMIT"]
HOST: dict[str, Any] = {
    "format_version": "1.0",
    "kernel": "6.18.0",
    "iptables": {
        "nft": {
            "ipv4": ["*filter", ":INPUT ACCEPT [0:0]", "-A INPUT -m set --match-set bad src -j DROP", "COMMIT"],
            "ipv6": ["*filter", ":INPUT ACCEPT [0:0]", "COMMIT"],
        }
    },
    "sets": ["create bad hash:net family inet maxelem 100", "add bad 192.0.2.0/24 nomatch", "add bad 192.0.0.0/16"],
    "links": [
        {"name": "lo", "mtu": 65536},
        {"name": "eth0", "mac": "02:00:00:00:00:01", "group": 3},
        {"name": "eth1", "up": False},
    ],
    "addresses": [
        {"link": "lo", "address": "127.0.0.1/8", "scope": "host"},
        {"link": "eth0", "address": "203.0.113.2/24"},
        {"link": "eth0", "address": "203.0.113.3/24", "flags": ["secondary"]},
        {"link": "eth0", "address": "2001:db8::2/64"},
        {"link": "eth0", "address": "2001:db8::1/64", "flags": ["deprecated"]},
    ],
    "routes": [
        {"to": "0.0.0.0/0", "via": "203.0.113.1", "dev": "eth0", "metric": 7},
        {"to": "203.0.113.2/32", "type": "local", "table": 255, "dev": "eth0", "source": "203.0.113.2", "kernel": True},
        {"to": "2001:db8:9::/48", "type": "blackhole", "metric": 1024},
    ],
    "routing_rules": {"ipv4": ["pref 0 lookup 255", "pref 5 fwmark 0x2/0xf prohibit", "pref 32766 lookup 254"]},
    "groups": [{"link": "eth0", "group": "239.1.1.1"}],
    "neighbours": [{"link": "eth0", "address": "203.0.113.1", "mac": "02:00:00:00:00:99"}],
    "sysctls": {"net.ipv4.ip_forward": "1"},
}


def changed(**keys: Any) -> dict[str, Any]:
    return {**copy.deepcopy(HOST), **keys}


def read(value: Any, backend: str | None = None) -> Ruleset:
    return read_snapshot(Source("host.json", laid_out(value)), backend)


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_snapshot(Source("host.json", text))
    return [f"{one.span}: {one.code}: {one.message}" for one in caught.value.diagnostics]


def wrong(value: Any) -> list[tuple[str, str]]:
    """The text that each error points at, and its message."""
    with pytest.raises(InputError) as caught:
        read(value)
    return [(one.span.text if one.span else "", one.message) for one in caught.value.diagnostics]


def notes(value: Any) -> list[Diagnostic]:
    return list(read(value).notes)


# ---------------------------------------------------------------------- what it means
def test_the_host() -> None:
    host = read(HOST).host
    assert host is not None
    assert [one.name for one in host.interfaces] == ["lo", "eth0", "eth1"]
    eth0 = host.interfaces[1]
    assert (eth0.mac, eth0.peer_mac, eth0.group, eth0.up) == (0x020000000001, 0x020000000099, 3, True)
    assert not host.interfaces[2].up
    # IPv4 as the kernel lists them; IPv6, of which the kernel lists the newest first, in the order in which they came.
    addresses = ["203.0.113.2", "203.0.113.3", "2001:db8::1", "2001:db8::2"]
    assert [one.address for one in eth0.addresses] == [
        parse_address(text, 6 if ":" in text else 4) for text in addresses
    ]
    assert [one.deprecated for one in eth0.addresses] == [False, False, True, False]
    assert [(one.kind, one.table, one.derived, one.device) for one in host.routes] == [
        (RouteKind.UNICAST, MAIN, False, "eth0"),
        (RouteKind.LOCAL, LOCAL, True, "eth0"),
        (RouteKind.BLACKHOLE, MAIN, False, ""),
    ]
    assert host.routes[0].metric == 7
    assert [(rule.preference, rule.mark, rule.mark_mask) for rule in host.rules] == [
        (0, 0, 0),
        (5, 2, 15),
        (32766, 0, 0),
    ]
    assert host.groups == {("eth0", 4, parse_address("239.1.1.1", 4))}
    assert host.sysctls.forwards(4, "eth0")
    assert list(host.sets) == ["bad"]


def test_the_rules_and_sets() -> None:
    ruleset = read(HOST)
    assert ruleset.notes == ()
    assert ruleset.families == (4, 6)
    (one,) = ruleset.sets
    assert (one.name, one.kind, one.family, one.options) == ("bad", "hash:net", 4, "family inet maxelem 100")
    assert one.members == ("192.0.2.0/24 nomatch", "192.0.0.0/16")
    assert api.check(ruleset).diagnostics == ()


def test_a_rule_stands_at_its_line_of_the_json() -> None:
    text = laid_out(HOST)
    (found,) = [rule for _, _, _, rule in read(HOST).rules()]
    assert found.span is not None
    assert found.span.source.name == "host.json"
    assert "--match-set" in text.splitlines()[found.span.line - 1]


def test_a_rule_in_json_of_one_line_names_its_place() -> None:
    (found,) = [rule for _, _, _, rule in api.load(json.dumps(HOST) + "\n", name="host.json").rules()]
    assert str(found.span) == "host.json (iptables.nft.ipv4):3:1"


def test_a_set_of_no_family_serves_rules_of_both() -> None:
    rule = "-A INPUT -p tcp -m set --match-set ports dst -j DROP"
    texts = {family: ["*filter", ":INPUT ACCEPT [0:0]", rule, "COMMIT"] for family in ("ipv4", "ipv6")}
    ruleset = read(changed(iptables={"nft": texts}, sets=["create ports bitmap:port range 1-99", "add ports 22"]))
    assert api.check(ruleset).diagnostics == ()


def test_connections() -> None:
    ends = {
        "original": {"src": "203.0.113.9", "dst": "203.0.113.2"},
        "reply": {"src": "10.0.0.5", "dst": "203.0.113.9"},
    }
    tcp = {
        "original": {**ends["original"], "sport": 5000, "dport": 80},
        "reply": {**ends["reply"], "sport": 8080, "dport": 5000},
    }
    ping = {
        "original": {**ends["original"], "id": 7, "type": 8, "code": 0},
        "reply": {**ends["reply"], "id": 7, "type": 0},
    }
    given = [
        {"proto": 6, **tcp, "status": 0x2E, "mark": 5, "tcp_state": "ESTABLISHED"},
        {"proto": 1, **ping, "status": 8},
        {"proto": 17, **tcp, "status": 8, "zone": 4},
    ]
    ruleset = read(changed(connections=given))
    assert ruleset.host is not None
    first, second = ruleset.host.connections
    assert first.original == (parse_address("203.0.113.9", 4), parse_address("203.0.113.2", 4), 5000, 80)
    assert (first.reply.sport, first.status, first.mark, first.tcp_state) == (8080, 0x2E, 5, "ESTABLISHED")
    assert (second.original.sport, second.original.dport, second.reply.dport) == (7, 8 << 8, 0)
    assert [one.message for one in ruleset.notes] == ["a connection of a conntrack zone is left out"]


# ---------------------------------------------------------------------- whose rules
def test_the_kind_of_iptables_that_does_something_is_read() -> None:
    idle = {"ipv4": ["*filter", ":INPUT ACCEPT [0:0]", "COMMIT"]}
    ruleset = read(changed(iptables={"nft": idle, "legacy": {"ipv4": DROP}}))
    table = ruleset.table(4, "filter")
    assert table is not None
    assert table.chains[0].policy == "DROP"
    assert ruleset.notes == ()


def test_where_both_have_rules_one_is_read_and_it_is_said() -> None:
    both = changed(iptables={"nft": HOST["iptables"]["nft"], "legacy": {"ipv4": DROP}})
    (warning,), (info,) = read(both).notes, read(both, "legacy").notes
    assert (warning.name, warning.severity) == ("two-backends", Severity.WARNING)
    assert "only those of iptables-nft are read" in warning.message
    assert (info.name, info.severity) == ("two-backends", Severity.INFO)
    assert [len(list(read(both, name).rules())) for name in ("nft", "legacy")] == [1, 0]


def test_a_kind_that_the_host_does_not_have() -> None:
    with pytest.raises(InputError, match=r"no rules of iptables-legacy; it has those of nft"):
        read(HOST, "legacy")


def test_a_host_without_rules() -> None:
    ruleset = read(changed(iptables={}, sets=[]))
    assert ruleset.tables == ()
    assert ruleset.host is not None


def test_rules_that_iptables_does_not_show() -> None:
    comment = "# Table `nat' contains incompatible base-chains, use 'nft' tool to list them."
    found = notes(changed(nftables=["inet x"], iptables={"nft": {"ipv4": [*DROP, comment]}}))
    assert [one.name for one in found] == ["unseen-rules", "unseen-rules"]


# ---------------------------------------------------------------------- what a Host does not hold
@pytest.mark.parametrize(
    ("keys", "said", "severity"),
    [
        ({"routes": [{"to": "10.0.0.0/8", "hops": [{"via": "203.0.113.1", "dev": "eth0"}, {"dev": "eth1"}]}]},
         "several next hops", Severity.WARNING),
        ({"routes": [{"to": "10.0.0.0/8"}]}, "names no interface is left out", Severity.WARNING),
        ({"routes": [{"to": "10.0.0.0/8", "dev": "eth0", "type": "nat"}]}, "type `nat`", Severity.WARNING),
        ({"routes": [{"to": "10.0.0.0/8", "dev": "eth0", "encap": "mpls"}]}, "tunnel", Severity.WARNING),
        ({"routes": [{"to": "fd00::/8", "dev": "eth0", "only_from": "fd01::/16"}]}, "one source network", Severity.WARNING),
        ({"routes": [{"to": "fd00::/8", "dev": "eth0", "preference": "low"}]}, "router preference", Severity.WARNING),
        ({"routes": [{"to": "10.0.0.0/8", "dev": "eth0", "mtu": 1300}]}, "own MTU", Severity.INFO),
        ({"routes": [{"to": "10.0.0.0/8", "dev": "eth0", "via": "fe80::1"}]}, "other family", Severity.INFO),
        ({"routing_rules": {"ipv4": ["pref 7 l3mdev"]}}, "with `l3mdev` is left out", Severity.WARNING),
        ({"links": [*HOST["links"], {"name": "br0", "kind": "bridge"}, {"name": "p1", "master": "br0"}]},
         "port of a bridge", Severity.INFO),
        ({"links": [*HOST["links"], {"name": "red", "kind": "vrf"}, {"name": "p1", "master": "red"}]},
         "interface of a VRF", Severity.WARNING),
        ({"addresses": [{"link": "eth0", "address": "fe80::1/64", "flags": ["tentative"]}]}, "tentative", Severity.INFO),
    ],
)  # fmt: skip
def test_what_a_host_does_not_hold_is_said(keys: dict[str, Any], said: str, severity: Severity) -> None:
    (found,) = notes(changed(**keys))
    assert said in found.message
    assert (found.name, found.severity) == ("simplified-host", severity)


def test_the_same_is_said_once() -> None:
    (found,) = notes(changed(routes=[{"to": "10.0.0.0/8", "dev": "eth0", "mtu": size} for size in (1300, 1400, 1500)]))
    assert found.message.endswith("(3 times; this is the first)")
    assert found.span is not None
    assert found.span.text == "1300"


def test_a_route_over_a_dead_link_is_no_route() -> None:
    down = {"to": "10.0.0.0/8", "dev": "eth0", "flags": ["linkdown"]}
    ignoring = {"net.ipv4.conf.all.ignore_routes_with_linkdown": "1"}

    def routes(**keys: Any) -> int:
        host = read(changed(**keys)).host
        assert host is not None
        return len(host.routes)

    assert routes(routes=[down]) == 1
    assert routes(routes=[down], sysctls=ignoring) == 0
    assert routes(routes=[{**down, "flags": ["dead"]}]) == 0


# ---------------------------------------------------------------------- what is wrong
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n  "format_version": "1.0",\n  kernel\n}\n', "host.json:3:3: PC808: this is no JSON: expecting property name"),
        ('{"format_version": "1.0"', "host.json:1:25: PC808: this is no JSON: expecting ',' delimiter"),
        ('{"a": NaN}', "host.json:1:1: PC808: `host.json` is no JSON that can be read: `NaN` is no number of JSON"),
        ('{"a": 1,\n "b": {"c": 1, "c": 2}}', "host.json:2:16: PC808: the key `b.c` comes twice"),
        ("[" * 100_000, "host.json:1:1: PC808: `host.json` is no JSON that can be read: it is nested too deeply"),
        ("{}", "host.json:1:1: PC808: `host.json` is JSON, but no snapshot: it has no `format_version`"),
        ('\ufeff{"packets": []}', "host.json:1:2: PC808: `host.json` is JSON, but no snapshot"),
        ('{"format_version":\n"2.0"}', "host.json:2:1: PC808: the format version `2.0` is not read"),
    ],
)  # fmt: skip
def test_json_that_is_no_snapshot(text: str, said: str) -> None:
    (found,) = problems(text)
    assert found.startswith(said)


def test_keys_and_kinds_are_all_reported_at_their_places() -> None:
    value = changed(rotes=[], kernel=6, links=[{"name": "lo", "mtu": "big"}, {"mac": None, "grup": 1}])
    del value["routing_rules"]
    assert wrong(value) == [
        ("{", "the key `routing_rules` is missing"),
        ("6", "`kernel`: a text is expected"),
        ('"big"', "`links[0].mtu`: a whole number is expected"),
        ('{"mac": null, "grup": 1}', "the key `links[1].name` is missing"),
        ('"grup"', "a snapshot has no key `links[1].grup`"),
        ('"rotes"', "a snapshot has no key `rotes`"),
    ]
    with pytest.raises(InputError) as caught:
        read(value)
    assert [one.help for one in caught.value.diagnostics if one.help] == [
        "did you mean `group`?",
        "did you mean `routes`?",
    ]


def test_values_are_all_reported_at_their_places() -> None:
    value = changed(
        addresses=[{"link": "eth7", "address": "203.0.113.2/24"}, {"link": "eth0", "address": "203.0.113.2/33"}],
        routes=[{"to": "10.0.0.1/8", "dev": "eth0"}, {"to": "10.0.0.0/8", "dev": "eth0", "via": "10.0.0"}],
        routing_rules={"ipv4": ["pref 1 lokup 7", "lookup 7"]},
        neighbours=[{"link": "eth0", "address": "203.0.113.1", "mac": "02:00"}],
        groups=[{"link": "eth0", "group": "all"}],
    )
    found = wrong(value)
    assert [text for text, _ in found] == [
        '"eth7"', '"203.0.113.2/33"', '"10.0.0.1/8"', '"10.0.0"', '"pref 1 lokup 7"', '"lookup 7"', '"all"', '"02:00"',
    ]  # fmt: skip
    assert found[0][1] == "`addresses[0].link`: `eth7` is none of the snapshot's links"
    assert found[2][1] == "`routes[0].to`: `10.0.0.1/8` has address bits behind its prefix"
    assert found[5][1] == "`routing_rules.ipv4[1]`: the routing rule `lookup 7` has no `pref`"


def test_rules_and_sets_that_cannot_be_read() -> None:
    value = changed(sets=["create bad hash:nets", "add"])
    value["iptables"]["nft"]["ipv4"][2] = "-A INPUT --dport 1 -j DROP"
    value["iptables"]["nft"]["ipv6"].insert(1, "-A INPUT -p tpc")
    lines = laid_out(value).splitlines()
    for found in problems(laid_out(value)):
        place, code, _ = found.split(": ", 2)
        text = lines[int(place.split(":")[1]) - 1]
        assert code == "PC802"
        assert text.strip().startswith(('"-A INPUT --dport', '"-A INPUT -p tpc', '"create', '"add')), found
    assert len(problems(laid_out(value))) == 4


def test_a_line_end_in_a_rule_is_no_second_rule() -> None:
    value = changed()
    value["iptables"]["nft"]["ipv4"][2] = "-A INPUT -j DROP\n-A INPUT -j ACCEPT"
    ((text, message),) = wrong(value)
    assert text.startswith('"-A INPUT -j DROP')
    assert message == "`iptables.nft.ipv4[2]` holds a line end; each line is a text of its own"


def test_a_link_that_is_there_twice() -> None:
    ((text, message),) = wrong(changed(links=[*HOST["links"], {"name": "eth0"}]))
    assert (text, message) == ('"eth0"', "`links[3].name`: the link `eth0` is there twice")


def test_keys_of_a_newer_minor_version_are_noted() -> None:
    newer = changed(format_version="1.7", wireguard=[1])
    newer["links"][0]["speed"] = 1000
    assert [(one.name, one.message) for one in notes(newer)] == [
        ("simplified-host", "the key `links[0].speed` of a newer version of the format is not read"),
        ("simplified-host", "the key `wireguard` of a newer version of the format is not read"),
    ]
    assert "a whole number is expected" in wrong({**newer, "links": [{"name": "lo", "mtu": "x", "speed": 1}]})[0][1]
