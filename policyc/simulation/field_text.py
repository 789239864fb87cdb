"""The value of a packet's field as a person reads it. Part of `policyc.simulation`."""

from __future__ import annotations

from policyc.net.addresses import format_address
from policyc.net.protocols import ICMP, ICMPV6, format_protocol
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.simulation.packet import FLAGS

_ADDRESSES = frozenset(
    (fields.SRC, fields.DST, fields.CT_ORIG_SRC, fields.CT_ORIG_DST, fields.CT_REPLY_SRC, fields.CT_REPLY_DST)
)
_HEXADECIMAL = frozenset((fields.MARK, fields.CT_MARK, fields.SOCKET_MARK, fields.TOS, fields.REALM, fields.SPI))
_STATUS = ("EXPECTED", "SEEN_REPLY", "ASSURED", "CONFIRMED", "SNAT", "DNAT")


def field_text(field: Field, value: object, family: int, proto: int) -> str:
    """Return a field's value; `proto` is the packet's protocol, which ICMP's types are named by. None: "none"."""
    if value is None:
        return "none"
    if isinstance(value, frozenset | tuple):
        return ",".join(sorted(field_text(field, one, family, proto) for one in value)) or "none"
    if not isinstance(value, int):
        return str(value)
    if field in _ADDRESSES:
        return format_address(value, family)
    if field in {fields.PROTO, fields.CT_PROTO}:
        return format_protocol(value)
    if field is fields.TCP_FLAGS:
        return ",".join(name for name, bit in FLAGS.items() if value & bit) or "NONE"
    if field is fields.CT_STATUS:
        return ",".join(name for place, name in enumerate(_STATUS) if value >> place & 1) or "none"
    if field is fields.ICMP:
        return _icmp_text(value, proto)
    if field is fields.MAC_SRC:
        return ":".join(f"{value >> shift & 255:02x}" for shift in range(40, -1, -8))
    return hex(value) if field in _HEXADECIMAL else str(value)


def _icmp_text(value: int, proto: int) -> str:
    """Return the name of an ICMP type and code, its numbers where it has none."""
    kind, code = value >> 8, value & 255
    if proto in {ICMP, ICMPV6}:
        from policyc.netfilter.extensions import icmp, icmp6

        names = icmp.NAMES if proto == ICMP else icmp6.NAMES
        exact = (name for name, one in names if one.type == kind and (one.low, one.high) == (code, code))
        plain = (name for name, one in names if one.type == kind and (one.low, one.high) == (0, 255) and not code)
        if name := next(exact, None) or next(plain, None):
            return name
    return f"{kind}/{code}"
