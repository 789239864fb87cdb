"""IP protocol names and numbers as iptables knows them. A value of `policyc.net`.

Two tables on purpose. `CANONICAL` are the names that iptables-save prints: xtables has its own short list
(libxtables, xtables_chain_protos) and asks the host's /etc/protocols for the rest, which differs from host to host; policyc
prints a number there unless Debian's file has had the name since 2000. `NAMES` are all names that are read.
"""

from __future__ import annotations

# libxtables/xtables.c, xtables_chain_protos: always known, whatever the host's files say.
_CHAIN_PROTOS = {
    "tcp": 6, "sctp": 132, "udp": 17, "udplite": 136, "icmp": 1, "icmpv6": 58, "ipv6-icmp": 58, "esp": 50, "ah": 51,
    "ipv6-mh": 135, "mh": 135, "all": 0,
}  # fmt: skip

# Debian's /etc/protocols (netbase), the names that IANA's registry has.
_FILE = {
    "hopopt": 0, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "egp": 8, "igp": 9, "pup": 12, "hmp": 20, "xns-idp": 22,
    "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43,
    "ipv6-frag": 44, "idrp": 45, "rsvp": 46, "gre": 47, "skip": 57, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73,
    "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108,
    "vrrp": 112, "l2tp": 115, "isis": 124, "fc": 133, "mobility-header": 135, "mpls-in-ip": 137, "manet": 138,
    "hip": 139, "shim6": 140, "wesp": 141, "rohc": 142,
}  # fmt: skip

NAMES: dict[str, int] = {**_FILE, **_CHAIN_PROTOS}
CANONICAL: dict[int, str] = {number: name for name, number in reversed([*_CHAIN_PROTOS.items(), *_FILE.items()])}
CANONICAL[58] = "ipv6-icmp"
CANONICAL[135] = "ipv6-mh"
CANONICAL[0] = "all"

TCP, UDP, ICMP, ICMPV6, SCTP, DCCP, UDPLITE, ESP, AH, IPCOMP, L2TP = 6, 17, 1, 58, 132, 33, 136, 50, 51, 108, 115
WITH_PORTS = frozenset((TCP, UDP, UDPLITE, SCTP, DCCP))


def parse_protocol(text: str) -> int:
    """Return the number of a protocol name or number from 0 to 255; raise ValueError for anything else."""
    if text.isascii() and text.isdecimal():
        number = int(text)
        if number > 255:
            raise ValueError(f"`{text}` is over 255, the largest protocol number")
        return number
    number_of = NAMES.get(text.lower())
    if number_of is None:
        raise ValueError(f"`{text}` is not a protocol name")
    return number_of


def format_protocol(number: int) -> str:
    """Return the name that iptables-save prints, or the number."""
    return CANONICAL.get(number, str(number))
