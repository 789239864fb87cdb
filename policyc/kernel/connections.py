"""The connection table of this namespace as a snapshot has it, through nfnetlink. Only a dump is asked for."""

from __future__ import annotations

from socket import AF_INET6, AF_UNSPEC
from typing import Any

from policyc.kernel.modules import has_module
from policyc.readers.snapshot_model import Connection, End

# enum tcp_conntrack, include/uapi/linux/netfilter/nf_conntrack_tcp.h
_TCP_STATES = (
    "NONE", "SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2",
)  # fmt: skip
_ICMP = frozenset((1, 58))
_WORDS = {1: "ICMP", 58: "ICMPV6"}


def connections() -> list[Connection]:
    """Return the entries, in an order that depends on their tuples alone; none where nothing is tracked.

    Asking may load nf_conntrack_netlink where connections are tracked without it.
    """
    if not has_module("nf_conntrack"):
        return []
    from pyroute2.netlink.nfnetlink.nfctsocket import NFCTSocket

    with NFCTSocket(nfgen_family=AF_UNSPEC) as socket:
        found = [_connection(message) for message in socket.dump()]
    return sorted(
        found, key=lambda one: (one.proto, one.zone, one.original.model_dump_json(), one.reply.model_dump_json())
    )


def _connection(message: Any) -> Connection:
    family = message["nfgen_family"]
    info = message.get_attr("CTA_PROTOINFO")
    tcp = info.get_attr("CTA_PROTOINFO_TCP") if info else None
    original = message.get_attr("CTA_TUPLE_ORIG")
    state: Any = _TCP_STATES[tcp.get_attr("CTA_PROTOINFO_TCP_STATE")] if tcp else ""
    return Connection(
        proto=original.get_attr("CTA_TUPLE_PROTO").get_attr("CTA_PROTO_NUM"),
        original=_end(original, family),
        reply=_end(message.get_attr("CTA_TUPLE_REPLY"), family),
        status=message.get_attr("CTA_STATUS") or 0,
        mark=message.get_attr("CTA_MARK") or 0,
        tcp_state=state,
        zone=message.get_attr("CTA_ZONE") or 0,
        timeout=message.get_attr("CTA_TIMEOUT"),
    )


def _end(tuple_: Any, family: int) -> End:
    ip, proto = tuple_.get_attr("CTA_TUPLE_IP"), tuple_.get_attr("CTA_TUPLE_PROTO")
    version = "V6" if family == AF_INET6 else "V4"
    src, dst = ip.get_attr(f"CTA_IP_{version}_SRC"), ip.get_attr(f"CTA_IP_{version}_DST")
    number = proto.get_attr("CTA_PROTO_NUM")
    if number in _ICMP:
        start = f"CTA_PROTO_{_WORDS[number]}"
        kind, code = proto.get_attr(f"{start}_TYPE"), proto.get_attr(f"{start}_CODE")
        return End(src=src, dst=dst, id=proto.get_attr(f"{start}_ID"), type=kind, code=code)
    return End(src=src, dst=dst, sport=proto.get_attr("CTA_PROTO_SRC_PORT"), dport=proto.get_attr("CTA_PROTO_DST_PORT"))
