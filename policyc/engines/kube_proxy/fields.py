"""Fields of Kubernetes objects read from a document: names, addresses and choices, each wrong one reported at its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import TypeVar

from policyc.engines.given import Given
from policyc.engines.kube_proxy.scenario import Address, Subnet

T = TypeVar("T")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_LONGEST_NAME = 253
PROTOCOLS = ("TCP", "UDP", "SCTP")


def name_of(given: Given, default: str = "") -> str:
    """Return a name as RFC 1123 has them: letters that are small, digits, `-` and `.`."""
    text = given.text(default)
    if text and (len(text) > _LONGEST_NAME or not _NAME.fullmatch(text)):
        given.wrong(f"must be a name of small letters, digits, `-` and `.`, not `{text}`")
        return default
    return text


def choice(given: Given, choices: Iterable[str], default: str) -> str:
    """Return one of some words."""
    text = given.text(default) or default
    known = tuple(choices)
    if text not in known:
        near = get_close_matches(text, known, n=1, cutoff=0.5)
        given.wrong(f"must be {_either(known)}, not `{text}`", f"did you mean `{near[0]}`?" if near else "")
        return default
    return text


def protocol_of(given: Given) -> str:
    """Return a protocol in lower case, as rules have it."""
    return choice(given, PROTOCOLS, "TCP").lower()


def address_of(given: Given) -> Address | None:
    """Return an address, None where there is none."""
    return _converted(given, ip_address, "an address")


def network_of(given: Given) -> Subnet | None:
    """Return a network, None where there is none; bits behind its prefix are cut off, as Go's net.ParseCIDR does."""
    return _converted(given, lambda text: ip_network(text.strip(), strict=False), "a network, as 192.0.2.0/24")


def addresses_of(given: Given) -> tuple[Address, ...]:
    """Return a list of addresses."""
    found = [address_of(item) for item in given.items()]
    return tuple(each for each in found if each is not None)


def networks_of(given: Given) -> tuple[Subnet, ...]:
    """Return a list of networks."""
    found = [network_of(item) for item in given.items()]
    return tuple(each for each in found if each is not None)


def _converted(given: Given, convert: Callable[[str], T], wanted: str) -> T | None:
    text = given.text()
    if not text:
        return None
    try:
        return convert(text)
    except ValueError:
        given.wrong(f"must be {wanted}, not `{text}`")
        return None


def _either(words: tuple[str, ...]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"
