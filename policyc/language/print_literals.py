"""Literals as the language writes them: one spelling each, which the readers read back to the same value."""

from __future__ import annotations

from policyc.language import literals as v
from policyc.language.definitions import LimitKey
from policyc.language.vocabulary import FAMILIES, WEEKDAYS
from policyc.net.addresses import format_address

Literal = (
    v.Value
    | v.NumberRange
    | v.InterfaceAddress
    | v.Interface
    | v.Ports
    | v.Mask
    | v.Rate
    | v.Duration
    | v.Days
    | v.Hours
    | LimitKey
)
_UNITS = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def literal_text(value: Literal) -> str:
    """Return the canonical text of a leaf."""
    match value:
        case v.Name(text) | v.Interface(text):
            return text
        case v.String(text):
            return quoted(text)
        case v.Number(number):
            return str(number)
        case v.Address() | v.Network() | v.AddressRange() | v.InterfaceAddress():
            return _address(value)
        case v.NumberRange(first, last) | v.Ports(first, last):
            return str(first) if first == last and isinstance(value, v.Ports) else f"{first}-{last}"
        case v.PortService() | v.IcmpService() | v.ProtocolService():
            return _service(value)
        case v.Endpoint():
            return _endpoint(value)
        case v.MarkValue(number, mask):
            return f"{number:#x}" if mask is None else f"{number:#x}/{mask:#x}"
        case v.Mask(number):
            return f"{number:#x}"
        case v.Rate(count, unit):
            return f"{count}/{unit}"
        case v.Duration(seconds):
            return _duration(seconds)
        case v.Days(first, last):
            return WEEKDAYS[first - 1] if first == last else f"{WEEKDAYS[first - 1]}-{WEEKDAYS[last - 1]}"
        case v.Hours(start, end):
            return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
        case LimitKey(key, prefix):
            return key if prefix is None else f"{key}/{prefix}"


def quoted(text: str) -> str:
    """Return a string in double quotes, in single ones where the text holds a double one."""
    return f"'{text}'" if '"' in text else f'"{text}"'


def families_text(families: tuple[int, ...]) -> str:
    """Return the families as a list of `ip` and `ip6`."""
    return ",\v".join(word for word, family in FAMILIES.items() if family in families)


def _address(value: v.Address | v.Network | v.AddressRange | v.InterfaceAddress) -> str:
    if isinstance(value, v.AddressRange):
        return f"{format_address(value.first, value.family)}-{format_address(value.last, value.family)}"
    text = format_address(value.value, value.family)
    return text if isinstance(value, v.Address) else f"{text}/{value.prefix}"


def _service(value: v.PortService | v.IcmpService | v.ProtocolService) -> str:
    match value:
        case v.ProtocolService(number):
            return f"proto/{number}"
        case v.PortService(protocol, ports):
            return protocol if ports is None else f"{protocol}/{literal_text(ports)}"
        case v.IcmpService(protocol, kind, code):
            return "/".join(str(part) for part in (protocol, kind, code) if part is not None)


def _endpoint(value: v.Endpoint) -> str:
    if value.host is None:
        return f":{literal_text(value.ports)}" if value.ports else ""
    host = literal_text(value.host)
    if value.ports is None:
        return host
    return f"[{host}]:{literal_text(value.ports)}" if ":" in host else f"{host}:{literal_text(value.ports)}"


def _duration(seconds: int) -> str:
    text = ""
    for size, unit in _UNITS:
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text
