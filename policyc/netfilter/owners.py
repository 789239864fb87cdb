"""Chains that other tools make and fill, told by their names: read as causes, never reported as if their user had written them.

The prefixes are those of the tools' own sources. DOCKER-USER is not among them: Docker makes it for its user.
"""

from __future__ import annotations

_PREFIXES: tuple[tuple[str, str], ...] = (
    ("DOCKER", "docker"),
    ("KUBE-", "kube-proxy"),
    ("CNI-", "cni"),
    ("NETAVARK", "netavark"),
    ("LIBVIRT_", "libvirt"),
    ("FLANNEL-", "flannel"),
    ("cali-", "calico"),
    ("CILIUM_", "cilium"),
    ("f2b-", "fail2ban"),
    ("ufw-", "ufw"),
    ("ufw6-", "ufw"),
)
_OF_THE_USER = ("DOCKER-USER", "ufw-user-", "ufw6-user-")


def owner_of(chain: str) -> str:
    """Return the tool that a chain belongs to by its name, "" where its name says nothing."""
    if chain.startswith(_OF_THE_USER):
        return ""
    return next((owner for prefix, owner in _PREFIXES if chain.startswith(prefix)), "")
