"""The part `ipam` of a plugin's configuration as a value (plugins/ipam/host-local, plugins/ipam/static)."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_interface

from policyc.engines.cni.addresses import range_of
from policyc.engines.cni.scenario import HostLocal, Interface, Ipam, Range, Static, Unknowable
from policyc.engines.fields import Address, address_of, converted, network_of
from policyc.engines.given import Given

Argument = Callable[[Given, str], Given]
"""Returns an argument of the runtime to a plugin."""


def read_ipam(plugin: Given, argument: Argument) -> Ipam:
    """Return who gives a plugin's addresses, None where it has none (a layer 2 network)."""
    given = plugin.at("ipam")
    kind = given.at("type").text()
    if kind == "host-local":
        return HostLocal(
            _sets(given, argument(plugin, "ipRanges")),
            _requested(plugin, argument(plugin, "ips")),
            given.at("dataDir").text(),
        )
    if kind == "static":
        found = [_interface(item.at("address")) for item in given.at("addresses").items()]
        asked = [_interface(item) for item in argument(plugin, "ips").items()]
        return Static(tuple(each for each in (asked or found) if each is not None))
    return Unknowable(kind) if kind else None


def _sets(given: Given, passed: Given) -> tuple[tuple[Range, ...], ...]:
    """Return the sets of ranges: those of the runtime, the old form right in `ipam`, then `ranges`."""
    sets = [_set(item) for item in passed.items()]
    if "subnet" in given:
        sets.append((_range(given),))
    sets += [_set(item) for item in given.at("ranges").items()]
    if not sets:
        given.wrong("gives no address: there is neither `ranges` nor `subnet`")
    return tuple(tuple(each for each in ranges if each is not None) for ranges in sets)


def _set(given: Given) -> tuple[Range | None, ...]:
    found = tuple(_range(item) for item in given.items())
    if not found and (given.value is None or given.value == []):
        given.wrong("must have a range")
    return found


def _range(given: Given) -> Range | None:
    subnet = network_of(given.at("subnet"))
    if subnet is None:
        if "subnet" not in given:
            given.wrong("needs a `subnet`, as 10.22.0.0/16")
        return None
    first, last, gateway = (address_of(given.at(key)) for key in ("rangeStart", "rangeEnd", "gateway"))
    try:
        return range_of(subnet, first, last, gateway)
    except ValueError as error:
        given.wrong(f"is no range: {error}")
        return None


def _requested(plugin: Given, passed: Given) -> tuple[Address, ...]:
    """Return the addresses that the runtime asks for, by the capability `ips` or by `args`."""
    asked = [*passed.items(), *plugin.at("args").at("cni").at("ips").items()]
    found = [_interface(item) for item in asked]
    return tuple(each.ip for each in found if each is not None)


def _interface(given: Given) -> Interface | None:
    return converted(given, ip_interface, "an address, as 10.22.0.5/24")
