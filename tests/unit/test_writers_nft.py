"""Native nftables: names, ipsets as named sets, chains that hold what one rule cannot say, and lists that rules share."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policyc import api
from policyc.readers.ipset import read_ipsets
from policyc.readers.topology import host_of_topology
from policyc.source import Source
from policyc.writers.nft import nft_text, nft_translation

FILTER = "*filter\n:INPUT DROP [0:0]\n{}COMMIT\n"


def text_of(*rules: str, ipsets: str = "") -> str:
    """What rules of INPUT become, with these sets on the host."""
    ruleset = api.load(FILTER.format("".join(f"-A INPUT {rule}\n" for rule in rules)))
    if ipsets:
        host = host_of_topology({"interfaces": [], "routes": []})
        ruleset = replace(ruleset, host=replace(host, sets=read_ipsets(Source("sets", ipsets))))
    return nft_text(ruleset)


def chain(text: str, name: str) -> list[str]:
    """The lines of a chain or set."""
    lines = text.split(f" {name} {{\n")[1].split("\n  }\n", 1)[0].splitlines()
    return [line.strip() for line in lines]


def rules(text: str) -> list[str]:
    return chain(text, "chain filter_INPUT")[1:]


def elements(text: str, name: str) -> str:
    return " ".join(chain(text, f"set {name}")).partition("elements = { ")[2].removesuffix(" }")


# ---------------------------------------------------------------- names
def test_the_names_of_chains_stay_different_whatever_is_in_them() -> None:
    names = ["a:b", "a/x3ab", "a b", "a.b", "jump", 'q"']
    declared = "".join(f":{name} - [0:0]\n" if " " not in name and '"' not in name else "" for name in names)
    text = nft_text(api.load(f"*filter\n:INPUT ACCEPT [0:0]\n{declared}COMMIT\n"))
    found = [line.split()[1] for line in text.splitlines() if line.strip().startswith("chain ")]
    assert found == ["filter_INPUT", "filter_a/x3ab", "filter_a/x2fx3ab", "filter_a.b", "filter_jump"]


def test_a_comment_that_nft_cannot_hold_stands_above_its_rule() -> None:
    long = "x" * 200
    assert rules(text_of(f'-m comment --comment "{long}" -j ACCEPT')) == [f"# {long}", "accept"]
    assert rules(text_of('-m comment --comment "plain" -j ACCEPT')) == ['accept comment "plain"']


def test_a_star_in_an_interface_name_is_no_wildcard() -> None:
    assert rules(text_of("-i eth* -j ACCEPT", "-i eth+ -j DROP", "-i + -j DROP")) == [
        'iifname "eth\\*" accept', 'iifname "eth*" drop', "drop",
    ]  # fmt: skip


# ---------------------------------------------------------------- ipsets
def test_of_networks_the_most_specific_one_decides() -> None:
    sets = "create s hash:net family inet\nadd s 10.0.0.0/8\nadd s 10.1.0.0/16 nomatch\nadd s 10.1.2.0/24\nadd s 11.0.0.0/8\n"
    text = text_of("-m set --match-set s src -j ACCEPT", ipsets=sets)
    assert rules(text) == ["ip saddr @set_s accept"]
    assert elements(text, "set_s") == "10.0.0.0/16, 10.1.2.0/24, 10.2.0.0-11.255.255.255"


def test_a_port_of_a_set_comes_with_its_protocol() -> None:
    sets = "create s hash:ip,port family inet\nadd s 192.0.2.1,tcp:80\nadd s 192.0.2.1,udp:53\n"
    text = text_of("-m set ! --match-set s dst,dst -j DROP", ipsets=sets)
    assert rules(text) == ["jump filter_INPUT/1/1"]
    assert chain(text, "chain filter_INPUT/1/1") == ["ip daddr . meta l4proto . th dport @set_s return", "drop"]
    assert elements(text, "set_s") == "192.0.2.1 . tcp . 80, 192.0.2.1 . udp . 53"


def test_pairs_of_networks_are_cut_so_that_none_overlap() -> None:
    sets = "create s hash:net,net family inet\nadd s 10.0.0.0/8,192.0.2.0/24\nadd s 10.0.0.0/9,192.0.2.0/25\nadd s 10.0.0.0/9,198.51.100.0/24\n"
    text = text_of("-m set --match-set s src,dst -j ACCEPT", ipsets=sets)
    assert elements(text, "set_s") == (
        "10.0.0.0/9 . 192.0.2.0/24, 10.0.0.0/9 . 198.51.100.0/24, 10.128.0.0/9 . 192.0.2.0/24"
    )


def test_the_sets_of_a_list_are_asked_one_by_one() -> None:
    sets = (
        "create a hash:ip\nadd a 192.0.2.1\ncreate b hash:net\nadd b 10.0.0.0/8\ncreate l list:set\nadd l a\nadd l b\n"
    )
    assert rules(text_of("-m set --match-set l src -j ACCEPT", ipsets=sets)) == [
        "ip saddr @set_a accept", "ip saddr @set_b accept",
    ]  # fmt: skip


def test_rules_fill_sets_of_single_addresses() -> None:
    sets = "create s hash:ip family inet timeout 60\nadd s 192.0.2.1 timeout 50\n"
    text = text_of("-j SET --add-set s src --exist --timeout 30", "-j SET --del-set s dst", ipsets=sets)
    assert rules(text) == ["update @set_s { ip saddr timeout 30s }", "delete @set_s { ip daddr }"]
    assert "flags dynamic,timeout" in chain(text, "set set_s")
    assert elements(text, "set_s") == "192.0.2.1 timeout 50s"


@pytest.mark.parametrize("sets", ["", "create s hash:net family inet timeout 9\nadd s 10.0.0.0/8 timeout 5 nomatch\n"])
def test_a_set_that_cannot_be_written_is_an_error(sets: str) -> None:
    with pytest.raises(api.InputError, match="the set `s`"):
        text_of("-m set --match-set s src -j ACCEPT", ipsets=sets)


def test_a_policy_declares_its_sets_even_where_no_rule_asks() -> None:
    policy = api.load(
        "policy p {\n  family ip\n  ownership exclusive\n  default input drop, forward drop, output accept\n}\n"
        "set banned = address timeout 1h\n"
    )
    assert chain(nft_text(policy), "set set_banned.4") == ["type ipv4_addr", "flags timeout"]


# ---------------------------------------------------------------- chains
def test_ways_to_match_are_rules_side_by_side_where_nothing_counts() -> None:
    assert rules(text_of("-p tcp -m multiport --ports 22 -j ACCEPT")) == ["tcp sport 22 accept", "tcp dport 22 accept"]


def test_what_counts_is_asked_once() -> None:
    text = text_of("-p tcp -m multiport --ports 22 -m limit --limit 1/sec -j ACCEPT")
    assert rules(text) == ["tcp sport 0-65535 jump filter_INPUT/1/1"]
    assert chain(text, "chain filter_INPUT/1/1") == [
        "tcp sport 22 goto filter_INPUT/1/2",
        "tcp dport 22 goto filter_INPUT/1/2",
    ]
    assert chain(text, "chain filter_INPUT/1/2") == ["limit rate 1/second burst 5 packets accept"]


def test_what_does_not_end_the_chain_is_done_once() -> None:
    text = text_of("-p tcp -m multiport --ports 22 -j LOG", "-j ACCEPT")
    assert rules(text) == ["tcp sport 0-65535 jump filter_INPUT/1/1", "accept"]
    assert chain(text, "chain filter_INPUT/1/2") == ["log"]


def test_a_return_behind_a_negation_goes_on_in_a_chain_that_is_the_rest() -> None:
    text = text_of("-m statistic --mode nth ! --every 2 --packet 0 -j RETURN", "-j ACCEPT")
    assert rules(text) == ["goto filter_INPUT/1/1", "goto filter_INPUT/1/2"]
    assert chain(text, "chain filter_INPUT/1/1") == ["numgen inc mod 2 0 goto filter_INPUT/1/2", "return"]
    assert chain(text, "chain filter_INPUT/1/2") == ["accept"]


def test_a_port_behind_what_counts_is_asked_behind_it() -> None:
    text = text_of("-p tcp -m tcp --sport 5 -m limit --limit 1/sec -m multiport --dports 80 -j ACCEPT")
    assert rules(text) == ["tcp sport 5 limit rate 1/second burst 5 packets jump filter_INPUT/1/1"]


def test_a_rule_that_no_packet_matches_is_a_remark() -> None:
    assert rules(text_of("-m mark --mark 0x100/0xff -j ACCEPT")) == [
        "# rule 1 matches no packet: -m mark --mark 0x100/0xff -j ACCEPT"
    ]


# ---------------------------------------------------------------- sets of constants
def test_lists_that_are_the_same_are_one_set() -> None:
    text = text_of(
        "-p tcp -m multiport --dports 22,80 -j ACCEPT", "-p udp -m multiport --dports 80,22 -j ACCEPT",
        "-p udp -m multiport --dports 53,67 -j ACCEPT",
    )  # fmt: skip
    assert rules(text) == ["tcp dport @ports/1 accept", "udp dport @ports/1 accept", "udp dport @ports/2 accept"]


def test_there_are_no_thousands_of_sets() -> None:
    text = text_of(*(f"-p tcp -m multiport --dports {number},{number + 2} -j ACCEPT" for number in range(1, 2000)))
    assert text.count("\n  set ") < 300
    assert text.count(" accept") > 3000


# ---------------------------------------------------------------- what differs
def test_what_is_not_quite_the_same_is_said_once() -> None:
    policy = api.load(
        "policy edge { family ip, ip6 }\nzone wan = interface eth0\nfilter wan -> self { accept ssh; accept http }\n"
    )
    (found,) = nft_translation(policy).findings
    assert (found.code, found.severity.label) == ("PC821", "warning")
