"""Random rules for all tables and hooks, with every kind of match that has an exact meaning and the targets that change packets."""

from __future__ import annotations

import random
from collections.abc import Callable

from random_hosts import MARKS, PORTS, Site
from random_places import Place, address_range
from random_targets import random_target

HOOKS = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG")
STATES = ("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED")
TYPES = ("UNICAST", "LOCAL", "MULTICAST", "ANYCAST", "UNREACHABLE", "BROADCAST", "BLACKHOLE", "PROHIBIT")
DSCP_CLASSES = ("EF", "AF11", "AF42", "CS1", "CS6", "BE")


Draw = Callable[[Place], str | None]


def random_tables(site: Site, draw: random.Random, *, legacy: bool) -> str:
    """Iptables-restore text of some tables."""
    # iptables-nft 1.8.9 puts the INPUT chain of security behind that of nat.
    chances = {"raw": 0.45, "mangle": 0.65, "nat": 0.7, "filter": 0.95, "security": 0.3 if legacy else 0}
    tables = [name for name, chance in chances.items() if draw.random() < chance]
    return "".join(_table(name, site, draw, legacy=legacy) for name in tables)


def _table(table: str, site: Site, draw: random.Random, *, legacy: bool) -> str:
    hooks = list(HOOKS[table])
    if not legacy and draw.random() < 0.2:
        hooks = draw.sample(hooks, draw.randrange(1, len(hooks) + 1))
    lines = []
    for hook in hooks:
        policy = "DROP" if table != "nat" and draw.random() < (0.15 if table == "filter" else 0.02) else "ACCEPT"
        lines.append(f":{hook} {policy} [0:0]")
    users: list[tuple[str, frozenset[str], list[str]]] = []
    for number in range(draw.choice((0, 1, 2, 3))):
        reached = frozenset(draw.sample(hooks, draw.choice((1, 1, 2)) % (len(hooks) + 1) or 1))
        callable_ = [name for name, from_, _ in users if reached <= from_]
        users.append((f"u{number}", reached, callable_))
    rules: list[str] = []
    for name, reached, callable_ in users:
        lines.append(f":{name} - [0:0]")
        place = Place(table, reached, site, draw, legacy, callable_)
        rules += [f"-A {name}{random_rule(place)}" for _ in range(draw.choice((0, 1, 2, 3, 4)))]
    for hook in hooks:
        place = Place(
            table, frozenset((hook,)), site, draw, legacy, [name for name, from_, _ in users if hook in from_]
        )
        rules += [f"-A {hook}{random_rule(place)}" for _ in range(draw.choice((0, 1, 2, 3, 5)))]
    return "\n".join((f"*{table}", *lines, *rules, "COMMIT", ""))


def random_rule(place: Place) -> str:
    draw = place.draw
    target, needs = random_target(place)
    tests: dict[str, str] = {}
    for _ in range(draw.choice((0, 0, 0, 1, 1) if place.table == "nat" else (0, 1, 1, 1, 2, 2))):
        found = draw.choice(MATCHES)(place)
        if found is not None and (not found.startswith("-p tcp ") or needs in {"", "tcp"}):
            if found.startswith("-p tcp "):
                found, needs = found.removeprefix("-p tcp "), "tcp"
            words = found.removeprefix("! ").split()
            tests.setdefault(" ".join(words[:2]) if words[0] == "-m" else words[0], found)
    if needs or draw.random() < 0.4:
        name, part = _protocol(place, needs)
        if "-m tcp " in part and "-m tcp" in tests:
            part = f"-p {name}"
        tests["-p"] = part
    parts = sorted(tests.values(), key=lambda part: part.startswith("-m"))
    return "".join(f" {part}" for part in (*parts, target) if part)


# ------------------------------------------------------------------ protocols
def _ports(place: Place) -> str:
    low = place.draw.choice(PORTS)
    if place.draw.random() < 0.6 or low == 65535:
        return str(low)
    return f"{low}:{min(65535, low + place.draw.choice((1, 1, 100, 1000)))}"


def _protocol(place: Place, needs: str) -> tuple[str, str]:
    draw = place.draw
    icmp = "icmp" if place.family == 4 else "ipv6-icmp"
    name = needs or draw.choice(("tcp", "tcp", "tcp", "udp", "udp", icmp, "sctp", "gre", "udplite", "!"))
    if name == "!":
        return "", f"! -p {draw.choice(('tcp', 'udp', icmp, '50'))}"
    text = f"-p {name}"
    if draw.random() < 0.3 or name == "gre":
        return name, text
    if name == icmp:
        number = draw.choice(
            ("8", "0", "3", "3/1", "3/3", "11", "13", "255")
            if place.family == 4
            else ("128", "129", "1", "1/4", "3", "135")
        )
        match, option = ("icmp", "--icmp-type") if place.family == 4 else ("icmp6", "--icmpv6-type")
        if number == "255":
            return name, f"{text} -m {match} {option} any"
        return name, f"{text} -m {match} {place.negation()}{option} {number}"
    kind = draw.random()
    if name != "udplite" and kind < 0.25:
        what = draw.choice(("--dports", "--sports", "--ports"))
        ports = ",".join(_ports(place) for _ in range(draw.choice((1, 2, 3))))
        return name, f"{text} -m multiport {place.negation()}{what} {ports}"
    if name == "udplite":
        return name, f"{text} -m multiport --dports {_ports(place)}"
    if name == "tcp" and kind < 0.5:
        mask = draw.sample(FLAGS, draw.randrange(1, 7))
        wanted = draw.sample(mask, draw.randrange(len(mask) + 1))
        test = draw.choice(
            ("--syn", f"--tcp-flags {','.join(mask)} {','.join(wanted) or 'NONE'}", "--tcp-option 2", "--syn")
        )
        return name, f"{text} -m tcp {place.negation()}{test}"
    sides = draw.choice((("--dport",), ("--dport",), ("--sport",), ("--sport", "--dport")))
    # iptables-nft 1.8.9 joins two negated ports to one test.
    tests = [f"{place.negation() if len(sides) == 1 or place.legacy else ''}{side} {_ports(place)}" for side in sides]
    return name, f"{text} -m {name} {' '.join(tests)}"


# ------------------------------------------------------------------ matches
def _address(place: Place) -> str:
    text = place.site.somebody(place.draw)
    width = 32 if place.family == 4 else 128
    length = place.draw.choice((width, width, width - 8, width - 3, width // 2, 8))
    return f"{text}/{length}"


def _interface(place: Place) -> str | None:
    name = place.draw.choice((*place.site.names, *place.site.names, "lo", "eth+", "eth1+", "none0"))
    options = []
    if not place.hooks & {"OUTPUT", "POSTROUTING"}:
        options.append("-i")
    if not place.hooks & {"PREROUTING", "INPUT"}:
        options.append("-o")
    return f"{place.negation()}{place.draw.choice(options)} {name}" if options else None


def _conntrack(place: Place) -> str:
    draw, tests = place.draw, []
    if draw.random() < 0.6:
        states = draw.sample((*STATES, "DNAT", "SNAT"), draw.choice((1, 1, 2, 3)))
        tests.append(f"{place.negation()}--ctstate {','.join(states)}")
    extra: list[Callable[[], str]] = [
        lambda: f"{place.negation()}--ctorigsrc {_address(place)}", lambda: f"{place.negation()}--ctorigdst {_address(place)}",
        lambda: f"{place.negation()}--ctreplsrc {_address(place)}", lambda: f"{place.negation()}--ctrepldst {_address(place)}",
        lambda: f"{place.negation()}--ctproto {draw.choice(('tcp', 'udp', '1', '58'))}",
        lambda: f"{place.negation()}--ctorigdstport {_ports(place)}", lambda: f"{place.negation()}--ctorigsrcport {_ports(place)}",
        lambda: f"{place.negation()}--ctrepldstport {_ports(place)}", lambda: f"{place.negation()}--ctreplsrcport {_ports(place)}",
        lambda: f"{place.negation()}--ctstatus {draw.choice(('SEEN_REPLY', 'ASSURED', 'CONFIRMED', 'EXPECTED', 'NONE', 'SEEN_REPLY,ASSURED'))}",
        lambda: f"--ctdir {draw.choice(('ORIGINAL', 'REPLY'))}",
    ]  # fmt: skip
    tests += [make() for make in draw.sample(extra, draw.choice((0, 1, 1, 2)) if tests else 1)]
    return f"-m conntrack {' '.join(tests)}"


def _addrtype(place: Place) -> str:
    draw = place.draw
    types = TYPES if place.family == 4 else TYPES[:5]  # IPv6 does not know the others
    tests = [f"{place.negation()}--{side}-type {','.join(draw.sample(types, draw.choice((1, 1, 2))))}"
             for side in draw.choice((("src",), ("dst",), ("dst",), ("src", "dst")))]  # fmt: skip
    if draw.random() < 0.25:
        if place.only("PREROUTING", "INPUT"):
            tests.append("--limit-iface-in")
        elif place.only("OUTPUT", "POSTROUTING"):
            tests.append("--limit-iface-out")
    return f"-m addrtype {' '.join(tests)}"


def _set(place: Place) -> str | None:
    if not place.site.sets:
        return None
    name = place.draw.choice(sorted(place.site.sets))
    kind = place.site.sets[name]
    count = 2 if name == "all" else kind.count(",") + 1
    return f"-m set {place.negation()}--match-set {name} {','.join(place.draw.choice(('src', 'dst')) for _ in range(count))}"


def _owner(place: Place) -> str | None:
    if not place.only("OUTPUT", "POSTROUTING"):
        return None
    return "-m owner " + place.draw.choice((
        f"{place.negation()}--uid-owner 1000", f"{place.negation()}--uid-owner 0-999", f"{place.negation()}--gid-owner 100",
        f"{place.negation()}--socket-exists", "--uid-owner 1000 ! --gid-owner 100",
    ))  # fmt: skip


def _mac(place: Place) -> str | None:
    if not place.only("PREROUTING", "INPUT", "FORWARD"):
        return None
    return f"-m mac {place.negation()}--mac-source 02:00:00:00:0{place.draw.randrange(4)}:02"


def _rpfilter(place: Place) -> str | None:
    if place.table not in {"raw", "mangle"} or not place.only("PREROUTING"):
        return None
    options = [one for one in ("--loose", "--validmark", "--accept-local", "--invert") if place.draw.random() < 0.3]
    return " ".join(("-m rpfilter", *options))


def _hop_limit(place: Place) -> str:
    word, option = ("ttl", "ttl") if place.family == 4 else ("hl", "hl")
    value = place.draw.choice((1, 2, 62, 63, 64, 65, 128, 255))
    comparison = place.draw.choice(("eq", "lt", "gt"))
    negation = place.negation() if comparison == "eq" else ""
    return f"-m {word} {negation}--{option}-{comparison} {value}"


def _counting(place: Place) -> str | None:
    """Conditions with a memory, as far as it is known when everything begins empty."""
    draw = place.draw
    if place.family == 6 and place.hooks & {"OUTPUT", "POSTROUTING"}:
        return None  # redirects, which the kernel sends by itself and the simulator does not follow, are counted there
    return draw.choice((
        "-m limit --limit 1/minute --limit-burst 1000",
        f"-m statistic --mode nth --every {draw.choice((2, 3))} --packet 0",
        f"-m statistic --mode nth {place.negation()}--every {draw.choice((2, 4))} --packet 1",
        f"-m connbytes --connbytes {draw.choice((1, 2, 3))}{draw.choice((':', ':3'))} --connbytes-dir {draw.choice(('original', 'reply', 'both'))} --connbytes-mode packets",
        f"-m recent --name r{draw.randrange(2)} --{draw.choice(('set', 'rcheck', 'update', 'remove'))} --r{draw.choice(('source', 'dest'))}",
        f"-m quota --quota {draw.choice((40, 100, 2000))}",
        f"-m hashlimit --hashlimit-upto 1/minute --hashlimit-burst 1000 --hashlimit-mode {draw.choice(('srcip', 'dstport', 'srcip,dstip'))} --hashlimit-name h{draw.randrange(10**6)}",
    ))  # fmt: skip


MATCHES: tuple[Draw, ...] = (
    lambda place: f"{place.negation()}-s {_address(place)}",
    lambda place: f"{place.negation()}-d {_address(place)}",
    _interface,
    _interface,
    _conntrack,
    _conntrack,
    lambda place: f"-m state {place.negation()}--state {','.join(place.draw.sample(STATES, 2))}",
    _addrtype,
    lambda place: f"-m iprange {place.negation()}--{place.draw.choice(('src', 'dst'))}-range {address_range(place)}",
    lambda place: f"-m mark {place.negation()}--mark {place.draw.choice(MARKS):#x}{place.draw.choice(('', '/0xff', '/0x3'))}",
    lambda place: f"-m connmark {place.negation()}--mark {place.draw.choice(MARKS):#x}{place.draw.choice(('', '/0xf'))}",
    _set,
    _owner,
    _mac,
    _rpfilter,
    _hop_limit,
    lambda place: f"-m length {place.negation()}--length {place.draw.choice(('28', '40', '0:40', '41:100', '60', '48:', '100:65535'))}",
    lambda place: f"-m pkttype {place.negation()}--pkt-type {place.draw.choice(('unicast', 'broadcast', 'multicast'))}",
    lambda place: f"-m dscp {place.negation()}--dscp{place.draw.choice((' 0x00', ' 0x2e', ' 0x0a', '-class EF', '-class CS1'))}",
    lambda place: f"-m tos {place.negation()}--tos {place.draw.choice(('0x10', '0x08/0x1e', '0x00/0xfc', '0xb8/0xff'))}",
    lambda place: f"-p tcp -m ecn {place.negation()}--ecn-{place.draw.choice(('tcp-cwr', 'tcp-ece'))}",
    lambda place: f"-m ecn {place.negation()}--ecn-ip-ect {place.draw.randrange(4)}",
    lambda place: f"-p tcp -m tcp --tcp-flags SYN SYN -m tcpmss {place.negation()}--mss {place.draw.choice(('1400', '536:1400', '1460'))}",
    lambda place: f'-m comment --comment "rule {place.draw.randrange(9)}"',
    lambda place: "-m policy --dir in --pol none" if place.only("PREROUTING", "INPUT", "FORWARD") else None,
    lambda place: f"-m devgroup {place.negation()}--src-group 0" if place.only("PREROUTING", "INPUT", "FORWARD") else None,
    _counting,
)  # fmt: skip
