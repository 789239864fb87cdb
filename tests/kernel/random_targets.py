"""Random targets of rules: verdicts, marks, translations, changes of headers."""

from __future__ import annotations

from ipaddress import ip_network

from random_hosts import MARKS, PORTS
from random_places import Place, address_range

REJECTIONS = {
    4: (
        "icmp-port-unreachable", "icmp-host-unreachable", "icmp-net-unreachable", "icmp-proto-unreachable",
        "icmp-net-prohibited", "icmp-host-prohibited", "icmp-admin-prohibited",
    ),
    6: (
        "icmp6-port-unreachable", "icmp6-no-route", "icmp6-adm-prohibited", "icmp6-addr-unreachable", "icmp6-policy-fail",
        "icmp6-reject-route",
    ),
}  # fmt: skip


def random_target(place: Place) -> tuple[str, str]:
    """A target and the protocol that it needs."""
    draw = place.draw
    if place.callable and draw.random() < 0.25:
        return f"{draw.choice(('-j', '-j', '-g'))} {draw.choice(place.callable)}", ""
    if draw.random() < 0.08:
        return draw.choice(("", "-j RETURN", '-j LOG --log-prefix "x "', "-j NFLOG --nflog-group 5")), ""
    if draw.random() < 0.12 and place.table != "nat":
        return _marking(place), ""
    return {"filter": _filter, "security": _filter, "mangle": _mangle, "nat": _nat, "raw": _raw}[place.table](place)


def _marking(place: Place) -> str:
    draw = place.draw
    value = draw.choice(MARKS)
    return draw.choice((
        f"-j MARK --set-mark {value:#x}", f"-j MARK --set-xmark {value:#x}/0xff", f"-j MARK --or-mark {value:#x}",
        f"-j MARK --and-mark {value:#x}", f"-j MARK --xor-mark {value:#x}", f"-j CONNMARK --set-mark {value:#x}",
        "-j CONNMARK --save-mark", "-j CONNMARK --restore-mark", "-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff",
        f"-j CONNMARK --set-xmark {value:#x}/0xf0", "-j CONNMARK --save-mark --nfmask 0x0f --ctmask 0xff",
    ))  # fmt: skip


def _filter(place: Place) -> tuple[str, str]:
    draw = place.draw
    kind = draw.random()
    if kind < 0.15 and place.table == "filter":
        if draw.random() < 0.35:
            return "-j REJECT --reject-with tcp-reset", "tcp"
        return draw.choice(("-j REJECT", f"-j REJECT --reject-with {draw.choice(REJECTIONS[place.family])}")), ""
    if kind < 0.2 and place.site.sets:
        plain = [name for name, set_ in place.site.sets.items() if set_ == "hash:ip"]
        if plain:
            return f"-j SET --{draw.choice(('add', 'del'))}-set {plain[0]} {draw.choice(('src', 'dst'))}", ""
    return ("-j ACCEPT" if kind < 0.75 else "-j DROP"), ""


def _raw(place: Place) -> tuple[str, str]:
    return place.draw.choice(
        ("-j ACCEPT", "-j ACCEPT", "-j ACCEPT", "-j CT --notrack", "-j CT --notrack", "-j DROP")
    ), ""


def _mangle(place: Place) -> tuple[str, str]:
    draw = place.draw
    kind = draw.random()
    if kind < 0.35:
        return _marking(place), ""
    if kind < 0.5:
        word = "TTL --ttl" if place.family == 4 else "HL --hl"
        return f"-j {word}-{draw.choice(('set 64', 'set 1', 'set 255', 'inc 1', 'dec 1', 'inc 200', 'dec 63'))}", ""
    if kind < 0.6:
        return draw.choice((
            "-j DSCP --set-dscp 0x2e", "-j DSCP --set-dscp-class AF11", "-j TOS --set-tos 0x10/0x3f", "-j TOS --set-tos 0x08/0xff",
            "-j TOS --or-tos 0x08", "-j TOS --and-tos 0xf0", "-j TOS --xor-tos 0x1c",
        )), ""  # fmt: skip
    if kind < 0.68:
        if place.only("FORWARD", "OUTPUT", "POSTROUTING") and draw.random() < 0.5:
            return "-m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu", "tcp"
        return f"-m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss {draw.choice((1000, 1300, 1460))}", "tcp"
    if kind < 0.72:
        return draw.choice(
            ("-j TCPOPTSTRIP --strip-options mss", "-j TCPOPTSTRIP --strip-options sack,timestamp")
        ), "tcp"
    if kind < 0.75 and place.family == 4:
        return "-j ECN --ecn-tcp-remove", "tcp"
    if kind < 0.78 and place.only("FORWARD", "OUTPUT", "POSTROUTING"):
        return "-j CLASSIFY --set-class 1:10", ""
    return ("-j ACCEPT" if kind < 0.95 else "-j DROP"), ""


def _nat(place: Place) -> tuple[str, str]:
    draw = place.draw
    if draw.random() < 0.15:
        return draw.choice(("-j ACCEPT", "-j ACCEPT", _marking(place))), ""
    port, needs = "", ""
    if draw.random() < 0.5:
        needs = draw.choice(("tcp", "udp"))
        first = draw.choice(PORTS)
        port = draw.choice((f"{first}", f"{first}", f"{first}-{min(first + 3, 65535)}"))
    if draw.random() < 0.1:
        return f"-j NETMAP --to {_address_block(place)}", ""
    to = draw.choice((place.site.somebody(draw), place.site.neighbour(draw)))
    if draw.random() < 0.1 and place.family == 4:
        to = address_range(place)
    text = f"[{to}]:{port}" if place.family == 6 and port else f"{to}:{port}" if port else to
    if place.only("PREROUTING", "OUTPUT"):
        kind = draw.random()
        if kind < 0.3:
            return f"-j REDIRECT{f' --to-ports {port}' if port else ''}", needs
        if port and kind < 0.4:
            return f"-j DNAT --to-destination :{port}", needs
        return f"-j DNAT --to-destination {text}", needs
    if place.only("POSTROUTING") and draw.random() < 0.5:
        return f"-j MASQUERADE{f' --to-ports {port}' if port else ''}", needs
    if place.only("POSTROUTING", "INPUT"):
        return f"-j SNAT --to-source {text}", needs
    return "-j ACCEPT", ""


def _address_block(place: Place) -> str:
    return str(ip_network(f"{place.site.somebody(place.draw)}/{24 if place.family == 4 else 64}", strict=False))
