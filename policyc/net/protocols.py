"""IP protocol names and numbers as iptables knows them. A value of `policyc.net`.

`CANONICAL` are the names that iptables-save prints: it asks /etc/protocols, so the table is that of Debian 12 (netbase).
`NAMES` are all names that are read: the file's first, then libxtables' own short list (xtables_chain_protos).
"""

from __future__ import annotations

# /etc/protocols of Debian 12, in the order of numbers.
_FILE = {
    "ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9, "pup": 12,
    "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38,
    "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57,
    "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93,
    "ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp": 132,
    "fc": 133, "mobility-header": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139, "shim6": 140,
    "wesp": 141, "rohc": 142, "ethernet": 143,
}  # fmt: skip

NAMES: dict[str, int] = {**_FILE, "icmpv6": 58, "ipv6-mh": 135, "mh": 135, "all": 0}
CANONICAL: dict[int, str] = {number: name for name, number in _FILE.items()} | {0: "all"}

TCP, UDP, ICMP, ICMPV6, SCTP, DCCP, UDPLITE, ESP, AH, IPCOMP, L2TP = 6, 17, 1, 58, 132, 33, 136, 50, 51, 108, 115
MOBILITY, NO_NEXT_HEADER = 135, 59
WITH_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP, DCCP))


def parse_protocol(text: str) -> int:
    """Return the number of a protocol name, or of a number from 0 to 255; raise ValueError for anything else.

    Numbers may be hexadecimal (0x6) or octal (06), as strtoul(3) with base 0 reads them.
    """
    number = _number(text)
    if number is not None:
        if number > 255:
            raise ValueError(f"`{text}` is over 255, the largest protocol number")
        return number
    number_of = NAMES.get(text.lower())
    if number_of is None:
        raise ValueError(f"`{text}` is not a protocol name")
    return number_of


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isalnum() and text[0].isdecimal()):
        return None
    base = 16 if text[:2] in {"0x", "0X"} else 8 if text[0] == "0" and len(text) > 1 else 10
    try:
        return int(text, base)
    except ValueError:
        return None


def format_protocol(number: int) -> str:
    """Return the name that iptables-save prints, or the number."""
    return CANONICAL.get(number, str(number))
