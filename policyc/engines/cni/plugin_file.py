"""The configuration of one plugin, in JSON, as a value; what is wrong is reported at the key, what is ignored is remarked.

Plugins ignore keys that they do not know, so that an unknown key is no error, but never silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.cni.ipam_file import read_ipam
from policyc.engines.cni.scenario import (
    DEFAULT_BRIDGE,
    DEFAULT_MARK_BIT,
    Firewall,
    IngressPolicy,
    Main,
    Plugin,
    Portmap,
    PortMapping,
)
from policyc.engines.cni.versions import Behaviour
from policyc.engines.fields import address_of, choice
from policyc.engines.given import Given
from policyc.readers.json_places import spelled

_COMMON = {"cniVersion", "name", "type", "capabilities", "runtimeConfig", "args", "ipam", "dns", "prevResult"}
_BRIDGE = {
    "bridge", "isGateway", "isDefaultGateway", "forceAddress", "ipMasq", "ipMasqBackend", "mtu", "hairpinMode",
    "promiscMode", "macspoofchk", "vlan", "vlanTrunk", "preserveDefaultVlan", "enabledad",
    "disableContainerInterface", "portIsolation",
}  # fmt: skip
_PORTMAP = {
    "snat", "markMasqBit", "externalSetMarkChain", "conditionsV4", "conditionsV6", "masqAll", "backend",
}  # fmt: skip
_FIREWALL = {"backend", "iptablesAdminChainName", "firewalldZone", "ingressPolicy"}
_MAIN_WITHOUT_RULES = frozenset({"macvlan", "ipvlan", "host-device", "vlan", "loopback", "dummy", "tap"})
_META_WITHOUT_RULES = frozenset({"tuning", "bandwidth", "sbr", "vrf"})
_CHAIN = re.compile(r"[^\s!\-][^\s]{0,27}")
_INTERFACE = re.compile(r"[^\s/:]{1,15}")
_PROTOCOLS = ("tcp", "udp", "sctp")


class PluginReader:
    """Reads plugins as a release does; `notes` are remarks on what it ignores.

    `arguments` are what a runtime passes, by capability, to each plugin that has it, if the plugin has not its own already.
    """

    def __init__(self, how: Behaviour, arguments: Given | None = None) -> None:
        self.how = how
        self.notes: list[Diagnostic] = []
        self._arguments = arguments

    def argument(self, plugin: Given, name: str) -> Given:
        """Return an argument of the runtime to a plugin."""
        own = plugin.at("runtimeConfig")
        if name not in own and self._arguments is not None and plugin.at("capabilities").at(name).flag():
            return self._arguments.at(name)
        return own.at(name)

    def read(self, given: Given) -> Plugin | None:
        """Return a plugin, None for one that installs no rules, or that is wrong."""
        kind = given.at("type").text()
        if kind == "bridge":
            return self._bridge(given)
        if kind == "ptp":
            return self._point_to_point(given)
        if kind == "portmap":
            return self._portmap(given)
        if kind == "firewall":
            return self._firewall(given)
        if kind in _MAIN_WITHOUT_RULES:
            return Main(kind, read_ipam(given, self.argument), span=given.span)
        if not kind:
            given.wrong("needs a `type`: the plugin's name")
        elif kind not in _META_WITHOUT_RULES:
            self._note(given.at("type"), f"what the plugin `{kind}` installs is not known here")
        return None

    def _bridge(self, given: Given) -> Main:
        self._ignored(given, _BRIDGE)
        if given.at("macspoofchk").flag():
            self._note(given.at("macspoofchk"), "`macspoofchk` makes rules of nftables' bridge family, not shown here")
        bridge = given.at("bridge").text() or DEFAULT_BRIDGE
        if not _INTERFACE.fullmatch(bridge):
            given.at("bridge").wrong(f"must be an interface's name of at most 15 characters, not `{bridge}`")
        ipam = read_ipam(given, self.argument)
        masquerade = given.at("ipMasq").flag() and ipam is not None
        on_nftables = self._on_nftables(given.at("ipMasqBackend"))
        return Main("bridge", ipam, bridge, masquerade, on_nftables, given.span)

    def _point_to_point(self, given: Given) -> Main:
        self._ignored(given, {"ipMasq", "ipMasqBackend", "mtu"})
        on_nftables = self._on_nftables(given.at("ipMasqBackend"))
        return Main("ptp", read_ipam(given, self.argument), "", given.at("ipMasq").flag(), on_nftables, given.span)

    def _portmap(self, given: Given) -> Portmap:
        self._ignored(given, _PORTMAP)
        if "markMasqBit" in given and "externalSetMarkChain" in given:
            given.at("markMasqBit").wrong(
                "cannot stand beside `externalSetMarkChain`: the plugin refuses both together"
            )
        everything = given.at("masqAll").flag()
        if everything and not self.how.masquerades_all:
            self._note(given.at("masqAll"), "this release does not know `masqAll` and ignores it")
            everything = False
        mappings = [_mapping(item) for item in self.argument(given, "portMappings").items()]
        on_nftables = self._on_nftables(given.at("backend"))
        return Portmap(
            mappings=tuple(each for each in mappings if each is not None),
            snat=given.at("snat").flag(default=True),
            mark_bit=given.at("markMasqBit").number(0, 31, DEFAULT_MARK_BIT),
            set_mark_chain=_chain(given.at("externalSetMarkChain")) if "externalSetMarkChain" in given else None,
            masquerade_all=everything,
            conditions=((4, given.at("conditionsV4").texts()), (6, given.at("conditionsV6").texts())),
            on_nftables=on_nftables,
            span=given.span,
        )

    def _firewall(self, given: Given) -> Firewall | None:
        self._ignored(given, _FIREWALL)
        admin = _chain(given.at("iptablesAdminChainName")) or "CNI-ADMIN"
        policies = [each.value for each in IngressPolicy if each is not IngressPolicy.ISOLATED or self.how.isolated]
        policy = IngressPolicy(choice(given.at("ingressPolicy"), policies, IngressPolicy.OPEN))
        if given.at("backend").text() == "firewalld":
            self._note(given.at("backend"), "what firewalld makes of the address in its zone is not shown here")
            return None
        return Firewall(admin, policy, given.span)

    def _on_nftables(self, given: Given) -> bool:
        if given.value is None:
            return False
        if not self.how.nftables:
            self._note(given, "this release has no backends and uses iptables")
            return False
        return choice(given, ("iptables", "nftables"), "iptables") == "nftables"

    def _ignored(self, given: Given, known: Iterable[str]) -> None:
        names = {*_COMMON, *known}
        for name, item in given.entries():
            if name in names:
                continue
            near = get_close_matches(name, sorted(names), n=1)
            message = f"the plugin `{given.at('type').text()}` ignores the key `{spelled(item.path)}`"
            place = given.document.places.key(item.path)
            hint = f"did you mean `{near[0]}`?" if near else ""
            self.notes.append(diagnose("engine-option-ignored", message, place, help=hint))

    def _note(self, given: Given, message: str) -> None:
        self.notes.append(diagnose("engine-option-ignored", message, given.span))


def _mapping(given: Given) -> PortMapping | None:
    if not isinstance(given.value, Mapping):
        given.wrong("must be a mapping of `hostPort`, `containerPort` and `protocol`")
        return None
    given.unknown_keys({"hostPort", "containerPort", "protocol", "hostIP"})
    for name in ("hostPort", "containerPort", "protocol"):
        if name not in given:
            given.wrong(f"needs `{name}`")
    protocol = given.at("protocol").text().lower()
    if protocol and protocol not in _PROTOCOLS:
        given.at("protocol").wrong(f"must be tcp, udp or sctp, not `{protocol}`")
    ports = [given.at(name).number(1, 65535) for name in ("hostPort", "containerPort")]
    return PortMapping(protocol, ports[0], ports[1], address_of(given.at("hostIP")))


def _chain(given: Given) -> str:
    text = given.text()
    if text and not _CHAIN.fullmatch(text):
        given.wrong(f"must be a chain's name of at most 28 characters, not `{text}`")
    return text
