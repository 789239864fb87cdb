"""The kernel settings of this namespace that decide what happens to packets, read from /proc/sys. Part of a snapshot.

Reading loads no module: what is not loaded has no file, and no setting.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/proc/sys/net")
_SWAPPED = str.maketrans("./", "/.")

# Patterns below /proc/sys/net. What counts and what is drawn at random at boot says nothing about packets.
_WHOLE = (
    "ipv4/ip_forward", "ipv4/ip_default_ttl", "ipv4/ip_local_port_range", "ipv4/ip_local_reserved_ports",
    "ipv4/ip_nonlocal_bind", "ipv4/ip_no_pmtu_disc", "ipv4/ip_forward_use_pmtu", "ipv4/ip_early_demux",
    "ipv4/icmp_echo_ignore_*", "ipv4/icmp_errors_use_inbound_ifaddr", "ipv4/icmp_ratelimit", "ipv4/icmp_ratemask",
    "ipv4/fib_multipath_hash_policy", "ipv4/fwmark_reflect", "ipv4/tcp_fwmark_accept", "ipv4/tcp_syncookies",
    "ipv4/*_l3mdev_accept", "ipv6/fwmark_reflect", "ipv6/ip_nonlocal_bind", "ipv6/fib_multipath_hash_policy",
    "ipv6/icmp/*", "bridge/bridge-nf-*", "netfilter/nf_conntrack_*", "netfilter/nf_log_all_netns",
)  # fmt: skip
_OF_LINKS = {
    "ipv4": (
        "accept_local", "accept_redirects", "accept_source_route", "arp_filter", "arp_ignore", "bc_forwarding",
        "drop_unicast_in_l2_multicast", "forwarding", "ignore_routes_with_linkdown", "log_martians", "mc_forwarding",
        "proxy_arp", "route_localnet", "rp_filter", "send_redirects", "shared_media", "src_valid_mark",
    ),
    "ipv6": (
        "accept_ra", "accept_redirects", "accept_source_route", "addr_gen_mode", "disable_ipv6",
        "drop_unicast_in_l2_multicast", "force_forwarding", "forwarding", "hop_limit", "ignore_routes_with_linkdown",
        "mc_forwarding", "proxy_ndp", "use_oif_addrs_only", "use_tempaddr",
    ),
}  # fmt: skip
_COUNTS = frozenset(("nf_conntrack_count", "nf_conntrack_buckets"))


def settings() -> dict[str, str]:
    """Return the settings by their names of sysctl(8), in the order of the names."""
    found = {}
    for path in _files():
        text = _text(path)
        if text is not None:
            found[name_of(path)] = text
    return dict(sorted(found.items()))


def _files() -> Iterator[Path]:
    for pattern in _WHOLE:
        yield from (path for path in ROOT.glob(pattern) if path.name not in _COUNTS)
    for family, names in _OF_LINKS.items():
        for folder in ROOT.glob(f"{family}/conf/*"):
            yield from (folder / name for name in names)


def _text(path: Path) -> str | None:
    """Return what a file says, None for a setting that this kernel lacks or that only root of the machine may read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None


def name_of(path: Path) -> str:
    """Return `net.ipv4.conf.eth0/5.rp_filter` for the file of that setting of `eth0.5`."""
    parts = path.relative_to(ROOT.parent).parts
    return ".".join(part.translate(_SWAPPED) for part in parts)
