"""The names of kube-proxy's chains: the fixed ones, and those that carry a hash of a service's port.

A hash is the first 16 letters of the base32 form of a SHA-256 digest (pkg/proxy/iptables/proxier.go, portProtoHash).
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256

SERVICES = "KUBE-SERVICES"
EXTERNAL_SERVICES = "KUBE-EXTERNAL-SERVICES"
NODE_PORTS = "KUBE-NODEPORTS"
POSTROUTING = "KUBE-POSTROUTING"
MARK_MASQ = "KUBE-MARK-MASQ"
FORWARD = "KUBE-FORWARD"
PROXY_FIREWALL = "KUBE-PROXY-FIREWALL"
CANARY = "KUBE-PROXY-CANARY"
KUBELET_FIREWALL = "KUBE-FIREWALL"

CLUSTER_POLICY = "KUBE-SVC-"
LOCAL_POLICY = "KUBE-SVL-"
EXTERNAL = "KUBE-EXT-"
FIREWALL = "KUBE-FW-"
ENDPOINT = "KUBE-SEP-"
HASHED = (CLUSTER_POLICY, LOCAL_POLICY, EXTERNAL, FIREWALL, ENDPOINT)
_LETTERS = 16


def hashed(prefix: str, port: str, protocol: str, endpoint: str = "") -> str:
    """Return the name of a chain for a port (`namespace/name:port`), or for an endpoint (`address:port`) of it."""
    digest = sha256(f"{port}{protocol}{endpoint}".encode()).digest()
    return prefix + b32encode(digest).decode()[:_LETTERS]
