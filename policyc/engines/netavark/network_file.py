"""A network in JSON as a value, as `podman network inspect` prints it and podman passes it to netavark."""

from __future__ import annotations

import re
from collections.abc import Mapping

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.fields import Address, Subnet, address_of, choice, network_of
from policyc.engines.given import Given
from policyc.engines.netavark.scenario import Isolation, Network
from policyc.engines.netavark.versions import Behaviour

_KEYS = {
    "name", "id", "driver", "network_interface", "created", "subnets", "ipv6_enabled", "internal", "dns_enabled", "options",
    "ipam_options", "routes", "network_dns_servers", "labels", "containers",
}  # fmt: skip
_KNOWN_OPTIONS = frozenset({
    "isolate", "mode", "mtu", "metric", "no_default_route", "vrf", "vlan", "parent", "bclim", "host_interface_name",
    "com.docker.network.driver.mtu",
})  # fmt: skip
_SUBNET_KEYS = {"subnet", "gateway", "lease_range"}
_DRIVERS = ("bridge", "macvlan", "ipvlan")
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*")
_INTERFACE = re.compile(r"[^\s/:]{1,15}")


class NetworkReader:
    """Reads networks as a release does; `notes` are remarks on what it ignores."""

    def __init__(self, how: Behaviour) -> None:
        self.how = how
        self.notes: list[Diagnostic] = []

    def read(self, given: Given) -> Network:
        """Return a network."""
        if not isinstance(given.value, Mapping):
            given.wrong("must be a network, as `podman network inspect` prints it")
        given.unknown_keys(_KEYS)
        name, interface = given.at("name").text(), given.at("network_interface").text()
        if not _NAME.fullmatch(name):
            given.at("name").wrong("must be a name of letters, digits, `_`, `.` and `-`")
        driver = choice(given.at("driver"), _DRIVERS, "bridge")
        if driver == "bridge" and not _INTERFACE.fullmatch(interface):
            given.at("network_interface").wrong("must be the name of the bridge, at most 15 characters")
        for option, item in given.at("options").entries():
            if option not in _KNOWN_OPTIONS:
                message = f"the option `{option}` of the network `{name}` is not modelled"
                self.notes.append(diagnose("engine-option-ignored", message, given.document.places.key(item.path)))
        ranges = [_subnet(item) for item in given.at("subnets").items()]
        managed = driver == "bridge" and not self._unmanaged(given.at("options").at("mode"))
        return Network(
            name,
            given.at("id").text(),
            interface,
            tuple(subnet for subnet, _ in ranges if subnet is not None),
            tuple(gateway for _, gateway in ranges if gateway is not None),
            self._isolation(given.at("options").at("isolate")),
            managed and not given.at("internal").flag(),
            given.span,
        )

    def _unmanaged(self, given: Given) -> bool:
        if given.text() != "unmanaged":
            return False
        if not self.how.unmanaged:
            message = "this release does not know `mode=unmanaged` and makes its rules all the same"
            self.notes.append(diagnose("engine-option-ignored", message, given.span))
        return self.how.unmanaged

    def _isolation(self, given: Given) -> Isolation:
        known = [each.value for each in Isolation if each is not Isolation.STRICT or self.how.strict_isolation]
        if isinstance(given.value, bool):
            return Isolation.NORMAL if given.value else Isolation.NEVER
        return Isolation(choice(given, known, Isolation.NEVER.value))


def _subnet(given: Given) -> tuple[Subnet | None, Address | None]:
    given.unknown_keys(_SUBNET_KEYS)
    subnet, gateway = network_of(given.at("subnet")), address_of(given.at("gateway"))
    if "subnet" not in given:
        given.wrong("needs a `subnet`, as 10.89.0.0/24")
    if subnet is not None and gateway is not None and gateway not in subnet:
        given.at("gateway").wrong(f"is outside {subnet}")
    return subnet, gateway
