"""What a packet is where nobody said it: the plainest of its protocol, as a Linux client sends it. Part of `explanation`."""

from __future__ import annotations

from dataclasses import replace

from policyc.frozen import frozen
from policyc.net.headers import Headers
from policyc.net.protocols import ICMP, ICMPV6, TCP, UDP, WITH_PORTS
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.simulation.headers import IP_HEADER, TRANSPORT_HEADER
from policyc.simulation.packet import ACK, SYN

CLIENT_PORT = 40000
"""Within the range that Linux takes client ports from (32768 to 60999)."""
WEB_PORT = 80
PING_ID = 1
_ECHO_REQUEST = {4: 8 << 8, 6: 128 << 8}
_MSS = {4: 1460, 6: 1440}  # 1500 bytes of Ethernet without the headers of IP and TCP
_SYN_OPTIONS = (
    2,
    4,
    8,
    1,
    3,
)  # MSS, SACK permitted, timestamps, no-operation, window scale: what Linux sends, 20 bytes
_SYN_OPTIONS_SIZE = 20
_PAYLOAD = {UDP: 32, ICMP: 56, ICMPV6: 56}  # a small question; what ping(8) sends
TTL = 64
_LATER = frozenset(("ESTABLISHED", "INVALID", "UNTRACKED"))


@frozen
class Completed:
    """Headers with nothing left out.

    `assumptions` are what must be said in any case, `if_tested` what matters where a rule tests the field. `tcp_options`
    are the kinds of a whole SYN's options, None where somebody described the packet's size.
    """

    headers: Headers
    assumptions: tuple[str, ...]
    if_tested: tuple[tuple[Field, str], ...]
    tcp_options: tuple[int, ...] | None


def completed(headers: Headers) -> Completed:
    """Return headers in which everything is said."""
    said: list[str] = []
    tested: list[tuple[Field, str]] = []
    if headers.proto is None:
        headers = replace(headers, proto=_protocol(headers, said))
    proto = headers.proto
    if proto in WITH_PORTS:
        headers = _with_ports(headers, tested)
    elif proto in {ICMP, ICMPV6} and headers.icmp is None:
        headers = replace(headers, icmp=_ECHO_REQUEST[headers.family])
        said.append("it is a ping (an echo request)")
    if proto in {ICMP, ICMPV6} and headers.icmp_id is None:
        headers = replace(headers, icmp_id=PING_ID)
    if headers.ttl is None:
        headers = replace(headers, ttl=TTL)
        tested.append((fields.TTL, f"its TTL is {TTL}"))
    options = None
    if proto == TCP:
        if headers.flags is None:
            flag, name = (ACK, "ACK") if headers.state in _LATER else (SYN, "SYN")
            headers = replace(headers, flags=flag)
            tested.append((fields.TCP_FLAGS, f"its TCP flags are {name}"))
        if headers.flags == SYN and headers.mss is None and headers.length is None and not headers.payload:
            headers, options = replace(headers, mss=_MSS[headers.family]), _SYN_OPTIONS
            tested.append((fields.TCP_MSS, f"its MSS option says {headers.mss}"))
            tested.append((fields.TCP_OPTION, "its TCP options are those of a Linux client"))
    if headers.length is None:
        headers = _with_length(headers, tested, _SYN_OPTIONS_SIZE if options else 0)
    return Completed(headers, tuple(said), tuple(tested), options)


def _protocol(headers: Headers, said: list[str]) -> int:
    if headers.icmp is not None:
        return ICMP if headers.family == 4 else ICMPV6
    said.append("it is TCP: nobody said the protocol")
    return TCP


def _with_ports(headers: Headers, tested: list[tuple[Field, str]]) -> Headers:
    if headers.sport is None:
        headers = replace(headers, sport=CLIENT_PORT)
        tested.append((fields.SPORT, f"its source port is {CLIENT_PORT}"))
    if headers.dport is None:
        headers = replace(headers, dport=WEB_PORT)
        tested.append((fields.DPORT, f"its destination port is {WEB_PORT}"))
    return headers


def _with_length(headers: Headers, tested: list[tuple[Field, str]], options: int) -> Headers:
    payload = _PAYLOAD.get(headers.proto or 0, 0) if headers.payload is None else headers.payload
    if not options and headers.mss is not None:
        options = 4
    length = IP_HEADER[headers.family] + TRANSPORT_HEADER.get(headers.proto or 0, 0) + options + payload
    tested.append((fields.LENGTH, f"it is {length} bytes long"))
    return replace(headers, length=length, payload=payload)
