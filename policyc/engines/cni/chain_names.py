"""Names and comments by which the plugins find their chains and rules again (pkg/utils/utils.go, portmap_iptables.go)."""

from __future__ import annotations

from hashlib import sha512

HOSTPORT_DNAT = "CNI-HOSTPORT-DNAT"
HOSTPORT_SETMARK = "CNI-HOSTPORT-SETMARK"
HOSTPORT_MASQ = "CNI-HOSTPORT-MASQ"
FORWARD = "CNI-FORWARD"
ISOLATION_1 = "CNI-ISOLATION-STAGE-1"
ISOLATION_2 = "CNI-ISOLATION-STAGE-2"

_MOST_CHAIN = 28
_MOST_COMMENT = 255
_MOST_NFT_COMMENT = 128
_NFT_HASH = 16


def masquerade_chain(network: str, container: str) -> str:
    """Return the chain that masquerades what a container sends out."""
    return _hashed("CNI-", network, container)


def translation_chain(network: str, container: str) -> str:
    """Return the chain that leads host ports to a container."""
    return _hashed("CNI-DN-", network, container)


def _hashed(prefix: str, network: str, container: str) -> str:
    return prefix + sha512(f"{network}{container}".encode()).hexdigest()[: _MOST_CHAIN - len(prefix)]


def owner_comment(network: str, container: str) -> str:
    """Return the comment of the rules that masquerade."""
    return f'name: "{network}" id: "{container}"'


def translation_comment(network: str, container: str) -> str:
    """Return the comment of the rules that lead into a container's translations; iptables takes no longer one."""
    text = f'dnat name: "{network}" id: "{container}"'
    return text if len(text) <= _MOST_COMMENT else f"{text[: _MOST_COMMENT - 2]}..."


def nft_comment(network: str, interface: str, container: str) -> str:
    """Return the comment that masquerading with nftables finds its rules by (pkg/ip/ipmasq_nftables_linux.go)."""
    text = f"{_short(network)}-{_short(f'{interface}:{container}')}, net: {network}, if: {interface}, id: {container}"
    return text[:_MOST_NFT_COMMENT]


def _short(text: str) -> str:
    return sha512(text.encode()).hexdigest()[:_NFT_HASH]
