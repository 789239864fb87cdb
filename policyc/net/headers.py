"""A packet as somebody describes it: what its headers say and where it was seen. What was not said is None or empty.

A log line, a captured frame, a sentence and a policy's test all become this value; `policyc.explanation` makes a packet of it.
"""

from __future__ import annotations

from policyc.frozen import frozen


@frozen
class Headers:
    """The headers of one packet, as far as they are known.

    `family` is 4 or 6, addresses are numbers. `proto` None: nobody said. Ports are those of TCP, UDP, SCTP, DCCP and
    UDP-Lite. `flags` are TCP's as bits (FIN 1 to CWR 128), `icmp` is type * 256 + code, `length` the IP packet's total in
    bytes, `payload` the bytes behind the transport header. `fragment`: it is a later one of its packet, without ports.
    `inner` is the packet that an ICMP error quotes. `mac_src` and `mac_dst` are 48-bit numbers. `entry` and `exit` are
    interfaces, "" where nobody said; `local`: this host sends it.
    `state` is one of the kernel's words (NEW, ESTABLISHED, RELATED, INVALID, UNTRACKED), `reply` whether the packet goes
    against its connection's first. `uid` and `gid` are of the local sender.
    """

    family: int
    src: int
    dst: int
    proto: int | None = None
    sport: int | None = None
    dport: int | None = None
    flags: int | None = None
    seq: int | None = None
    ack: int | None = None
    window: int | None = None
    mss: int | None = None
    icmp: int | None = None
    icmp_id: int | None = None
    inner: Headers | None = None
    spi: int | None = None
    ttl: int | None = None
    tos: int | None = None
    length: int | None = None
    payload: int | None = None
    fragment: bool = False
    mac_src: int | None = None
    mac_dst: int | None = None
    entry: str = ""
    exit: str = ""
    local: bool = False
    state: str = ""
    reply: bool = False
    mark: int | None = None
    uid: int | None = None
    gid: int | None = None
