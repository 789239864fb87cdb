"""What `doctor` looks at is read: counters, settings, rules, queues, addresses of other namespaces. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from policyc.kernel.containers import seen_addresses
from policyc.kernel.inside import asked_inside, namespace_at
from policyc.kernel.modules import has_module
from policyc.kernel.privilege import require_privilege
from policyc.kernel.rulesets import iptables_texts
from policyc.observation.doctor.measured import Device, Listener, Measurement
from policyc.observation.doctor.proc_texts import from_snmp, from_snmp6, from_softnet, from_stat, time_wait

_NET = Path("/proc/thread-self/net")
_SYS = Path("/proc/sys")
_LISTENING = 1 << 10  # TCPF_LISTEN
_FAMILIES = (2, 10)  # AF_INET, AF_INET6
_LINK_COUNTERS = ("rx_dropped", "tx_dropped", "rx_errors", "rx_missed_errors")
_SETTINGS = (
    "net/ipv4/tcp_syncookies", "net/ipv4/tcp_timestamps", "net/ipv4/tcp_tw_recycle",
    "net/ipv4/tcp_tw_reuse", "net/ipv4/tcp_abort_on_overflow", "net/ipv4/ip_local_port_range", "net/core/somaxconn",
    "net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_tcp_loose", "net/netfilter/nf_log_all_netns",
    "net/bridge/bridge-nf-call-iptables", "net/ipv4/neigh/default/gc_thresh3", "net/ipv6/neigh/default/gc_thresh3",
    "net/ipv4/conf/*/rp_filter", "net/ipv4/conf/*/forwarding", "net/ipv6/conf/all/forwarding", "net/ipv6/conf/*/force_forwarding",
)  # fmt: skip
_SWAPPED = str.maketrans("./", "/.")


def measured(netns: str | None = None, *, pid: int | None = None, containers: bool = True) -> Measurement:
    """Return a measurement of this network namespace, of one of `ip netns`, or of that of a process.

    `containers` looks for addresses in the namespaces of all processes. Raises NotPrivileged, NoNamespace and MissingProgram.
    """
    return asked_inside(namespace_at(netns, pid), lambda: _measured(containers=containers))


def _measured(*, containers: bool) -> Measurement:
    from pyroute2 import IPRoute

    require_privilege()
    counters = _of_files()
    connections = _of_conntrack(counters)
    with IPRoute() as ip:
        links = list(ip.get_links())
        names = {link["index"]: str(link.get_attr("IFLA_IFNAME")) for link in links}
        for link in links:
            statistics = link.get_attr("IFLA_STATS64") or {}
            for name in _LINK_COUNTERS:
                counters[f"link.{names[link['index']]}.{name}"] = int(statistics.get(name, 0))
        devices = tuple(_device(link, names) for link in links)
        neighbours = tuple(sum(1 for _ in ip.get_neighbours(family=family)) for family in _FAMILIES)
        seen = tuple(seen_addresses(ip)) if containers else ()
    return Measurement(
        boot=_text(Path("/proc/sys/kernel/random/boot_id")),
        namespace=Path("/proc/thread-self/ns/net").stat().st_ino,
        at=float(_text(Path("/proc/uptime")).split()[0]),
        counters=counters,
        settings=dict(_settings()),
        rules=_rules(),
        devices=devices,
        listeners=tuple(_listeners()),
        seen=seen,
        connections=connections,
        neighbours=(neighbours[0], neighbours[1]),
        time_wait=time_wait(_text(_NET / "sockstat")),
        is_first=_is_first(),
    )


def _of_files() -> dict[str, int]:
    counters = from_snmp(_text(_NET / "snmp")) | from_snmp(_text(_NET / "netstat"))
    counters |= from_snmp6(_text(_NET / "snmp6")) | from_softnet(_text(_NET / "softnet_stat"))
    for name in ("rt_cache", "arp_cache", "ndisc_cache", "synproxy"):
        counters |= from_stat(_text(_NET / "stat" / name), name)
    return counters


def _of_conntrack(counters: dict[str, int]) -> int:
    """Add what connection tracking has counted, of all processors together; return how many connections there are."""
    if not has_module("nf_conntrack"):
        return 0
    from pyroute2.netlink.nfnetlink.nfctsocket import NFCTSocket

    with NFCTSocket() as socket:
        for message in socket.stat():
            for name, number in message["attrs"]:
                key = f"conntrack.{name.removeprefix('CTA_STATS_').lower()}"
                counters[key] = counters.get(key, 0) + int(number)
        entries = [message.get_attr("CTA_STATS_GLOBAL_ENTRIES") for message in socket.count()]
    return int(entries[0] or 0) if entries else 0


def _device(link: Any, names: dict[int, str]) -> Device:
    info = link.get_attr("IFLA_LINKINFO")
    kind = str(info.get_attr("IFLA_INFO_KIND") or "") if info else ""
    master = link.get_attr("IFLA_MASTER")
    return Device(names[link["index"]], kind, bool(link["flags"] & 1), names.get(master, "") if master else "")


def _listeners() -> Iterator[Listener]:
    """Yield the listening TCP sockets with connections that wait (inet_diag: the queues of such a socket are counts)."""
    from pyroute2 import DiagSocket

    with DiagSocket() as socket:
        socket.bind()
        for family in _FAMILIES:
            for one in socket.get_sock_stats(family=family, states=_LISTENING):
                if one["idiag_rqueue"]:
                    yield Listener(
                        str(one["idiag_src"]),
                        int(one["idiag_sport"]),
                        int(one["idiag_rqueue"]),
                        int(one["idiag_wqueue"]),
                    )


def _settings() -> Iterator[tuple[str, str]]:
    for pattern in _SETTINGS:
        for path in sorted(_SYS.glob(pattern)):
            text = _text(path)
            if text:
                yield ".".join(part.translate(_SWAPPED) for part in path.relative_to(_SYS).parts), text


def _rules() -> dict[tuple[str, int], tuple[str, ...]]:
    backends, _ = iptables_texts()
    found = (("nft", backends.nft), ("legacy", backends.legacy))
    return {
        (name, family): tuple(lines)
        for name, texts in found
        if texts is not None
        for family, lines in ((4, texts.ipv4), (6, texts.ipv6))
    }


def _is_first() -> bool:
    """Whether this is the network namespace that the machine started with: only that one has the neighbours' settings."""
    return (_SYS / "net/ipv4/neigh/default/gc_thresh3").exists()


def _text(path: Path) -> str:
    """Return what a file says, "" where this kernel has none."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
