"""-m dccp and -m sctp: ports that are always printed, packet types and chunks."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals


@pytest.mark.parametrize("protocol", ["dccp", "sctp"])
@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--sport :", "--sport 0:65535"),
        ("--dport 4: ! --sport 1", "! --sport 1 --dport 4:65535"),
        ("! --dport 4:4", "! --dport 4"),
    ],
)
def test_ports(protocol: str, given: str, canonical: str) -> None:
    assert printed(f"-p {protocol} {given}") == f"-p {protocol} -m {protocol} {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("all DATA", "all DATA"),
        ("Any init,data", "any DATA,INIT"),
        ("only DATA:Be", "only DATA:Be"),
        ("any DATA:ebu,ABORT:T", "any DATA:ube,ABORT:T"),
        ("any DATA:UBEube", "any DATA:UBE"),
        ("any DATA:B,DATA:e", "any DATA:Be"),
        ("any I_DATA:Iu", "any I_DATA:Iu"),
        ("any SHUTDOWN_COMPLETE:t", "any SHUTDOWN_COMPLETE:t"),
        ("any ASCONF,ASCONF_ACK,FORWARD_TSN,RE_CONFIG,PAD", "any ASCONF_ACK,RE_CONFIG,PAD,FORWARD_TSN,ASCONF"),
        ("all ALL", "all ALL"),
        ("only none", "only NONE"),
    ],
)
def test_chunks(given: str, canonical: str) -> None:
    assert printed(f"-p sctp --chunk-types {given}") == f"-p sctp -m sctp --chunk-types {canonical}"
    assert printed(f"-p sctp ! --chunk-types {given}") == f"-p sctp -m sctp ! --chunk-types {canonical}"


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("--dccp-types INVALID,request", "--dccp-types REQUEST,INVALID"),
        ("! --dccp-types DATA,ACK", "! --dccp-types DATA,ACK"),
        ("--dccp-option 255 --dccp-types RESET", "--dccp-types RESET --dccp-option 255"),
    ],
)
def test_packet_types(given: str, canonical: str) -> None:
    assert printed(f"-p dccp {given}") == f"-p dccp -m dccp {canonical}"


@pytest.mark.parametrize(
    "rule",
    [
        "-m sctp --dport 4",
        "-p sctp --dport 4:3",
        "-p sctp --chunk-types DATA",
        "-p sctp --chunk-types some DATA",
        "-p sctp --chunk-types any FOO",
        "-p sctp --chunk-types any INIT:T",
        "-p sctp --chunk-types any DATA:X",
        "-p sctp --chunk-types any DATA --chunk-types any INIT",
        "-m dccp --dport 4",
        "-p dccp --dccp-option 0",
        "-p dccp --dccp-option 256",
        "-p dccp --dccp-types FOO",
        '-p dccp --dccp-types ""',
    ],
)
def test_refused(rule: str) -> None:
    assert refusals(rule)


DATA, INIT, SACK = 0, 1, 3


@pytest.mark.parametrize(
    ("test", "chunks", "expected"),
    [
        ("any DATA,INIT", {DATA}, True),
        ("any DATA,INIT", {SACK}, False),
        ("all DATA,SACK", {DATA, SACK, INIT}, True),
        ("all DATA,SACK", {DATA}, False),
        ("only DATA,SACK", {DATA}, True),
        ("only DATA,SACK", {DATA, INIT}, False),
        ("any ALL", {200}, True),
        ("any NONE", {DATA}, False),
        ("all NONE", {DATA}, True),
        ("only NONE", {DATA}, False),
        ("only ALL", {200}, True),
    ],
)
def test_which_chunks_match(test: str, chunks: set[int], expected: bool) -> None:
    packet = {"proto": 132, "frag": "whole", "sctp.chunks": chunks}
    assert matches(f"-p sctp --chunk-types {test}", packet) is expected
    assert matches(f"-p sctp ! --chunk-types {test}", packet) is not expected


def test_flags_of_chunks_are_opaque_and_count_only_with_their_chunk() -> None:
    key = "-m sctp --chunk-types any DATA:Be"
    rule = f"-p sctp {key.removeprefix('-m sctp ')}"
    packet = {"proto": 132, "frag": "whole", "sctp.chunks": {DATA}}
    assert [matches(rule, packet, assume={key: outcome}) for outcome in (True, False)] == [True, False]
    assert not matches(rule, packet | {"sctp.chunks": {SACK}}, assume={key: True})


def test_a_dccp_type_is_a_number() -> None:
    packet = {"proto": 33, "frag": "whole", "dccp.type": 3}
    assert matches("-p dccp --dccp-types DATA,ACK", packet)
    assert not matches("-p dccp ! --dccp-types ACK", packet)
    assert not matches("-p dccp --dccp-types ACK", packet | {"frag": "later"})
