"""Policies and dumps of any size, the same bytes for the same size: what the benchmarks run on.

The mix follows the real dumps we know: half plain address and port rules, some interfaces, some port lists with a
connection state, some comments.
"""

from __future__ import annotations

from random import Random

SEED = 20


def dump(rules: int) -> str:
    """Return an iptables-save dump of a filter table with that many rules in FORWARD."""
    draw = Random(SEED)
    lines = ["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"]
    for number in range(rules):
        source, network = _host(draw), f"192.168.{draw.randrange(256)}.0/24"
        kind = draw.random()
        if kind < 0.5:
            port = draw.randrange(1, 65536)
            lines.append(f"-A FORWARD -s {source}/32 -d {network} -p tcp -m tcp --dport {port} -j ACCEPT")
        elif kind < 0.7:
            port = draw.randrange(1, 1024)
            lines.append(f"-A FORWARD -s {source}/32 -i eth{draw.randrange(8)} -p udp -m udp --dport {port} -j DROP")
        elif kind < 0.85:
            ports = f"80,443,{draw.randrange(1000, 9000)}"
            lines.append(
                f"-A FORWARD -d {source}/32 -p tcp -m multiport --dports {ports} -m conntrack --ctstate NEW -j ACCEPT"
            )
        else:
            comment = f'-m comment --comment "rule {number}"'
            lines.append(f"-A FORWARD -s {source}/32 -p tcp -m tcp --dport 22 {comment} -j ACCEPT")
    return "\n".join([*lines, "COMMIT", ""])


def campus(networks: int) -> str:
    """Return a dump like that of a router between many networks: a chain of services and one of hardware addresses for each.

    A network makes about 60 rules, some of which others cover.
    """
    draw = Random(SEED)
    heads, calls, own = [], [], []
    for number in range(networks):
        heads += [f":net_{number} - [0:0]", f":mac_{number} - [0:0]"]
        calls += [f"-A FORWARD -o eth1.{number} -j net_{number}", f"-A FORWARD -i eth1.{number} -j mac_{number}"]
        hosts = [f"10.{number % 200}.{number // 200}.{host}" for host in range(1, 26)]
        own.append(f"-A net_{number} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
        for host in hosts:
            port, mac = (
                draw.choice((22, 25, 80, 443, 993)),
                f"02:00:{number // 256:02x}:{number % 256:02x}:00:{draw.randrange(256):02x}",
            )
            own.append(f"-A net_{number} -d {host}/32 -p tcp -m tcp --dport {port} -j ACCEPT")
            own.append(f"-A mac_{number} -s {host}/32 -m mac --mac-source {mac} -j RETURN")
        for host in draw.sample(hosts, 3):
            own.append(f"-A net_{number} -d {host}/32 -p tcp -m tcp --dport 20:1023 -j DROP")
            own.append(f"-A net_{number} -d {host}/32 -p tcp -m tcp --dport 80 -j ACCEPT")
        own.append(f"-A mac_{number} -j DROP")
    base = [":INPUT ACCEPT [0:0]", ":FORWARD DROP [0:0]", ":OUTPUT ACCEPT [0:0]"]
    return "\n".join(["*filter", *base, *heads, *calls, *own, "COMMIT", ""])


def policy(rules: int) -> str:
    """Return a policy file with that many rules between two zones."""
    draw = Random(SEED)
    lines = [
        "policy bench {",
        "  ownership exclusive",
        "  default input accept, forward drop, output accept",
        "  family ip",
        "}",
        "zone wan = interface eth0",
        "zone lan = interface eth1 network 192.168.0.0/16",
        "filter lan -> wan {",
    ]
    for number in range(rules):
        kind = draw.random()
        source = f"192.168.{draw.randrange(256)}.{draw.randrange(256)}"
        if kind < 0.6:
            lines.append(f"  accept tcp/{draw.randrange(1, 65536)} from {source} to {_host(draw)}")
        elif kind < 0.8:
            lines.append(f"  drop udp/{draw.randrange(1, 1024)} from {source}")
        elif kind < 0.9:
            lines.append(f"  accept tcp/80, tcp/443, tcp/{draw.randrange(1000, 9000)} from {source} to {_host(draw)}")
        else:
            lines.append(f"  accept tcp/22 from {source} as rule-{number}")
    return "\n".join([*lines, "  otherwise drop", "}", ""])


def _host(draw: Random) -> str:
    return f"10.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(1, 255)}"
