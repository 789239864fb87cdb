"""TCPMSS: the segment size that a SYN announces is lowered, or written in. Part of `policyc.simulation`.

Source: net/netfilter/xt_TCPMSS.c (tcpmss_mangle_packet).
"""

from __future__ import annotations

from policyc.host.departure import Departure, depart
from policyc.host.fib import Flow
from policyc.simulation.packet import MSS_OPTION, SYN, Packet
from policyc.simulation.state import State, UnknowableError

_HEADERS = {4: 40, 6: 60}  # IP and TCP
_DEFAULT = {4: 536, 6: 1220}  # what a SYN without the option stands for: RFC 9293 section 3.7.1, RFC 8200
_OPTION_LENGTH = 4


def clamp(state: State, packet: Packet, size: int | None) -> None:
    """Carry out `--set-mss size`, or `--clamp-mss-to-pmtu` where `size` is None; a larger size is never written."""
    if packet.segment is None or packet.frag != "whole" or not (packet.tcp_flags or 0) & SYN:
        return
    wanted = _of_path(state, packet) if size is None else size
    if packet.tcp_mss is not None:
        packet.tcp_mss = min(packet.tcp_mss, wanted)
    elif not packet.segment.payload:
        packet.tcp_mss = min(wanted, _DEFAULT[packet.family])
        packet.tcp_option = (*(packet.tcp_option or ()), MSS_OPTION)
        packet.length += _OPTION_LENGTH


def _of_path(state: State, packet: Packet) -> int:
    """Return the segment that fits into the smaller MTU of the way there and of the route back to the sender."""
    back = depart(state.fib, Flow(packet.family, packet.src))
    names = [packet.oif, back.device if isinstance(back, Departure) else None]
    sizes = [found.mtu for name in names if name and (found := state.host.interface(name)) is not None]
    if not sizes or min(sizes) <= _HEADERS[packet.family]:
        raise UnknowableError("the MTU of the packet's path")
    return min(sizes) - _HEADERS[packet.family]
