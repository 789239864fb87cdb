"""Kernel settings that decide what happens to packets, with the defaults of a fresh namespace. A value of `policyc.host`.

Names are those of sysctl(8): `net.ipv4.conf.eth0.rp_filter`; an interface `eth0.5` is written `eth0/5` there. What a setting
of one interface is worth beside that of `all` differs by setting: include/linux/inetdevice.h (IN_DEV_ORCONF, IN_DEV_MAXCONF).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from policyc.frozen import frozen

# Measured on Linux 6.18 in a fresh network namespace; settings that are not here are 0.
DEFAULTS: Mapping[str, str] = {
    "net.ipv4.conf.all.send_redirects": "1",
    "net.ipv4.conf.default.send_redirects": "1",
    "net.ipv4.ip_default_ttl": "64",
    "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.icmp_echo_ignore_broadcasts": "1",
    "net.ipv6.conf.all.hop_limit": "64",
    "net.ipv6.conf.default.hop_limit": "64",
    "net.netfilter.nf_conntrack_checksum": "1",
    "net.netfilter.nf_conntrack_tcp_loose": "1",
    "net.netfilter.nf_conntrack_tcp_max_retrans": "3",
    "net.bridge.bridge-nf-call-iptables": "1",
    "net.bridge.bridge-nf-call-ip6tables": "1",
}


@frozen
class Sysctls:
    """Settings by name as the files under /proc/sys show them; those that are not `given` have their defaults."""

    given: Mapping[str, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return the setting's text, "0" for one that nobody knows."""
        return self.given.get(name) or DEFAULTS.get(name, "0")

    def number(self, name: str) -> int:
        """Return the setting as a number, its first one where it has several; 0 where it is none."""
        words = self.text(name).split()
        try:
            return int(words[0]) if words else 0
        except ValueError:
            return 0

    def of_interface(self, family: int, interface: str, setting: str) -> int:
        """Return what `conf.INTERFACE.SETTING` is: as given, else that of `default`, which interfaces follow."""
        start = f"net.ipv{family}.conf."
        for name in (interface.translate(_SWAPPED), interface):
            if f"{start}{name}.{setting}" in self.given:
                return self.number(f"{start}{name}.{setting}")
        return self.number(f"{start}default.{setting}")

    def of_all(self, family: int, setting: str) -> int:
        """Return what `conf.all.SETTING` is."""
        return self.number(f"net.ipv{family}.conf.all.{setting}")

    def either(self, family: int, interface: str, setting: str) -> bool:
        """Whether the setting is on for all interfaces or for this one (IN_DEV_ORCONF)."""
        return bool(self.of_all(family, setting) or self.of_interface(family, interface, setting))

    def rp_filter(self, interface: str) -> int:
        """Return 0 for none, 1 for strict, 2 for loose: the larger of all's and the interface's (IN_DEV_MAXCONF)."""
        return max(self.of_all(4, "rp_filter"), self.of_interface(4, interface, "rp_filter"))

    def forwards(self, family: int, interface: str) -> bool:
        """Whether packets that came in by the interface may be forwarded.

        Writing `ip_forward` or IPv4's `conf.all.forwarding` writes every interface's own setting, which alone decides; in IPv6
        `conf.all.forwarding` decides, or the interface's `force_forwarding` (Linux 6.17).
        """
        if family == 6:
            return bool(self.of_all(6, "forwarding") or self.of_interface(6, interface, "force_forwarding"))
        for name in (interface.translate(_SWAPPED), interface):
            if (own := f"net.ipv4.conf.{name}.forwarding") in self.given:
                return bool(self.number(own))
        for name in ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding"):
            if name in self.given:
                return bool(self.number(name))
        return bool(self.number("net.ipv4.conf.default.forwarding"))


_SWAPPED = str.maketrans("./", "/.")
