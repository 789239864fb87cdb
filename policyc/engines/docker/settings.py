"""The flags of dockerd, or its daemon.json, as Settings."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address, ip_network
from typing import TypeVar

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.docker.scenario import AddressPool, Settings
from policyc.engines.docker.versions import Behaviour
from policyc.engines.docker.vocabulary import HARMLESS_FLAGS
from policyc.engines.given import Given

T = TypeVar("T")
_LATER = frozenset({"ip-forward-no-drop", "allow-direct-routing", "bridge-accept-fwmark", "firewall-backend"})
_MODELLED = frozenset({
    "iptables", "ip6tables", "experimental", "userland-proxy", "ip-forward", "ip-forward-no-drop", "allow-direct-routing",
    "live-restore", "bridge", "icc", "ip-masq", "ip", "ipv6", "bip", "bip6", "fixed-cidr", "fixed-cidr-v6",
    "default-address-pools", "default-address-pool", "default-network-opts", "default-network-opt", "bridge-accept-fwmark",
    "firewall-backend",
})  # fmt: skip


def read_settings(given: Given, how: Behaviour) -> tuple[Settings, list[Diagnostic]]:
    """Return settings and remarks on flags that are not modelled or that the release does not have."""
    notes = [_remark(name, item) for name, item in given.entries() if name not in _MODELLED | HARMLESS_FLAGS]
    absent = {name for name in _LATER - how.daemon_flags if name in given}
    for name in sorted(absent):
        message = f"this release has no flag `{name}`"
        notes.append(diagnose("engine-option-ignored", message, given.at(name).span))

    def flag(name: str, *, default: bool) -> bool:
        return default if name in absent else given.at(name).flag(default)

    backend = "iptables" if "firewall-backend" in absent else given.at("firewall-backend").text("iptables")
    if backend not in {"iptables", "nftables"}:
        given.at("firewall-backend").wrong(f"must be iptables or nftables, not `{backend}`")
    settings = Settings(
        iptables=flag("iptables", default=True),
        ip6tables=flag("ip6tables", default=True) if "ip6tables" in given else None,
        experimental=flag("experimental", default=False),
        userland_proxy=flag("userland-proxy", default=True),
        ip_forward=flag("ip-forward", default=True),
        ip_forward_no_drop=flag("ip-forward-no-drop", default=False),
        allow_direct_routing=flag("allow-direct-routing", default=False),
        live_restore=flag("live-restore", default=False),
        bridge=given.at("bridge").text("docker0"),
        icc=flag("icc", default=True),
        ip_masq=flag("ip-masq", default=True),
        ip=_read(given.at("ip"), ip_address),
        ipv6=flag("ipv6", default=False),
        bip=_read(given.at("bip"), IPv4Interface),
        bip6=_read(given.at("bip6"), IPv6Interface),
        fixed_cidr=_read(given.at("fixed-cidr"), IPv4Network),
        fixed_cidr_v6=_read(given.at("fixed-cidr-v6"), IPv6Network),
        address_pools=_pools(given),
        bridge_options=_bridge_options(given),
        accept_mark="" if "bridge-accept-fwmark" in absent else given.at("bridge-accept-fwmark").text(),
        backend=backend,
    )
    return settings, notes


def _remark(name: str, given: Given) -> Diagnostic:
    message = f"the flag `{name}` of the daemon is not modelled"
    return diagnose("engine-option-ignored", message, given.span)


def _read(given: Given, convert: Callable[[str], T]) -> T | None:
    text = given.text()
    if not text:
        return None
    try:
        return convert(text)
    except ValueError as error:
        given.wrong(f"cannot be read: {error}")
        return None


def _pools(given: Given) -> tuple[AddressPool, ...]:
    """Return the pools of daemon.json (a list of objects) or of the flag (`base=10.0.0.0/8,size=24`)."""
    found: list[AddressPool] = []
    for item in given.at("default-address-pools").items():
        base = _read(item.at("base"), ip_network)
        if base is not None:
            found.append(AddressPool(base, item.at("size").number(base.prefixlen, base.max_prefixlen)))
    flag = given.at("default-address-pool")
    for text in flag.texts() if flag.value is not None else ():
        parts = dict(part.partition("=")[::2] for part in text.split(","))
        try:
            found.append(AddressPool(ip_network(parts.get("base", "")), int(parts.get("size", ""))))
        except ValueError:
            flag.wrong("must be as `base=10.0.0.0/8,size=24`")
    return tuple(found)


def _bridge_options(given: Given) -> dict[str, str]:
    """Return options for bridge networks: daemon.json has them by driver, the flag writes `bridge=NAME=VALUE`."""
    found = {name: item.text() for name, item in given.at("default-network-opts").at("bridge").entries()}
    flag = given.at("default-network-opt")
    for text in flag.texts() if flag.value is not None else ():
        driver, _, option = text.partition("=")
        name, _, value = option.partition("=")
        if driver == "bridge":
            found[name] = value
    return found
