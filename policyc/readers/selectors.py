"""The tests that every rule may have, `-s -d -i -o -p`, from their words; part of reading a rule."""

from __future__ import annotations

from policyc.net.addresses import Network, parse_address, parse_network
from policyc.net.protocols import parse_protocol
from policyc.netfilter.arguments import interface_name
from policyc.netfilter.parts import Selector, address_selector, interface_selector, protocol_selector


def selectors_of(option: str, word: str, family: int, *, negated: bool) -> list[Selector]:
    """Return the selectors that an option with its word stands for; a list of addresses stands for several rules.

    Raises ValueError, AddressError where an address is wrong.
    """
    if option in {"-s", "-d"}:
        texts = word.split(",")
        if negated and len(texts) > 1:
            raise ValueError(f"`! {option}` takes one address: a negated list would match everything")
        return [address_selector(option, _network(text, family), negated) for text in texts]
    if option == "-p":
        number = parse_protocol(word)
        if negated and number == 0:
            raise ValueError("`! -p all` would never match")
        return [protocol_selector(number, negated)]
    return [interface_selector(option, interface_name(word), negated)]


def _network(text: str, family: int) -> Network:
    if family == 4 and ":" not in text:
        # inet_aton(3) style short forms: 10/8 is 10.0.0.0/8 (libxtables, parse_ip for networks)
        address, slash, mask = text.partition("/")
        numbers = address.split(".")
        if all(n.isdecimal() for n in numbers) and len(numbers) < 4:
            text = ".".join([*numbers, *["0"] * (4 - len(numbers))]) + slash + mask
    return parse_network(text, family)


def widened(word: str, family: int) -> str:
    """Return the network that an address of a list becomes because bits are set outside its mask, "" where there is none."""
    for text in word.split(",") if "/" in word else ():
        network = _network(text, family)
        address = text.partition("/")[0]
        if (":" in address or address.count(".") == 3) and parse_address(address, family) & ~network.mask:
            return str(network)
    return ""


def says_nothing(selector: Selector) -> bool:
    """Whether every packet passes the selector, so that it is not printed: `-s 0/0`, `-i +`, `-p all`."""
    if selector.negated:
        return False
    value = selector.value
    return (isinstance(value, Network) and value.mask == 0) or value == "+" or (selector.option == "-p" and value == 0)
