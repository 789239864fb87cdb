"""Fields of foreign documents read as values: addresses, networks, choices; each wrong one is reported at its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeVar

from policyc.engines.given import Given

T = TypeVar("T")
Address = IPv4Address | IPv6Address
Subnet = IPv4Network | IPv6Network


def converted(given: Given, convert: Callable[[str], T], wanted: str) -> T | None:
    """Return a text converted, None where there is none, or where it is wrong, which is reported."""
    text = given.text()
    if not text:
        return None
    try:
        return convert(text)
    except ValueError:
        given.wrong(f"must be {wanted}, not `{text}`")
        return None


def choice(given: Given, choices: Iterable[str], default: str) -> str:
    """Return one of some words, the default where there is none or a wrong one, which is reported."""
    text = given.text(default) or default
    known = tuple(choices)
    if text not in known:
        near = get_close_matches(text, known, n=1, cutoff=0.5)
        words = f"{', '.join(known[:-1])} or {known[-1]}"
        given.wrong(f"must be {words}, not `{text}`", f"did you mean `{near[0]}`?" if near else "")
        return default
    return text


def address_of(given: Given) -> Address | None:
    """Return an address, None where there is none."""
    return converted(given, ip_address, "an address")


def network_of(given: Given) -> Subnet | None:
    """Return a network, None where there is none; bits behind its prefix are cut off, as the engines do."""
    return converted(given, lambda text: ip_network(text, strict=False), "a network, as 192.0.2.0/24")


def addresses_of(given: Given) -> tuple[Address, ...]:
    """Return a list of addresses."""
    return tuple(found for item in given.items() if (found := address_of(item)) is not None)
