"""A host on which the plugins are called: what each call does, with the addresses that containers got.

A call that a plugin would refuse is an error at its place, as is one whose addresses nobody can know.
"""

from __future__ import annotations

from typing import NoReturn

from policyc.diagnostics import InputError, diagnose
from policyc.engines.cni.addresses import Leases, NoAddressError
from policyc.engines.cni.hand import Hand
from policyc.engines.cni.nft_hand import NftHand
from policyc.engines.cni.scenario import (
    Drawn,
    Firewall,
    HostLocal,
    IngressPolicy,
    Interface,
    Main,
    Operation,
    Portmap,
    Static,
    Unknowable,
    Verb,
)
from policyc.engines.cni.versions import Behaviour
from policyc.engines.tables import Tables
from policyc.frozen import frozen


@frozen
class Attached:
    """An interface of a container on a network: what the first plugin answered."""

    addresses: tuple[Interface, ...]
    bridge: str

    @property
    def families(self) -> tuple[int, ...]:
        """The families of its addresses, in their order."""
        return tuple(dict.fromkeys(address.version for address in self.addresses))

    def first(self, family: int) -> Interface | None:
        """Return its first address of a family: the only one that ports are led to."""
        return next((address for address in self.addresses if address.version == family), None)


class Runtime:
    """Carries out calls one after the other."""

    def __init__(self, how: Behaviour, drawn: Drawn) -> None:
        self.tables = Tables("cni")
        self.nft = NftHand()
        self._hand = Hand(self.tables, how)
        self._drawn = drawn
        self._leases: dict[tuple[str, str], Leases] = {}
        self._attached: dict[tuple[str, str, str], Attached] = {}

    def call(self, operation: Operation) -> None:
        """Carry out a call. Raises InputError where a plugin would refuse it."""
        match operation.verb:
            case Verb.ADD:
                self._add(operation)
            case Verb.DEL:
                self._delete(operation)
            case Verb.CHECK:
                if self._key(operation) not in self._attached:
                    self._refuse(operation, "has nothing to check: there was no ADD for it")

    def _key(self, operation: Operation) -> tuple[str, str, str]:
        return operation.network, operation.container, operation.interface

    def _refuse(self, operation: Operation, why: str) -> NoReturn:
        message = f"`{operation.interface}` of `{operation.container}` on `{operation.network}` {why}"
        raise InputError([diagnose("engine-refuses", message, operation.span)])

    def _add(self, operation: Operation) -> None:
        if self._key(operation) in self._attached:
            self._refuse(operation, "is there already")
        attached = Attached((), "")
        for plugin in operation.plugins:
            match plugin:
                case Main():
                    attached = Attached(self._addresses(operation, plugin), plugin.bridge)
                    self._masquerade(operation, plugin, attached)
                case Portmap():
                    self._map_ports(operation, plugin, attached)
                case Firewall():
                    self._hand.let_through(plugin, (address.ip for address in attached.addresses))
                    if plugin.policy is not IngressPolicy.OPEN:
                        if not attached.bridge:
                            self._refuse(operation, f"has no bridge to keep apart (ingress policy {plugin.policy})")
                        self._hand.isolate(plugin.policy, attached.bridge, attached.families)
        self._attached[self._key(operation)] = attached

    def _masquerade(self, operation: Operation, plugin: Main, attached: Attached) -> None:
        if plugin.masquerade and plugin.on_nftables:
            self.nft.masquerade(attached.addresses, operation.network, operation.interface, operation.container)
        elif plugin.masquerade:
            for address in attached.addresses:
                self._hand.masquerade(address, operation.network, operation.container)

    def _map_ports(self, operation: Operation, plugin: Portmap, attached: Attached) -> None:
        for family in (4, 6) if plugin.mappings else ():
            address = attached.first(family)
            if address is None:
                continue
            if plugin.on_nftables:
                self.nft.map_ports(plugin, address, operation.container)
            else:
                self._hand.map_ports(plugin, address, operation.network, operation.container, operation.span)

    def _delete(self, operation: Operation) -> None:
        """Undo an ADD, the last plugin first; without one there is nothing to undo."""
        attached = self._attached.pop(self._key(operation), None)
        if attached is None:
            return
        for plugin in reversed(operation.plugins):
            match plugin:
                case Main():
                    self._release(operation, plugin, attached)
                case Portmap() if plugin.mappings and plugin.on_nftables:
                    self.nft.unmap_ports(operation.container)
                case Portmap() if plugin.mappings:
                    self._hand.unmap_ports(operation.network, operation.container)
                case Firewall():
                    self._hand.stop_letting_through(address.ip for address in attached.addresses)
                case _:
                    pass

    def _release(self, operation: Operation, plugin: Main, attached: Attached) -> None:
        if isinstance(plugin.ipam, HostLocal):
            self._store(operation, plugin.ipam).take_back((operation.container, operation.interface))
        if plugin.masquerade and plugin.on_nftables:
            self.nft.stop_masquerade(operation.network, operation.interface, operation.container)
        elif plugin.masquerade:
            for address in attached.addresses:
                self._hand.stop_masquerade(address, operation.network, operation.container)

    def _store(self, operation: Operation, ipam: HostLocal) -> Leases:
        return self._leases.setdefault((ipam.store, operation.network), Leases())

    def _addresses(self, operation: Operation, plugin: Main) -> tuple[Interface, ...]:
        known = self._drawn.addresses.get((operation.container, operation.network))
        if known:
            return known
        match plugin.ipam:
            case HostLocal() as ipam:
                try:
                    return self._store(operation, ipam).give(ipam, (operation.container, operation.interface))
                except NoAddressError as error:
                    self._refuse(operation, f"gets no address: {error}")
            case Static(addresses):
                return addresses
            case Unknowable(kind):
                hint = f'give them: `--resolved` with {{"containers": {{"{operation.container}": …}}}}'
                message = f"the addresses of `{operation.container}` are given by `{kind}`, which is not known here"
                raise InputError([diagnose("engine-refuses", message, plugin.span or operation.span, help=hint)])
            case None:
                return ()
