"""Texts to services and ports: the role SERVICE, and the ports of an endpoint.

Every function takes the text, the offset where it begins and where to report; it returns None when it has reported.
"""

from __future__ import annotations

import re

from policyc.language.literals import IcmpService, Ports, PortService, ProtocolService, ServiceValue
from policyc.language.problems import Problems, suggestion
from policyc.language.read_names import decimal, name
from policyc.language.vocabulary import ICMP_PROTOCOLS, PORT_PROTOCOLS
from policyc.source import Span

_KNOWN = {name: name for name in PORT_PROTOCOLS}
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_REVERSED = re.compile(r"([0-9]+(?:-[0-9]+)?)/([a-z]+)")
_PROTOCOLS = (*PORT_PROTOCOLS, *ICMP_PROTOCOLS, "proto")
_OTHER_NAMES = {"icmpv6": "icmp6", "ipv6-icmp": "icmp6", "TCP": "tcp", "UDP": "udp"}


def service(text: str, start: int, problems: Problems) -> ServiceValue | None:
    """Read a name, `tcp`, `tcp/80-90`, `icmp/echo-request`, `icmp/3/4` or `proto/47`."""
    protocol, slash, detail = text.partition("/")
    if known := _KNOWN.get(protocol):  # one string for all services
        found = ports(detail, start + len(protocol) + 1, problems, protocol) if slash else None
        if slash and found is None:
            return None
        return PortService(known, found, Span(problems.source, start, start + len(text)))
    if protocol in ICMP_PROTOCOLS:
        return _icmp(text, protocol, detail, start, problems) if slash else _every_icmp(protocol, start, problems)
    if protocol == "proto":
        return _number(text, detail, start, problems)
    if not slash and text[0].isalpha() and text not in _OTHER_NAMES and ":" not in text:
        return name(text, start, problems, "a service")
    _no_service(text, protocol, detail, start, problems)
    return None


def _span(text: str, start: int, problems: Problems) -> Span:
    return Span(problems.source, start, start + len(text))


def _every_icmp(protocol: str, start: int, problems: Problems) -> IcmpService:
    return IcmpService(protocol, None, None, _span(protocol, start, problems))


def _no_service(text: str, protocol: str, detail: str, start: int, problems: Problems) -> None:
    hint = ""
    if reverse := _REVERSED.fullmatch(text):
        hint = f"write `{reverse[2]}/{reverse[1]}`"
    elif _PORTS.fullmatch(text):
        hint = f"a service is a protocol and a port: `tcp/{text}` or `udp/{text}`"
    elif protocol in _OTHER_NAMES:
        hint = f"write `{_OTHER_NAMES[protocol]}{'/' + detail if detail else ''}`"
    elif ":" in text and text.partition(":")[0] in _PROTOCOLS:
        hint = f"write `{text.replace(':', '/', 1).replace(':', '-')}`"
    elif detail:
        hint = suggestion(protocol, _PROTOCOLS) or "the protocols before `/` are " + ", ".join(_PROTOCOLS)
    problems.report("bad-literal", f"`{text}` is not a service", start, start + len(text), hint)


def ports(text: str, start: int, problems: Problems, protocol: str = "") -> Ports | None:
    """Read a port or a range of ports, each from 0 to 65535."""
    if text.isdecimal() and text.isascii() and len(text) <= 5 and (port := int(text)) <= 65535:
        return Ports(port, port)
    end = start + len(text)
    match = _PORTS.fullmatch(text)
    if not match:
        if not text:
            problems.report("bad-literal", f"no port stands after `{protocol}/`", start - 1, end, f"write `{protocol}`")
            return None
        hint = ""
        if ":" in text:
            hint = f"a range is written `{text.replace(':', '-')}`"
        elif protocol and text.replace("-", "").isalpha():
            hint = f"a port is a number; the service `{text}` stands alone, without `{protocol}/`"
        elif text.isdecimal():
            problems.report("bad-literal", f"port `{text}` is over 65535", start, end)
            return None
        problems.report("bad-literal", f"`{text}` is not a port or a range of ports", start, end, hint)
        return None
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    if last > 65535 or first > 65535:
        problems.report("bad-literal", f"port `{max(first, last)}` is over 65535", start, end)
        return None
    if last < first:
        message = f"the range of ports `{text}` ends before it begins"
        problems.report("bad-literal", message, start, end, f"write `{last}-{first}`")
        return None
    return Ports(first, last)


def _icmp(text: str, protocol: str, detail: str, start: int, problems: Problems) -> IcmpService | None:
    kind, slash, code = detail.partition("/")
    at = start + len(protocol) + 1
    number = _octet(kind, at, problems, "ICMP type") if kind.isdecimal() else None
    if kind.isdecimal() and number is None:
        return None
    if number is None:
        if slash:
            message = f"a code goes with a type's number, not with `{kind}`"
            problems.report("bad-literal", message, at, start + len(text), "write numbers: `icmp/3/4`")
            return None
        if not kind.replace("-", "").isalnum() or not kind.isascii():
            message = f"`{kind}` is not an ICMP type" if kind else f"`{text}` has no type after its slash"
            problems.report("bad-literal", message, at, start + len(text))
            return None
        return IcmpService(protocol, kind.lower(), None, _span(text, start, problems))
    second = _octet(code, at + len(kind) + 1, problems, "ICMP code") if slash else None
    if slash and second is None:
        return None
    return IcmpService(protocol, number, second, _span(text, start, problems))


def _octet(text: str, start: int, problems: Problems, what: str) -> int | None:
    if 0 <= (value := decimal(text)) <= 255:
        return value
    problems.report("bad-literal", f"`{text}` is not an {what} from 0 to 255", start, start + len(text))
    return None


def _number(text: str, detail: str, start: int, problems: Problems) -> ProtocolService | None:
    if 0 <= (value := decimal(detail)) <= 255:
        return ProtocolService(value, _span(text, start, problems))
    hint = f"a protocol with a name stands alone: `{detail}`" if detail.isalpha() else "write `proto/47`"
    message = f"`{text}` is not a protocol number from 0 to 255"
    problems.report("bad-literal", message, start, start + len(text), hint)
    return None
