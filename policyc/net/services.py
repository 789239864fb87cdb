"""Service names as ports. The names ship with policyc; the host's /etc/services is never read. A value of `policyc.net`."""

from __future__ import annotations

from functools import cache


@cache
def services() -> dict[str, dict[str, int]]:
    """Return the table: name to protocol to port."""
    from policyc.net.service_table import TABLE  # numbers are the rule, names the exception

    table: dict[str, dict[str, int]] = {}
    for line in TABLE.splitlines():
        name, *ports = line.split()
        table[name] = {protocol: int(number) for protocol, _, number in (port.partition("/") for port in ports)}
    return table


def port_of(word: str, protocol: str | None = None) -> int:
    """Return the port from 0 to 65535 that a number or a service name means.

    With a protocol the name must be known for it; without, the first protocol's port is taken. Raises ValueError.
    """
    if word.isascii() and word.isdecimal():
        number = int(word)
        if word != str(number):
            raise ValueError(f"port `{word}` begins with 0, which iptables reads as octal with some protocols")
        if number > 65535:
            raise ValueError(f"port `{word}` is over 65535")
        return number
    found = services().get(word.lower())
    if found is None:
        raise ValueError(f"`{word}` is neither a port from 0 to 65535 nor a known service name")
    if protocol is None:
        return found["tcp"] if "tcp" in found else next(iter(found.values()))
    if protocol not in found:
        raise ValueError(f"`{word}` has no port for {protocol}, only for {', '.join(found)}")
    return found[protocol]
