"""What random packets through the real kernel taught, one fact each; `tests/kernel/test_random_packets.py` keeps asking."""

from __future__ import annotations

from typing import Any

from policyc import api

ETH0 = {
    "name": "eth0",
    "addrs": ["192.0.2.1/24", "2001:db8::1/64"],
    "mac": "02:00:00:00:00:01",
    "peer_mac": "02:00:00:00:00:02",
}
ETH1 = {
    "name": "eth1",
    "addrs": ["10.0.0.1/24", "2001:db8:1::1/64"],
    "mac": "02:00:00:00:01:01",
    "peer_mac": "02:00:00:00:01:02",
}
FORWARDING = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}


def replayed(rules: str, *packets: dict[str, Any], family: int = 4, **topology: Any) -> list[dict[str, Any]]:
    host = {"interfaces": [ETH0, ETH1], "sysctls": FORWARDING, **topology}
    given = [{"n": n, "fresh": n == 0, "dir": "in", "iface": "eth0", **packet} for n, packet in enumerate(packets)]
    return api.replay({"family": family, "topology": host, f"rules_v{family}": rules, "packets": given})


def table(name: str, *rules: str) -> str:
    hooks = {
        "filter": ("INPUT", "FORWARD", "OUTPUT"),
        "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
        "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
        "raw": ("PREROUTING", "OUTPUT"),
    }
    return "\n".join((f"*{name}", *(f":{hook} ACCEPT [0:0]" for hook in hooks[name]), *rules, "COMMIT", ""))


def tcp(**fields: Any) -> dict[str, Any]:
    return {
        "src": "192.0.2.9",
        "dst": "192.0.2.1",
        "proto": "tcp",
        "sport": 40000,
        "dport": 22,
        "flags": "SYN",
        **fields,
    }


REJECT = table("filter", "-A INPUT -j REJECT")


def test_an_answer_that_has_no_way_is_not_sent():
    (seen,) = replayed(REJECT, tcp(src="198.51.100.7"))
    assert seen["verdict"] == "REJECTED"
    assert "kernel_replies" not in seen


def test_nobody_is_answered_at_the_unspecified_address():
    (seen,) = replayed(REJECT, tcp(src="::", dst="2001:db8::1"), family=6)
    assert "kernel_replies" not in seen


def test_a_reset_answers_any_frame_and_an_icmp_error_only_ours():
    reset = table("filter", "-A INPUT -p tcp -j REJECT --reject-with tcp-reset")
    assert "kernel_replies" in replayed(reset, tcp(dst_mac="multicast"))[0]
    assert "kernel_replies" not in replayed(REJECT, tcp(dst_mac="multicast"))[0]


def test_reject_does_not_look_at_the_checksum_of_gre():
    gre = {"src": "192.0.2.9", "dst": "192.0.2.1", "proto": "gre", "badsum": True}
    assert "kernel_replies" in replayed(REJECT, gre)[0]
    assert "kernel_replies" not in replayed(REJECT, tcp(badsum=True))[0]


def test_an_answer_may_be_rejected_itself():
    both = table("filter", "-A INPUT -p tcp -j REJECT --reject-with tcp-reset", "-A OUTPUT -p tcp -j REJECT")
    (seen,) = replayed(both, tcp())
    assert [one["proto"] for one in seen["kernel_replies"]] == ["tcp", "icmp"]


def test_icmp_errors_come_from_a_socket_that_is_nobodys():
    owned = table("filter", "-A INPUT -j REJECT", "-A OUTPUT -m owner --socket-exists -j DROP")
    assert replayed(owned, tcp())[0]["reply_left_via"] == []
    users = table("filter", "-A INPUT -j REJECT", "-A OUTPUT -m owner --uid-owner 0 -j DROP")
    assert replayed(users, tcp())[0]["reply_left_via"] == ["eth0"]


def test_the_sixth_packet_without_a_route_is_not_answered():
    seen = replayed(table("filter"), *(tcp(dst="198.51.100.7", sport=40000 + n) for n in range(6)))
    assert ["kernel_replies" in one for one in seen] == [True] * 5 + [False]


def test_a_mark_is_reflected_where_the_host_says_so():
    rules = table("mangle", "-A PREROUTING -j MARK --set-mark 0x7") + table(
        "filter", "-A INPUT -j REJECT", "-A OUTPUT -m mark --mark 0x7 -j DROP"
    )
    assert replayed(rules, tcp())[0]["reply_left_via"] == ["eth0"]
    reflecting = {**FORWARDING, "net.ipv4.fwmark_reflect": 1}
    assert replayed(rules, tcp(), sysctls=reflecting)[0]["reply_left_via"] == []


def test_routing_again_does_not_see_the_user():
    rules = table("mangle", "-A OUTPUT -j MARK --set-mark 0x9")
    sent = {"dir": "out", "uid": 1000, **tcp(src="192.0.2.1", dst="198.51.100.7")}
    routes = [{"dst": "0.0.0.0/0", "via": "10.0.0.5", "dev": "eth1", "table": 100}]
    seen = replayed(rules, sent, routes=routes, ip_rules=["uidrange 1000-1000 lookup 100 pref 100"])
    assert (seen[0]["verdict"], seen[0]["send_error"]) == ("KERNEL_DROP", "ENETUNREACH")


def test_a_syn_sent_once_more_is_not_counted():
    rule = "-A FORWARD -m connbytes --connbytes 2: --connbytes-dir original --connbytes-mode packets -j DROP"
    seen = replayed(table("filter", rule), tcp(dst="10.0.0.9"), tcp(dst="10.0.0.9"))
    assert [one["verdict"] for one in seen] == ["FORWARDED", "FORWARDED"]


def test_a_segment_that_is_only_forgiven_does_not_make_the_next_reset_credible():
    """Far beyond the window a liberal host lets it pass and forgets it: a reset right behind it closes nothing."""
    there = {"src": "192.0.2.9", "dst": "10.0.0.9", "proto": "tcp", "sport": 40000, "dport": 80, "window": 64240}
    back = {**there, "src": "10.0.0.9", "dst": "192.0.2.9", "sport": 80, "dport": 40000, "iface": "eth1", "window": 0}
    segments = [
        {**there, "flags": "SYN", "seq": 1000},
        {**back, "flags": "SYN,ACK", "seq": 5000, "ack": 1001},
        {**there, "flags": "ACK", "seq": 66535, "ack": 5001},
        {**there, "flags": "RST,ACK", "seq": 66535, "ack": 5001},
        {**there, "flags": "SYN", "seq": 66535},
    ]
    liberal = {**FORWARDING, "net.netfilter.nf_conntrack_tcp_be_liberal": 1}
    watched = table("filter", "-A FORWARD -m conntrack --ctstate NEW")
    seen = replayed(watched, *segments, sysctls=liberal)
    assert [one["ctstate"] for one in seen] == ["NEW", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED", "ESTABLISHED"]


def test_gre_is_assured_once_both_sides_have_spoken():
    rules = table("filter", "-A FORWARD -m conntrack --ctstatus ASSURED -j DROP")
    there = {"src": "192.0.2.9", "dst": "10.0.0.9", "proto": "gre"}
    back = {"src": "10.0.0.9", "dst": "192.0.2.9", "proto": "gre", "iface": "eth1"}
    assert [one["verdict"] for one in replayed(rules, there, back, there)] == ["FORWARDED", "FORWARDED", "DROPPED"]


def test_a_router_answers_from_its_subnets_own_address():
    (seen,) = replayed(REJECT, tcp(src="2001:db8::9", dst="2001:db8:1::"), family=6)
    assert [one["src"] for one in seen["kernel_replies"]] == ["2001:db8:1::"]


def test_a_chain_of_two_hooks_translates_what_the_hook_does():
    rules = table(
        "nat", ":both - [0:0]", "-A both -j NETMAP --to 10.0.0.0/24", "-A PREROUTING -j both", "-A POSTROUTING -j both"
    )
    (seen,) = replayed(rules, tcp(dst="198.51.100.7"), routes=[{"dst": "0.0.0.0/0", "via": "10.0.0.5", "dev": "eth1"}])
    assert (seen["final"]["src"], seen["final"]["dst"]) == ("10.0.0.9", "10.0.0.7")


def test_a_connection_that_was_reset_by_a_rule_is_closed():
    rule = "-A FORWARD -p tcp -m tcp --tcp-flags ALL ACK -m ttl --ttl-eq 9 -j REJECT --reject-with tcp-reset"
    there, back = tcp(dst="10.0.0.9"), tcp(src="10.0.0.9", dst="192.0.2.9", sport=22, dport=40000, iface="eth1")
    seen = replayed(
        table("filter", rule),
        there,
        {**back, "flags": "ACK", "seq": 5000, "ack": 77, "ttl": 10},
        {**there, "flags": "ACK"},
    )
    assert seen[2]["ctstate"] == "ESTABLISHED"  # in SYN_SENT the client's ACK would be INVALID


def test_a_bucket_of_more_than_a_day_is_not_known():
    seen = replayed(table("filter", "-A INPUT -m limit --limit 1/hour --limit-burst 30 -j DROP"), tcp())
    assert seen[0]["verdict"] == "UNSUPPORTED"


def test_behind_a_packet_that_nobody_can_follow_nothing_is_counted():
    rules = table(
        "mangle",
        "-A PREROUTING -m statistic --mode nth --every 2 --packet 0",
        "-A INPUT -m string --string a --algo bm",
    )
    seen = replayed(rules, tcp(), {**tcp(), "fresh": True})
    assert [one["verdict"] for one in seen] == ["UNSUPPORTED", "UNSUPPORTED"]


def test_options_are_stripped_and_bits_removed():
    rules = table(
        "mangle",
        "-A PREROUTING -p tcp -j TCPOPTSTRIP --strip-options mss",
        "-A PREROUTING -p tcp -j ECN --ecn-tcp-remove",
        "-A INPUT -p tcp -m tcp --tcp-option 2 -j DROP",
        "-A INPUT -p tcp -m ecn --ecn-tcp-ece -j DROP",
    )
    assert replayed(rules, tcp(mss=1400, flags="SYN,ECE"))[0]["verdict"] == "LOCAL"


def test_a_target_that_finds_no_address_drops():
    bare = {"name": "ppp0", "addrs": [], "mac": "02:00:00:00:02:01"}
    rules = table("nat", "-A PREROUTING -j REDIRECT")
    (seen,) = replayed(rules, {**tcp(), "iface": "ppp0"}, interfaces=[ETH0, bare])
    assert (seen["verdict"], seen["deciding"]) == ("DROPPED", {"table": "nat", "chain": "PREROUTING", "rule": 1})


def test_a_socket_takes_the_unspecified_address_for_this_host():
    sent = {"dir": "out", **tcp(src="2001:db8::1", dst="::")}
    (seen,) = replayed(table("filter"), sent, family=6)
    assert (seen["verdict"], seen["in_iface"]) == ("LOCAL", "lo")
