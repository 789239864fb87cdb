"""Random packets at a random host, as those of a recorded case: single ones, and conversations that follow the translation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from random_hosts import FAR, MARKS, PORTS, STRANGE, Site

Item = dict[str, Any]
HEADER = {"tcp": 20, "udp": 8, "icmp": 8, "icmpv6": 8, "sctp": 12, "gre": 8, "udplite": 8}
OPENING_FLAGS = ("SYN",) * 24 + (
    "ACK", "SYN,ACK", "FIN,ACK", "RST", "RST,ACK", "PSH,ACK", "FIN", "NONE", "SYN,ECE,CWR", "SYN,FIN", "URG", "FIN,PSH,URG",
)  # fmt: skip
ERRORS = {
    4: ((3, 1), (3, 3), (3, 4), (11, 0), (4, 0), (12, 0), (5, 1)),
    6: ((1, 0), (1, 4), (2, 0), (3, 0), (4, 0)),
}
ANSWERED = {8: 0, 13: 14, 15: 16, 17: 18, 128: 129}


def opening(site: Site, draw: random.Random) -> Item:
    """The first packet of a connection, or one that looks like nothing known."""
    item = _incoming(site, draw) if draw.random() < 0.7 else _outgoing(site, draw)
    # Some begin while other connections are there, whose ports may be taken.
    item |= {"fresh": draw.random() < 0.75, **_transport(site, draw)}
    if draw.random() < 0.12:
        item["ttl"] = draw.choice((1, 2, 63, 65, 255))
    if draw.random() < 0.15:
        item["tos"] = draw.choice((0x10, 0x08, 0xB8, 0x28, 0x01, 0x02, 0x03, 0xFC))
    if draw.random() < 0.03:
        item["badsum"] = True
    return _measured(item, site.family)


def _incoming(site: Site, draw: random.Random) -> Item:
    name = draw.choice(site.names)
    kind = draw.random()
    src = (
        site.neighbour(draw, name) if kind < 0.65 else draw.choice(FAR[site.family]) if kind < 0.88 else site.somebody(draw)
        if kind < 0.96 else draw.choice(STRANGE[site.family])
    )  # fmt: skip
    kind = draw.random()
    dst = (
        draw.choice(site.all_own) if kind < 0.3 else site.neighbour(draw) if kind < 0.6 else site.somebody(draw)
        if kind < 0.9 else _to_many(site, draw) if kind < 0.96 else draw.choice(STRANGE[site.family])
    )  # fmt: skip
    item: Item = {"dir": "in", "iface": name, "src": src, "dst": dst}
    if draw.random() < 0.06:
        item["dst_mac"] = draw.choice(("broadcast", "multicast", "02:00:00:00:99:99"))
    if draw.random() < 0.06:
        item["src_mac"] = f"02:00:00:00:0{draw.randrange(4)}:02"
    return item


def _outgoing(site: Site, draw: random.Random) -> Item:
    src = draw.choice(site.all_own) if draw.random() < 0.93 else site.somebody(draw)
    kind = draw.random()
    dst = (
        site.somebody(draw) if kind < 0.8 else draw.choice(site.all_own) if kind < 0.88 else _to_many(site, draw)
        if kind < 0.94 else draw.choice(("127.0.0.1", "127.0.0.5", "224.0.0.1") if site.family == 4 else ("::1", "fd00:10::9"))
    )  # fmt: skip
    if dst.startswith("127.") and draw.random() < 0.7:
        src = "127.0.0.1"
    elif dst == "::1":
        src = "::1"
    item: Item = {
        "dir": "out",
        "src": src,
        "dst": dst,
        "uid": draw.choice((0, 0, 999, 1000, 1001)),
        "gid": draw.choice((0, 100)),
    }
    if draw.random() < 0.2:
        item["mark"] = draw.choice(MARKS)
    return item


def _to_many(site: Site, draw: random.Random) -> str:
    if site.family == 6:
        return draw.choice(site.all_own)
    nets = site.all_nets
    return (
        str(draw.choice(nets).broadcast_address)
        if nets and draw.random() < 0.8
        else draw.choice(("255.255.255.255", "224.0.0.1"))
    )


def _transport(site: Site, draw: random.Random) -> Item:
    icmp = "icmp" if site.family == 4 else "icmpv6"
    proto = draw.choice(("tcp",) * 12 + ("udp",) * 7 + (icmp,) * 4 + ("sctp", "gre", "udplite"))
    item: Item = {"proto": proto}
    if proto == icmp:
        types = (
            (8,) * 8 + (0, 13, 15, 17, 3, 11, 30)
            if site.family == 4
            else (128,) * 8 + (129, 1, 3, 133, 135, 136, 143, 200)
        )
        item |= {
            "icmp_type": draw.choice(types),
            "icmp_code": draw.choice((0, 0, 0, 1)),
            "icmp_id": draw.choice((1, 77, 4660)),
        }
        if item["icmp_type"] in {3, 11, 1}:
            del item["icmp_id"]
            item["inner"] = {
                "src": item_end(site, draw),
                "dst": item_end(site, draw),
                "proto": "udp",
                "sport": 53,
                "dport": 53,
            }
    elif proto != "gre":
        item |= {"sport": _port(draw, source=True), "dport": _port(draw)}
    if proto == "tcp":
        item["flags"] = draw.choice(OPENING_FLAGS)
        if "SYN" in item["flags"] and draw.random() < 0.4:
            item["mss"] = draw.choice((536, 1200, 1400, 1460))
    if draw.random() < 0.2 and proto in {"tcp", "udp"}:
        item["payload"] = draw.choice((1, 20, 60, 500))
    return item


def item_end(site: Site, draw: random.Random) -> str:
    return site.somebody(draw)


def _port(draw: random.Random, *, source: bool = False) -> int:
    if source and draw.random() < 0.5:
        return draw.choice((40000, 33333, 1024, 5353))
    return max(1, min(65535, draw.choice(PORTS) + draw.choice((0, 0, 0, 0, 1, -1))))


def _measured(item: Item, family: int) -> Item:
    """The packet with its length."""
    size = (20 if family == 4 else 40) + HEADER[item["proto"]] + item.get("payload", 0) + (4 if "mss" in item else 0)
    if "inner" in item:
        size += (20 if family == 4 else 40) + 8
        item["inner"].setdefault("length", (20 if family == 4 else 40) + HEADER[item["inner"]["proto"]])
    return item | {"length": size}


# ------------------------------------------------------------------ conversations
class Talk:
    """One connection seen from both ends: what the first packet was, and what arrived of it where."""

    def __init__(self, first: Item, verdict: dict[str, Any], family: int, draw: random.Random) -> None:
        self.first, self.verdict, self.family, self.draw = first, verdict, family, draw
        self.final: dict[str, Any] = verdict.get("final") or {}
        self.next = [first.get("seq", 1000) + first.get("payload", 0) + (first.get("flags", "").count("SYN")), 5000]

    @property
    def arrived(self) -> bool:
        return self.verdict["verdict"] in {"LOCAL", "FORWARDED", "SENT"} and self.first.get("flags") != "RST"

    def packets(self) -> Iterator[Item]:
        """What follows the first packet."""
        if not self.arrived:
            if self.draw.random() < 0.3:
                yield self._same(self.first.get("flags", ""))
            return
        proto = self.first["proto"]
        if proto == "tcp":
            yield from self._tcp()
        elif proto in {"udp", "udplite", "gre", "sctp"}:
            for _ in range(self.draw.randrange(1, 4)):
                yield self.draw.choice((self._reply, self._reply, self._same, self._error, self._error_of_reply))("")
        elif self.first.get("icmp_type") in ANSWERED:
            yield self.draw.choice((self._reply, self._reply, self._error))("")
            yield self.draw.choice((self._reply, self._same))("")

    def _tcp(self) -> Iterator[Item]:
        way = self.draw.random()
        if way < 0.2:
            yield self._reply("RST,ACK")
            yield self.draw.choice((self._same("SYN"), self._reply("RST"), self._error("")))
            return
        if way < 0.35:
            yield self._error("")
            yield self._same("SYN")
            return
        yield self._reply("SYN,ACK", mss=self.draw.choice((None, 1460)))
        if self.draw.random() < 0.15:
            yield self._same("SYN")
        yield self._same("ACK")
        for _ in range(self.draw.randrange(4)):
            yield self.draw.choice((self._same, self._reply))(
                self.draw.choice(("ACK", "PSH,ACK", "PSH,ACK", "FIN,ACK", "RST", "SYN"))
            )
            if self.draw.random() < 0.2:
                yield self.draw.choice((self._error, self._error_of_reply))("")

    def _segment(self, side: int, flags: str) -> Item:
        if self.first["proto"] != "tcp":
            return {"payload": self.draw.choice((0, 0, 30))} if self.first["proto"] == "udp" else {}
        words = flags.split(",")
        payload = self.draw.choice((0, 10, 100)) if "PSH" in words else 0
        seq = self.next[side] if flags != "SYN" or side else self.first.get("seq", 1000)
        if self.draw.random() < 0.08:
            seq = (seq + self.draw.choice((-1, 1, 100000, 3000))) % 2**32
        if seq == self.next[side]:
            self.next[side] += payload + ("SYN" in words) + ("FIN" in words)
        item: Item = {"flags": flags, "seq": seq, "payload": payload}
        return item | ({"ack": self.next[1 - side]} if "ACK" in words else {})

    def _same(self, flags: str) -> Item:
        kept = (
            "dir",
            "iface",
            "src",
            "dst",
            "proto",
            "sport",
            "dport",
            "icmp_type",
            "icmp_code",
            "icmp_id",
            "uid",
            "gid",
            "mark",
        )
        item = {key: self.first[key] for key in kept if key in self.first}
        return _measured(item | {"fresh": False} | self._segment(0, flags), self.family)

    def _entrance(self) -> Item:
        """Where the other end's packets enter the host."""
        if self.verdict["verdict"] == "LOCAL":
            return {"dir": "out", "uid": 0}
        return {"dir": "in", "iface": self.verdict["out_iface"]}

    def _reply(self, flags: str, mss: int | None = None) -> Item:
        final = self.final
        item = self._entrance() | {
            "src": final["dst"],
            "dst": final["src"],
            "proto": self.first["proto"],
            "fresh": False,
        }
        if "sport" in final:
            item |= {"sport": final["dport"], "dport": final["sport"]}
        if "icmp_type" in self.first:
            item |= {"icmp_type": ANSWERED[self.first["icmp_type"]], "icmp_code": 0, "icmp_id": final.get("icmp_id", 0)}
        if mss is not None:
            item["mss"] = mss
        return _measured(item | self._segment(1, flags), self.family)

    def _icmp_error(self, about: Item, to: str, src: str) -> Item:
        kind, code = self.draw.choice(ERRORS[self.family])
        proto = "icmp" if self.family == 4 else "icmpv6"
        return {
            "src": src,
            "dst": to,
            "proto": proto,
            "icmp_type": kind,
            "icmp_code": code,
            "inner": about,
            "fresh": False,
        }

    def _quoted(self, ends: Item, src: str, dst: str, *, swapped: bool = False) -> Item:
        found: Item = {"src": src, "dst": dst, "proto": self.first["proto"]}
        if "sport" in ends:
            ports = (ends["dport"], ends["sport"]) if swapped else (ends["sport"], ends["dport"])
            found |= {"sport": ports[0], "dport": ports[1]}
        if "icmp_type" in self.first:
            kind = ANSWERED[self.first["icmp_type"]] if swapped else self.first["icmp_type"]
            found |= {"icmp_type": kind, "icmp_code": 0, "icmp_id": ends.get("icmp_id", 0)}
        return found

    def _error(self, _: str) -> Item:
        """An ICMP error about the first packet, from its other end or a router before it; rarely one that quotes nonsense."""
        final = self.final
        src = final["dst"]
        if self.draw.random() < 0.4 and self.verdict["verdict"] != "LOCAL":
            src = self.draw.choice(FAR[self.family])
        about = self._quoted(final, final["src"], final["dst"])
        if self.draw.random() < 0.1:
            about = self._quoted(self.first, self.first["src"], self.first["dst"], swapped=self.draw.random() < 0.3)
        return _measured(self._entrance() | self._icmp_error(about, final["src"], src), self.family)

    def _error_of_reply(self, _: str) -> Item:
        """An ICMP error about a reply, from the first packet's sender."""
        first = self.first
        entrance = {key: first[key] for key in ("dir", "iface", "uid") if key in first}
        about = self._quoted(first, first["dst"], first["src"], swapped=True)
        return _measured(entrance | self._icmp_error(about, first["dst"], first["src"]), self.family)
