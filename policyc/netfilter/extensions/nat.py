"""What the NAT targets share: `ADDRESS[-ADDRESS][:PORT[-PORT[/BASE]]]`, the protocols that have ports, and the effect.

Source of the grammar: iptables 1.8.9, extensions/libxt_NAT.c; measured there, an IPv6 address with a port stands in brackets.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.addresses import format_address
from policyc.net.intervals import IntervalSet
from policyc.net.protocols import DCCP, ICMP, SCTP, TCP, UDP
from policyc.net.services import port_of
from policyc.netfilter.address_arguments import AddressRange
from policyc.netfilter.arguments import Argument, parse_number
from policyc.netfilter.effect import Effect, Rewrite, Verdict
from policyc.netfilter.extension import Options
from policyc.netfilter.fields import Field

# ICMP's identifier is translated like a port; iptables takes it, though its message does not say so.
PORT_PROTOCOLS = frozenset((TCP, UDP, SCTP, DCCP, ICMP))


@frozen
class PortMap:
    """Ports from `low` to `high`; with `base`, a port's distance from it is kept instead of a free one chosen."""

    low: int
    high: int
    base: int | None = None

    def __str__(self) -> str:
        last = "" if self.low == self.high else f"-{self.high}"
        return f"{self.low}{last}" + ("" if self.base is None else f"/{self.base}")


@frozen
class NewTuple:
    """What a side of the connection becomes: addresses, None where they stay, and ports, None where they stay."""

    addresses: IntervalSet | None
    ports: PortMap | None


@frozen
class Ports(Argument):
    """`PORT`, `PORT-PORT` or, where `shifted`, `PORT-PORT/BASE`; a single port and a base may be service names."""

    shifted: bool = False

    def parse(self, word: str, family: int) -> PortMap:  # noqa: ARG002
        """Return the ports; raise ValueError."""
        span, slash, base = word.partition("/")
        first, dash, last = span.partition("-")
        if not first[:1].isdecimal():
            if slash:
                raise ValueError(f"`{word}` has a base behind one port; it needs a range, written PORT-PORT/BASE")
            return PortMap(port_of(span), port_of(span))
        low = parse_number(first, 0, 65535)
        high = parse_number(last, 0, 65535) if dash else low
        if low > high:
            raise ValueError(f"the port range `{span}` runs backwards")
        if not slash:
            return PortMap(low, high)
        if not self.shifted:
            raise ValueError(f"`{word}` shifts a range of ports, which only DNAT --to-destination does")
        if not dash:
            raise ValueError(f"`{word}` has a base behind one port; it needs a range, written PORT-PORT/BASE")
        return PortMap(low, high, parse_number(base, 1, 65535) if base[:1].isdecimal() else port_of(base))


@frozen
class Destination(Argument):
    """The whole of `--to-destination` or `--to-source`; `shifted` allows `/BASE`."""

    shifted: bool = False

    def parse(self, word: str, family: int) -> NewTuple:
        """Return addresses and ports; raise ValueError."""
        address, ports = _split(word, family)
        if not address and ports is None:
            raise ValueError("the new address is empty")
        return NewTuple(
            AddressRange().parse(address, family) if address else None,
            None if ports is None else Ports(self.shifted).parse(ports, family),
        )

    def write(self, value: NewTuple, family: int) -> str:
        """Return the text as iptables-save prints it: brackets where an IPv6 address has a port behind it."""
        address = "" if value.addresses is None else _addresses(value.addresses, family)
        if value.ports is None:
            return address
        return f"[{address}]:{value.ports}" if family == 6 and address else f"{address}:{value.ports}"


def _split(word: str, family: int) -> tuple[str, str | None]:
    """Cut the text into its address part and what is behind the colon of the ports."""
    if family == 6 and word.startswith("["):
        address, closed, rest = word[1:].partition("]")
        if not closed or not address or (rest and not rest.startswith(":")):
            raise ValueError(f"`{word}` is not written [ADDRESS]:PORT or [ADDRESS-ADDRESS]:PORT")
        return address, rest[1:] if rest else None
    if family == 6 and word.count(":") > 1:
        return word, None  # two colons mean an address
    address, colon, ports = word.partition(":")
    if ":" in ports:
        raise ValueError(f"`{word}` has two colons; a range of ports is written with a dash")
    return address, ports if colon else None


def _addresses(addresses: IntervalSet, family: int) -> str:
    ((low, high),) = addresses.spans
    return format_address(low, family) + ("" if low == high else f"-{format_address(high, family)}")


def translation(side: Field, to: NewTuple, how: str, options: Options) -> tuple[Effect, ...]:
    """Return what a NAT target does: the rewrite, and that the packet has passed the table nat."""
    ports = None if to.ports is None else IntervalSet(((to.ports.low, to.ports.high),))
    return (
        Rewrite(
            side, to.addresses, ports, how, random="random" in options or "random-fully" in options,
            persistent="persistent" in options, port_base=to.ports.base if to.ports else None,
        ),
        Verdict("accept"),
    )  # fmt: skip
