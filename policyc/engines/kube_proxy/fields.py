"""Fields of Kubernetes objects read from a document: names, addresses and choices, each wrong one reported at its place."""

from __future__ import annotations

import re

from policyc.engines.fields import Subnet, choice, network_of
from policyc.engines.given import Given

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


def protocol_of(given: Given) -> str:
    """Return a protocol in lower case, as rules have it."""
    return choice(given, PROTOCOLS, "TCP").lower()


def networks_of(given: Given) -> tuple[Subnet, ...]:
    """Return a list of networks."""
    found = [network_of(item) for item in given.items()]
    return tuple(each for each in found if each is not None)
