"""Texts to addresses, networks, endpoints and interfaces: the roles ADDRESS, HOST_ADDRESS, ENDPOINT, INTERFACE, PLACE.

Every function takes the text, the offset where it begins and where to report; it returns None when it has reported.
"""

from __future__ import annotations

import re

from policyc.language.literals import (
    Address,
    AddressRange,
    AddressValue,
    Endpoint,
    Interface,
    InterfaceAddress,
    Network,
)
from policyc.language.problems import Problems
from policyc.language.read_names import decimal, name
from policyc.language.read_services import ports
from policyc.net.addresses import ALL_ONES, WIDTH, AddressError, format_address, is_host_name, parse_address
from policyc.source import Span

_IPV4_LIKE = re.compile(r"[0-9.]*[0-9]\.[0-9.]*(?:[/-].*)?")
_DOTTED_MASK = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
_INTERFACE = re.compile(r"[^/\s!+*%\"']{1,15}|[^/\s!+*%\"']{0,14}\+")


def family_of(text: str) -> int | None:
    """Return the family that a text looks like: two colons make IPv6, digits and dots IPv4; None for others."""
    if text.count(":") >= 2:
        return 6
    return 4 if _IPV4_LIKE.fullmatch(text) else None


def address_value(text: str, start: int, problems: Problems) -> AddressValue | None:
    """Read an address, a network, a range or a name."""
    if text.count(".") == 3 and text.replace(".", "").isdecimal():
        try:
            return Address(4, parse_address(text, 4), Span(problems.source, start, start + len(text)))
        except AddressError as error:
            problems.report("bad-literal", str(error), start, start + len(text))
            return None
    family = family_of(text)
    if family and text[0] != "[":
        return _literal(text, start, family, problems)
    if not text.replace("_", "").replace("-", "").isalnum() and _no_address(text, start, problems):
        return None
    return name(text, start, problems, "an address", allowed=("self", "any"))


def _no_address(text: str, start: int, problems: Problems) -> bool:
    """Report what is neither a name nor an address, where more can be said than that."""
    end = start + len(text)
    if ":" in text or text.startswith("["):
        host = text.rpartition(":")[0] if ":" in text and not text.endswith("]") else text
        hint = f"write `{host.strip('[]')}`" if host.strip("[]") else ""
        problems.report("bad-literal", f"`{text}` is an endpoint where an address is expected", start, end, hint)
    elif is_host_name(text) and "." in text:
        _host_name(text, start, problems)
    elif "/" in text and text.split("/", maxsplit=1)[0].isalpha():
        problems.report("bad-literal", f"`{text}` is a service where an address is expected", start, end)
    else:
        return False
    return True


def _host_name(text: str, start: int, problems: Problems) -> None:
    message = f"`{text}` is a host name where an address is expected"
    hint = "write its address: what a host name means can change between the check and the load"
    problems.report("host-name", message, start, start + len(text), hint)


def _literal(text: str, start: int, family: int, problems: Problems) -> Address | Network | AddressRange | None:
    end = start + len(text)
    span = Span(problems.source, start, end)
    try:
        if "-" in text:
            low, _, high = text.partition("-")
            first, last = parse_address(low, family), parse_address(high, family)
            if first <= last:
                return AddressRange(family, first, last, span)
            message = f"the range `{text}` ends before it begins"
            problems.report("bad-literal", message, start, end, f"write `{high}-{low}`")
            return None
        if "/" not in text:
            return Address(family, parse_address(text, family), span)
        address, prefix = _with_prefix(text, start, family, problems)
    except AddressError as error:
        problems.report("bad-literal", str(error), start, end)
        return None
    if prefix is None:
        return None
    host = address & (ALL_ONES[family] >> prefix)
    if host:
        network = f"{format_address(address - host, family)}/{prefix}"
        message = f"`{text}` has host bits: the network is `{network}`"
        hint = f"write `{network}`, or `{format_address(address, family)}` for the one address"
        problems.report("bad-literal", message, start, end, hint)
        return None
    return Network(family, address, prefix, span)


def _with_prefix(text: str, start: int, family: int, problems: Problems) -> tuple[int, int | None]:
    """Split `ADDRESS/PREFIX`; the prefix is None after a report. Raises AddressError for the address."""
    head, _, tail = text.partition("/")
    address = parse_address(head, family)
    if 0 <= (prefix := decimal(tail)) <= WIDTH[family]:
        return address, prefix
    message = f"the prefix length in `{text}` is not a number from 0 to {WIDTH[family]}"
    hint = ""
    if family == 4 and _DOTTED_MASK.fullmatch(tail):
        inverse = parse_address(tail, 4) ^ ALL_ONES[4]
        if not inverse & (inverse + 1):
            hint = f"write `{head}/{32 - inverse.bit_length()}`"
    problems.report("bad-literal", message, start, start + len(text), hint)
    return address, None


def host_address(text: str, start: int, problems: Problems) -> InterfaceAddress | None:
    """Read one of this host's addresses, with or without the prefix length of its network; host bits are the point."""
    end = start + len(text)
    family = family_of(text)
    if family is None or "-" in text:
        message = f"`{text}` is not an address with a prefix length"
        problems.report("bad-literal", message, start, end, "write it as `ip address` shows it: `192.0.2.1/24`")
        return None
    try:
        if "/" in text:
            address, prefix = _with_prefix(text, start, family, problems)
        else:
            address, prefix = parse_address(text, family), WIDTH[family]
    except AddressError as error:
        problems.report("bad-literal", str(error), start, end)
        return None
    return None if prefix is None else InterfaceAddress(family, address, prefix, Span(problems.source, start, end))


def endpoint(text: str, start: int, problems: Problems) -> Endpoint | None:
    """Read `host:port`, `[v6]:port`, `host`, `:port`; the host is an address, a network, a range or a name."""
    end = start + len(text)
    host_text, port_text, host_start = text, "", start
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or rest == ":" or family_of(inner) != 6:
            message = f"`{text}` is not an endpoint: brackets hold an IPv6 address, a port may follow"
            problems.report("bad-literal", message, start, end, "write `[fd00::5]:80`")
            return None
        host_text, port_text, host_start = inner, rest[1:], start + 1
    elif text.count(":") == 1:
        host_text, _, port_text = text.partition(":")
        if not port_text:
            message = f"`{text}` has no port after its colon"
            problems.report("bad-literal", message, start, end, f"write `{host_text}`, which keeps the port")
            return None
    host = address_value(host_text, host_start, problems) if host_text else None
    if host_text and host is None:
        return None
    found = ports(port_text, end - len(port_text), problems) if port_text else None
    if port_text and found is None:
        return None
    return Endpoint(host, found, Span(problems.source, start, end))


def interface(text: str, start: int, problems: Problems) -> Interface | None:
    """Read an interface as iptables spells it: at most 15 characters (IFNAMSIZ), `+` at the end for any rest."""
    end = start + len(text)
    if _INTERFACE.fullmatch(text) and text not in {".", ".."}:
        return Interface(text, Span(problems.source, start, end))
    if len(text) > 15:
        problems.report("too-long", f"`{text}` is longer than the 15 characters of an interface name", start, end)
        return None
    hint = f"write `{text[:-1]}+` for every name that begins so" if text.endswith("*") else ""
    problems.report("bad-literal", f"`{text}` is not an interface name", start, end, hint)
    return None
