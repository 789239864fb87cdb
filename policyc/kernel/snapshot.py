"""A host, this one or a network namespace of it, as one JSON text: `policyc snapshot` and the source `live`.

Nothing is changed by reading. What is read is the namespace's own; the other files of this room say how each part is asked.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from pathlib import Path

from policyc.kernel.inside import asked_inside, named_namespace, namespace_of
from policyc.kernel.modules import lines_of
from policyc.kernel.processes import Unanswered
from policyc.readers.snapshot_model import FORMAT_VERSION, Group, Snapshot
from policyc.writers.json_layout import laid_out

_NET = Path("/proc/thread-self/net")
_MOST_TRIES = 5
_COMMENT = re.compile(r"--comment |--log-prefix |--nflog-prefix | comment ")


def take(netns: str | None = None, *, pid: int | None = None, conntrack: bool = False) -> str:
    """Return the snapshot of this host's network namespace, of one of `ip netns`, or of that of a process.

    `conntrack` adds the connection table. Raises NotPrivileged, MissingProgram where rules are there that no installed program
    can print, and Unanswered where there is no such namespace or it changes faster than it can be read.
    """
    path = named_namespace(netns) if netns is not None else namespace_of(pid) if pid is not None else None
    found = asked_inside(path, lambda: _found_at_rest(conntrack=conntrack))
    found.holds = list(_holds(found))
    return laid_out({"format_version": FORMAT_VERSION, **found.model_dump(exclude_defaults=True)})


def _found_at_rest(*, conntrack: bool) -> Snapshot:
    """Return what is found while links and routes stand still, which is tried a few times."""
    from pyroute2.netlink.exceptions import NetlinkDumpInterrupted

    from policyc.kernel.netlink import ChangedMeanwhile

    for _ in range(_MOST_TRIES):
        try:
            return _found(conntrack=conntrack)
        except (NetlinkDumpInterrupted, ChangedMeanwhile):
            continue
    raise Unanswered("interfaces and routes change faster than they can be read; try again")


def _found(*, conntrack: bool) -> Snapshot:
    from pyroute2 import IPRoute

    from policyc.kernel import netlink
    from policyc.kernel.connections import connections
    from policyc.kernel.privilege import require_privilege
    from policyc.kernel.rulesets import ipset_lines, iptables_texts
    from policyc.kernel.sysctls import settings

    require_privilege()
    backends, others = iptables_texts()
    with IPRoute() as ip:
        links = netlink.links(ip)
        names = {index: link.name for index, link in links.items()}
        return Snapshot(
            format_version=FORMAT_VERSION,
            kernel=platform.release(),
            iptables=backends,
            nftables=others,
            sets=ipset_lines(backends),
            links=list(links.values()),
            addresses=netlink.addresses(ip, names),
            routes=list(netlink.routes(ip, names)),
            routing_rules=netlink.routing_rules(ip),
            groups=list(_groups()),
            neighbours=list(netlink.neighbours(ip, names)),
            sysctls=settings(),
            connections=connections() if conntrack else None,
        )


def _groups() -> Iterator[Group]:
    """Yield the multicast groups that links have joined, of both families (net/ipv4/igmp.c, net/ipv6/mcast.c)."""
    from policyc.net.addresses import format_address

    name = ""
    for line in lines_of(_NET / "igmp")[1:]:
        words = line.split()
        if not line.startswith("\t"):
            name = words[1].rstrip(":")
        else:  # the address as a number of this machine's byte order
            yield Group(link=name, group=format_address(int.from_bytes(int(words[0], 16).to_bytes(4, "little")), 4))
    for line in lines_of(_NET / "igmp6"):
        words = line.split()
        yield Group(link=words[1], group=format_address(int(words[2], 16), 6))


def _holds(found: Snapshot) -> Iterator[str]:
    """Yield the kinds of data that somebody may not want to give away."""
    texts = [text for text in (found.iptables.nft, found.iptables.legacy) if text is not None]
    lines = [line for text in texts for line in (*text.ipv4, *text.ipv6)]
    yield "interface names"
    if found.addresses or found.routes:
        yield "addresses"
    if any(link.mac for link in found.links) or found.neighbours:
        yield "MAC addresses"
    if any(line.startswith("-A ") for line in lines):
        yield "firewall rules"
    if any(_COMMENT.search(line) for line in (*lines, *found.sets)):
        yield "comments and log prefixes"
    if any(line.startswith("add ") for line in found.sets):
        yield "members of ipsets"
    if found.connections:
        yield "connections with the addresses of both ends"
