"""Random policies as text: every name that is used is defined, every form of the language turns up.

`policies()` draws whole files, `rules()` single rule lines of a table. Texts are well-formed; whether they mean something (a
publish without services, families that do not agree) is left to chance.
"""

from __future__ import annotations

from hypothesis import strategies as st

ZONES = ("wan", "lan", "dmz")
ADDRESSES = ("web", "admins")
SERVICES = ("api", "ssh", "http", "ping")
LIMITS = ("slow", "few")
LOGS = ("edge", "far")
MARKS = ("via2",)
SCHEDULES = ("office",)
DEFINITIONS = """\
zone wan = interface eth0
zone lan = interface eth1, br-+ network 10.0.0.0/24, fd00:10::/64
zone dmz = network 192.0.2.0/28 owner docker
address web = 10.0.0.5, fd00:10::5
address admins = 203.0.113.0/24, 2001:db8:aa::/48
service api = tcp/8080-8083, udp/8443
set banned = address timeout 1h
limit slow = 6/minute burst 5 per source
limit few = 50 connections per source/24
log edge = "edge" limit 1/second burst 3
log far = 'far "side"' nflog 5
mark via2 = 0x200/0xff00
schedule office = mon-fri 08:00-18:00 utc
define mail(host: address, who: address) { accept tcp/25 from who to host }
"""


def listed(items: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    separator = st.sampled_from((", ", ",", " , ", ",\n    ", ", # inside\n    "))
    return st.builds(
        lambda found, comma: comma.join(found), st.lists(items, min_size=1, max_size=most), st.just(", ") | separator
    )


octet = st.integers(0, 255)
port = st.integers(0, 65535)
ipv4 = st.builds("{}.{}.{}.{}".format, octet, octet, octet, octet)
ipv6 = st.integers(0, 0xFFFF).map(lambda n: f"2001:db8::{n:x}")
ports = port.map(str) | st.tuples(port, port).map(lambda pair: f"{min(pair)}-{max(pair)}")
networks = st.builds("10.{}.0.0/16".format, octet) | st.builds("fd00:{:x}::/32".format, st.integers(1, 0xFFFF))
ranges = st.builds("192.0.2.{}-192.0.2.255".format, octet)
addresses = st.sampled_from((*ADDRESSES, "lan", "banned")) | ipv4 | ipv6 | networks | ranges
services = st.sampled_from(
    (*SERVICES, "tcp", "udp", "icmp", "icmp6/packet-too-big", "icmp/3/4", "gre", "proto/47")
) | st.builds("{}/{}".format, st.sampled_from(("tcp", "udp", "sctp")), ports)
interfaces = st.sampled_from(("eth0", "eth0.100", "br-+", "+", "wg0"))
marks = st.sampled_from((*MARKS, "0x1", "7", "0x2/0xff"))
states = st.sampled_from(("new", "established", "RELATED", "invalid", "untracked"))
accounts = st.sampled_from(("root", "0", "1000-1999"))
endpoints = st.builds("{}:{}".format, st.sampled_from(ADDRESSES) | ipv4, ports) | st.builds(
    "[{}]:{}".format, ipv6, port
)
raw_text = st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="\"'"), min_size=1, max_size=20
)
strings = raw_text.map('"{}"'.format) | raw_text.map("'{}'".format)


def negatable(word: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(f"{word} {{}}{{}}".format, st.sampled_from(("", "not ")), listed(values))


def phrase(word: str, values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return values.map(f"{word} {{}}".format)


MATCHES = (
    negatable("from", addresses),
    negatable("to", addresses),
    negatable("in", interfaces),
    negatable("out", interfaces),
    phrase("sport", listed(services | ports)),
    phrase("published", listed(services)),
    negatable("state", states),
    negatable("marked", marks),
    negatable("user", accounts),
    negatable("group", accounts),
    negatable("during", st.sampled_from(SCHEDULES)),
    phrase("limit", st.sampled_from(LIMITS)),
    phrase("over", st.sampled_from(LIMITS)),
    phrase("match", strings),
)
EFFECTS = (
    phrase("hairpin", listed(st.sampled_from((*ZONES, "self")), 2)),
    phrase("balance", st.sampled_from(("random", "nth"))),
    phrase("ports", st.sampled_from(("kept", "random"))),
    phrase("with", st.sampled_from(("tcp-reset", "icmp-host-prohibited"))),
    phrase("log", st.sampled_from(LOGS)),
    phrase("family", st.sampled_from(("ip", "ip6", "ip, ip6", "ip6,ip"))),
    phrase("as", st.sampled_from(("one", "two-b", "r3"))),
)
VERBS = {
    "filter": st.sampled_from(("accept", "drop", "reject", "return", "log edge", "jump OTHER", "reject")),
    "nat": st.sampled_from(("masquerade", "accept", "return")) | phrase("dnat", st.just("")),
    "mangle": st.sampled_from(("mark via2", "mark 0x1/0xff", "save-mark", "restore-mark 0xff00", "accept")),
    "raw": st.sampled_from(("drop", "accept", "helper ftp", 'jump "NFQUEUE --queue-num 1"')),
}


@st.composite
def rules(draw: st.DrawFn, table: str = "filter") -> str:
    """A rule of a table with its services and words in any order."""
    verb = draw(VERBS[table]).strip()
    said = [draw(word) for word in draw(st.lists(st.sampled_from(MATCHES), max_size=3, unique_by=id))]
    said += [draw(word) for word in draw(st.lists(st.sampled_from(EFFECTS), max_size=2, unique_by=id))]
    if verb == "dnat":
        said.append(f"becomes {draw(listed(endpoints, 2))}")
    what = draw(st.just("") | listed(services))
    return " ".join(part for part in (verb, what, *draw(st.permutations(said))) if part)


comments = st.sampled_from(("", "", "", "  # a comment", " #b", "  # policyc: allow unreachable-chain -- no reason"))
zones = listed(st.sampled_from((*ZONES, "self", "any")), 2)


@st.composite
def blocks(draw: st.DrawFn) -> str:
    """A block of rules, on one line or on several, with comments and blank lines."""
    table = draw(st.sampled_from(tuple(VERBS)))
    head = f"{table} {draw(zones)}{draw(st.sampled_from((' -> ', '->')))}{draw(zones)}"
    lines = draw(
        st.lists(rules(table) | st.just("use baseline") | st.just("use mail(web, (admins, 10.0.0.1))"), max_size=4)
    )
    if table == "filter" and draw(st.booleans()):
        lines.append("otherwise drop log edge")
    if draw(st.booleans()):
        return f"{head} {{ {'; '.join(lines)} }}{draw(comments)}\n"
    text = f"{head} {{{draw(comments)}\n"
    for line in lines:
        text += draw(st.sampled_from(("", "", "\n", "  # above\n", "\n# far\n\n", "\n\n\n")))
        text += f"  {line}{draw(st.sampled_from(('', ';', ' ;;')))}{draw(comments)}\n"
    return text + draw(st.sampled_from(("}", "  # last\n}"))) + draw(comments) + "\n"


INTENTS = st.one_of(
    st.builds("publish {} -> self tcp/{} becomes {} as site".format, zones, ports, endpoints),
    st.builds("notrack wan -> self {}".format, listed(services)),
    st.builds("tproxy {} -> any tcp/80 mark {} becomes :3129".format, zones, marks),
    st.builds("clamp mss on {}".format, zones),
    st.just("netmap 198.51.100.64/28 <-> 10.0.0.64/28 on wan"),
    st.just("require sysctl net.ipv4.ip_forward = 1"),
    st.just('include "common.pol"'),
    st.just("docker { engine 28; network app = subnet 172.18.0.0/16 icc off }"),
    st.builds(
        "docker {{ engine {}; container box = address 172.17.0.9 publish '{}:{}' }}".format,
        st.sampled_from(("20.10", "27.5", "29")),
        port,
        port,
    ),
    st.builds("publish wan -> self tcp/{} becomes box:{}".format, port, port),
    st.just("policy edge { family ip6, ip; ownership shared }"),
    st.builds(
        'test "t" {{ accept tcp {}:{} -> self:{} in wan by site; never {} -> lan }}'.format, ipv4, port, port, zones
    ),
)


@st.composite
def policies(draw: st.DrawFn) -> str:
    """A whole file: the definitions, then blocks and intents, with comments and blank lines between them."""
    parts = [DEFINITIONS]
    for statement in draw(st.lists(blocks() | INTENTS.map("{}\n".format), max_size=4)):
        parts += [draw(st.sampled_from(("", "", "\n", "# above\n", "# free\n\n", "\n\n\n"))), statement]
    text = "".join(parts)
    return text.replace("\n", "\r\n") if draw(st.sampled_from((False, False, False, True))) else text
