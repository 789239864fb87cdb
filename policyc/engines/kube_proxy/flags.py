"""The flags of kube-proxy as values; those that change nothing about rules are known, so that no misspelled one is missed.

Source: `kube-proxy --help` of 1.28 to 1.34.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from ipaddress import ip_address, ip_network

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.given import Given
from policyc.engines.kube_proxy.scenario import LocalMode, Settings, Subnet
from policyc.engines.kube_proxy.versions import GATES, Behaviour
from policyc.engines.releases import numbers

_TRUTH = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}
_MOST_BIT = 31
_FLAGS = frozenset({"masquerade-all", "iptables-localhost-nodeports", "conntrack-tcp-be-liberal"})
_VALUES = frozenset({
    "proxy-mode", "cluster-cidr", "detect-local-mode", "pod-bridge-interface", "pod-interface-name-prefix",
    "iptables-masquerade-bit", "nodeport-addresses", "hostname-override", "bind-address", "feature-gates",
})  # fmt: skip
_WITHOUT_EFFECT_FLAGS = frozenset({
    "bind-address-hard-fail", "cleanup", "init-only", "ipvs-strict-arp", "profiling", "show-hidden-metrics-for-version",
    "logtostderr", "alsologtostderr",
})  # fmt: skip
_WITHOUT_EFFECT_VALUES = frozenset({
    "config", "config-sync-period", "conntrack-max-per-core", "conntrack-min", "conntrack-tcp-timeout-close-wait",
    "conntrack-tcp-timeout-established", "conntrack-udp-timeout", "conntrack-udp-timeout-stream",
    "healthz-bind-address", "iptables-min-sync-period", "iptables-sync-period", "ipvs-exclude-cidrs",
    "ipvs-min-sync-period", "ipvs-scheduler", "ipvs-sync-period", "ipvs-tcp-timeout", "ipvs-tcpfin-timeout",
    "ipvs-udp-timeout", "kube-api-burst", "kube-api-content-type", "kube-api-qps", "kubeconfig", "log-flush-frequency",
    "log-json-info-buffer-size", "log-json-split-stream", "log-text-info-buffer-size", "log-text-split-stream",
    "logging-format", "master", "metrics-bind-address", "oom-score-adj", "proxy-port-range", "v", "vmodule",
    "write-config-to",
})  # fmt: skip
_EVERY = sorted(_FLAGS | _VALUES | _WITHOUT_EFFECT_FLAGS | _WITHOUT_EFFECT_VALUES)


def read_flags(given: Given, release: str, how: Behaviour) -> tuple[Settings, list[Diagnostic], list[Given]]:
    """Return the settings of a list of flags, remarks on them, and the words that are no flags.

    What is wrong is reported in its document.
    """
    settings = Settings()
    notes: list[Diagnostic] = []
    others: list[Given] = []
    words = list(given.items())
    while words:
        word = words.pop(0)
        text = word.text()
        name, equals, value = text.removeprefix("--").removeprefix("-").partition("=")
        if not text.startswith("-") or text == "-":
            others.append(word)
            continue
        if name not in _EVERY:
            near = get_close_matches(name, _EVERY, n=1)
            word.wrong(f"is no flag of kube-proxy: `{text}`", f"did you mean `--{near[0]}`?" if near else "")
            continue
        if not equals and name not in _FLAGS | _WITHOUT_EFFECT_FLAGS:
            if not words:
                word.wrong(f"needs a value behind it: `{text}`")
                continue
            word = words.pop(0)
            value = word.text()
        if name == "config":
            message = "what `--config` names is not read; give its settings as flags"
            notes.append(diagnose("engine-option-ignored", message, word.span))
            continue
        try:
            settings = _SETTERS.get(name, _nothing)(settings, value or "true")
            _known_gates(settings, release)
        except ValueError as error:
            word.wrong(f"has a wrong value for `--{name}`: {_said(error)}")
    if settings.primary_node_ports and not how.primary_addresses:
        given.wrong(f"`--nodeport-addresses=primary` is not known to kube-proxy {release}")
    return settings, notes, others


def _said(error: ValueError) -> str:
    return str(error).replace("'", "`")


def _nothing(settings: Settings, _: str) -> Settings:
    return settings


def _truth(value: str) -> bool:
    if value.lower() not in _TRUTH:
        raise ValueError(f"`{value}` is neither true nor false")
    return _TRUTH[value.lower()]


def _proxy_mode(settings: Settings, value: str) -> Settings:
    if value != "iptables":
        raise ValueError(f"the mode `{value}` is not modelled, only `iptables`")
    return settings


def _networks(value: str) -> tuple[Subnet, ...]:
    return tuple(ip_network(each.strip(), strict=False) for each in value.split(",") if each.strip())


def _local_mode(settings: Settings, value: str) -> Settings:
    known = {mode.value: mode for mode in LocalMode}
    if value not in known:
        raise ValueError(f"`{value}` is none of {', '.join(known)}")
    return replace(settings, local_mode=known[value])


def _bit(settings: Settings, value: str) -> Settings:
    if not value.isdecimal() or int(value) > _MOST_BIT:
        raise ValueError(f"`{value}` is no number from 0 to {_MOST_BIT}")
    return replace(settings, masquerade_bit=int(value))


def _node_ports(settings: Settings, value: str) -> Settings:
    if value == "primary":
        return replace(settings, primary_node_ports=True)
    return replace(settings, node_port_addresses=(*settings.node_port_addresses, *_networks(value)))


def _gates(settings: Settings, value: str) -> Settings:
    found = dict(settings.gates)
    for part in value.split(","):
        name, _, state = part.strip().partition("=")
        if name in GATES:
            found[name] = _truth(state)
    return replace(settings, gates=found)


def _known_gates(settings: Settings, release: str) -> None:
    for name in settings.gates:
        since = GATES[name][2]
        if numbers(release) < numbers(since):
            raise ValueError(f"the gate {name} came with {since}")


_SETTERS: dict[str, Callable[[Settings, str], Settings]] = {
    "proxy-mode": _proxy_mode,
    "cluster-cidr": lambda settings, value: replace(settings, cluster_cidrs=_networks(value)),
    "detect-local-mode": _local_mode,
    "pod-bridge-interface": lambda settings, value: replace(settings, bridge_interface=value),
    "pod-interface-name-prefix": lambda settings, value: replace(settings, interface_prefix=value),
    "masquerade-all": lambda settings, value: replace(settings, masquerade_all=_truth(value)),
    "iptables-masquerade-bit": _bit,
    "iptables-localhost-nodeports": lambda settings, value: replace(settings, localhost_node_ports=_truth(value)),
    "nodeport-addresses": _node_ports,
    "hostname-override": lambda settings, value: replace(settings, node_name=value.strip().lower()),
    "bind-address": lambda settings, value: replace(settings, bind_address=ip_address(value)),
    "conntrack-tcp-be-liberal": lambda settings, value: replace(settings, liberal_tracking=_truth(value)),
    "feature-gates": _gates,
}
