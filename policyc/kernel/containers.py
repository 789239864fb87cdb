"""The network namespaces of this machine, found through /proc and `ip netns`, and the addresses in them. Only read.

Engines keep few names under /run/netns; a namespace lives as long as a process in it, and /proc knows those.
Source: lsns(8) does the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policyc.kernel.inside import NAMED, NoNamespace, asked_inside
from policyc.kernel.processes import NotPrivileged
from policyc.observation.doctor.measured import Seen

if TYPE_CHECKING:
    from pyroute2 import IPRoute

_PROC = Path("/proc")
_SPECIAL = frozenset(("lo",))
_LINK_LOCAL, _HOST = 253, 254  # scopes of addresses
_VETH = "veth"


def namespaces() -> Iterator[tuple[int, str, Path]]:
    """Yield inode, owner in words and file of each network namespace: those of processes, then those that only have a name."""
    known: set[int] = set()
    processes = sorted(int(item.name) for item in _PROC.iterdir() if item.name.isdecimal())
    places = [(_PROC / str(number) / "ns/net", f"{_name(number)}, process {number}") for number in processes]
    if NAMED.is_dir():
        places += [(item, f"`ip netns` {item.name}") for item in sorted(NAMED.iterdir())]
    for path, owner in places:
        try:
            inode = path.stat().st_ino
        except OSError:  # it has ended meanwhile, or is a kernel thread's
            continue
        if inode not in known:
            known.add(inode)
            yield inode, owner, path


def _name(process: int) -> str:
    try:
        return (_PROC / str(process) / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def seen_addresses(ip: IPRoute) -> Iterator[Seen]:
    """Yield the addresses of the namespace that `ip` asks, and those of all others with the place where they hang here."""
    here = Path("/proc/thread-self/ns/net").stat().st_ino
    links = {link["index"]: link for link in ip.get_links()}
    names = {index: str(link.get_attr("IFLA_IFNAME")) for index, link in links.items()}
    for index, interface, mac, address in _addresses(ip):
        yield Seen(here, "this host", interface, address, mac, interface if index in names else "")
    for inode, owner, path in namespaces():
        if inode == here:
            continue
        try:
            number = _number_of(ip, path)
            found = asked_inside(path, _inside)
        except (NoNamespace, NotPrivileged, OSError):  # it has ended meanwhile
            continue
        for interface, mac, address, index, peer in found:
            segment = _segment(links, names, number, index, peer)
            yield Seen(inode, owner, interface, address, mac, segment)


def _inside() -> list[tuple[str, str, str, int, int]]:
    """Return interface, MAC, address, index and the other end's index of each address in this namespace."""
    from pyroute2 import IPRoute

    with IPRoute() as ip:
        peers = {link["index"]: link.get_attr("IFLA_LINK") or 0 for link in ip.get_links()}
        return [(name, mac, address, index, peers.get(index, 0)) for index, name, mac, address in _addresses(ip)]


def _addresses(ip: IPRoute) -> Iterator[tuple[int, str, str, str]]:
    """Yield index, interface, MAC and address, without those that every namespace has."""
    links = {link["index"]: link for link in ip.get_links()}
    for message in ip.get_addr():
        link = links.get(message["index"])
        address = message.get_attr("IFA_LOCAL") or message.get_attr("IFA_ADDRESS")
        if link is None or not address or message["scope"] in {_LINK_LOCAL, _HOST}:
            continue
        name = str(link.get_attr("IFLA_IFNAME"))
        if name not in _SPECIAL:
            yield message["index"], name, str(link.get_attr("IFLA_ADDRESS") or ""), str(address)


def _number_of(ip: IPRoute, path: Path) -> int | None:
    """Return the number by which links here name a namespace as that of their other end, None where none does."""
    from pyroute2.netlink.exceptions import NetlinkError

    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        found: Any = ip.get_netnsid(fd=handle)
    except NetlinkError:
        return None
    finally:
        os.close(handle)
    return None if found.get("nsid") in {None, -1, 0xFFFFFFFF} else int(found["nsid"])


def _segment(links: dict[int, Any], names: dict[int, str], number: int | None, index: int, peer: int) -> str:
    """Return the bridge here, or else the interface, at which an interface of another namespace hangs; "" for none."""
    link = links.get(peer)
    if link is None or number is None:
        return ""
    info = link.get_attr("IFLA_LINKINFO")
    is_veth = info is not None and info.get_attr("IFLA_INFO_KIND") == _VETH
    if not is_veth or link.get_attr("IFLA_LINK") != index or link.get_attr("IFLA_LINK_NETNSID") != number:
        return ""
    master = link.get_attr("IFLA_MASTER")
    return names.get(master, "") if master else names[peer]
