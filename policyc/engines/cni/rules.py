"""The rules of the plugins, in the words of iptables: each function yields them in the order in which they are put there.

A rule stands at the end of its chain, or at its top; one that is there already is left where it is.
Sources: pkg/ip/ipmasq_iptables_linux.go, plugins/meta/portmap/portmap_iptables.go, plugins/meta/firewall.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.engines.cni import chain_names as names
from policyc.engines.cni.scenario import Firewall, IngressPolicy, Interface, Portmap
from policyc.engines.cni.versions import Behaviour
from policyc.engines.fields import Address
from policyc.frozen import frozen
from policyc.netfilter.quoting import quote_word

_MULTICAST = {4: "224.0.0.0/4", 6: "ff00::/8"}
_EVERYTHING = {4: "0.0.0.0/0", 6: "::/0"}
_MOST_PORTS = 15
"""As many ports a `multiport` match takes."""


@frozen
class Placed:
    """A rule, its chain, and whether it stands at the top."""

    chain: str
    rule: str
    top: bool = False


def _comment(text: str) -> str:
    return f"-m comment --comment {quote_word(text)}"


def masquerade(address: Interface, network: str, container: str) -> Iterator[Placed]:
    """Yield the rules of `ipMasq` for an address: what leaves its network comes from the host."""
    chain, comment = names.masquerade_chain(network, container), _comment(names.owner_comment(network, container))
    yield Placed(chain, f"-d {address.network} {comment} -j ACCEPT")
    yield Placed(chain, f"! -d {_MULTICAST[address.version]} {comment} -j MASQUERADE")
    yield masquerade_entry(address, network, container)


def masquerade_entry(address: Interface, network: str, container: str) -> Placed:
    """Return the rule that leads into the chain of `masquerade`."""
    comment = _comment(names.owner_comment(network, container))
    return Placed("POSTROUTING", f"-s {address.ip} {comment} -j {names.masquerade_chain(network, container)}")


def mark_chains(plugin: Portmap) -> Iterator[Placed]:
    """Yield the rules that mark what must be masqueraded, and masquerade what is marked."""
    bit = f"{1 << plugin.mark_bit:#x}"
    mark = f"{bit}/{bit}"
    yield Placed(names.HOSTPORT_SETMARK, f"{_comment('CNI portfwd masquerade mark')} -j MARK --set-xmark {mark}")
    yield Placed(names.HOSTPORT_MASQ, f"-m mark --mark {mark} -j MASQUERADE")
    enters = f"{_comment('CNI portfwd requiring masquerade')} -j {names.HOSTPORT_MASQ}"
    yield Placed("POSTROUTING", enters, top=True)


def hostport_entries() -> Iterator[Placed]:
    """Yield the rules that lead into the translations of all containers."""
    for chain in ("PREROUTING", "OUTPUT"):
        yield Placed(chain, f"-m addrtype --dst-type LOCAL -j {names.HOSTPORT_DNAT}")


def port_mappings(plugin: Portmap, address: Interface, network: str, container: str) -> Iterator[Placed]:
    """Yield the translations of a container's ports, then the rules that lead to them."""
    family, chain = address.version, names.translation_chain(network, container)
    set_mark = plugin.set_mark_chain or names.HOSTPORT_SETMARK
    for mapping in plugin.mappings:
        if not mapping.concerns(family):
            continue
        at = f"-p {mapping.protocol} --dport {mapping.host_port}"
        if mapping.host is not None and not mapping.host.is_unspecified:
            at += f" -d {mapping.host}"
        if plugin.snat:
            source = _EVERYTHING[family] if plugin.masquerade_all else str(address.network)
            yield Placed(chain, f"{at} -s {source} -j {set_mark}")
            if family == 4 and not plugin.masquerade_all:
                yield Placed(chain, f"{at} -s 127.0.0.1 -j {set_mark}")
        yield Placed(chain, f"{at} -j DNAT --to-destination {_target(address.ip, mapping.container_port)}")
    comment = _comment(names.translation_comment(network, container))
    conditions = " ".join(quote_word(word) for word in plugin.conditions_of(family))
    for protocol in sorted({mapping.protocol for mapping in plugin.mappings}):
        # every mapping counts here, also one for an address of the other family
        ports = [str(mapping.host_port) for mapping in plugin.mappings if mapping.protocol == protocol]
        for at_once in range(0, len(ports), _MOST_PORTS):
            some = ",".join(ports[at_once : at_once + _MOST_PORTS])
            way = f"-p {protocol} {comment} -m multiport --dports {some} {conditions}"
            yield Placed(names.HOSTPORT_DNAT, f"{way} -j {chain}")


def _target(address: Address, port: int) -> str:
    return f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"


def firewall_entries(plugin: Firewall) -> Iterator[Placed]:
    """Yield the rules that lead into the plugin's chains."""
    yield Placed("FORWARD", f"{_comment('CNI firewall plugin rules')} -j {names.FORWARD}", top=True)
    overrides = _comment("CNI firewall plugin admin overrides")
    yield Placed(names.FORWARD, f"{overrides} -j {plugin.admin_chain}", top=True)


def let_through(address: Address) -> Iterator[Placed]:
    """Yield the rules that let a container's connections and their answers through."""
    yield Placed(names.FORWARD, f"-d {address} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT")
    yield Placed(names.FORWARD, f"-s {address} -j ACCEPT")


def isolation(policy: IngressPolicy, bridge: str, how: Behaviour) -> Iterator[Placed]:
    """Yield the rules that keep a bridge from others, and where it is `isolated`, its containers from each other."""
    shared = _policy("same-bridge|isolated" if how.isolated else "same-bridge")
    yield Placed("FORWARD", f"{shared} -j {names.ISOLATION_1}", top=True)
    leaves = f"-i {bridge} ! -o {bridge} {_policy('same-bridge')} -j {names.ISOLATION_2}"
    yield Placed(names.ISOLATION_1, leaves, top=True)
    if policy is IngressPolicy.ISOLATED:
        within = f"-i {bridge} -o {bridge} {_policy('isolated')} -j DROP"
        yield Placed(names.ISOLATION_1, within, top=True)
    yield Placed(names.ISOLATION_1, f"{shared} -j RETURN")
    yield Placed(names.ISOLATION_2, f"-o {bridge} {shared} -j DROP", top=True)
    yield Placed(names.ISOLATION_2, f"{shared} -j RETURN")


def _policy(text: str) -> str:
    return _comment(f"CNI firewall plugin rules (ingressPolicy: {text})")
