"""Rules that one test kept from matching, and what would be if it held."""

from __future__ import annotations

from router import filter_table, walked

from policyc.explanation.near import NearMiss, near_misses


def near(*rules: str, forward: str = "DROP", **packet: object) -> list[tuple[object, str, str | None]]:
    found: tuple[NearMiss, ...] = near_misses(walked(filter_table(*rules, forward=forward), **packet).first)
    return [(one.look.number, one.miss.text, one.instead and one.instead.trace.verdict) for one in found]


def test_one_field_differs_and_would_let_it_pass() -> None:
    assert near("FORWARD -p tcp -m tcp --dport 8443 -j ACCEPT") == [(1, "dport is 443", "FORWARDED")]


def test_two_fields_differ_and_it_is_not_near() -> None:
    assert near("FORWARD -s 192.0.2.1/32 -p tcp -m tcp --dport 8443 -j ACCEPT") == []


def test_a_near_rule_that_would_change_nothing_comes_last() -> None:
    rules = ("FORWARD -i d0 -j DROP", "FORWARD -i d0 -j ACCEPT")
    assert near(*rules) == [(2, "iif is w0", "FORWARDED"), (1, "iif is w0", None)]


def test_a_near_jump_is_followed() -> None:
    rules = ("FORWARD -i d0 -j servers", "servers -p tcp -m tcp --dport 443 -j ACCEPT")
    assert near(*rules) == [(1, "iif is w0", "FORWARDED")]


def test_what_would_have_stopped_an_accepted_packet() -> None:
    assert near("FORWARD -s 203.0.113.8/32 -j DROP", forward="ACCEPT") == [(1, "src is 203.0.113.9", "DROPPED")]


def test_negation_names_the_packets_value() -> None:
    assert near("FORWARD ! -s 203.0.113.9/32 -j ACCEPT") == [(1, "src is 203.0.113.9", "FORWARDED")]


def test_flags_are_named() -> None:
    found = near("FORWARD -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT", flags="ACK", ack=1)
    assert found == [(1, "tcp.flags is ACK", "FORWARDED")]
