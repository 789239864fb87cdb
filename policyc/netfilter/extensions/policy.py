"""-m policy: the IPsec policy that a packet came by or will leave by (net/netfilter/xt_policy.c).

The options between two `--next` describe one transformation. What a transformation is like is known to the host alone, so
the description is opaque; whether there is any is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policyc.net.names import NameSet
from policyc.net.protocols import AH, ESP, IPCOMP
from policyc.netfilter import fields
from policyc.netfilter.address_arguments import MaskedAddress
from policyc.netfilter.arguments import Argument, Number, Protocol, choice
from policyc.netfilter.extension import (
    Given,
    MatchExtension,
    Option,
    Options,
    Placement,
    Surroundings,
    in_hooks,
    one_written,
)
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import In, Opaque, Predicate, all_of

MAX_ELEMENTS = 4  # XT_POLICY_MAX_ELEM


class IpsecProtocol(Protocol):
    """One of the three protocols of IPsec."""

    __slots__ = ()

    def parse(self, word: str, family: int) -> int:
        """Return the number; raise ValueError for another protocol."""
        number = Protocol.parse(self, word, family)
        if number not in {AH, ESP, IPCOMP}:
            raise ValueError(f"`{word}` is none of ah, esp, ipcomp")
        return number


def _of_element(name: str, argument: Argument) -> Option:
    return Option(name, argument, negatable=True, repeatable=True)


_ELEMENT = (
    _of_element("reqid", Number()),
    _of_element("spi", Number(form="#x")),
    _of_element("proto", IpsecProtocol()),
    _of_element("mode", choice("transport", "tunnel")),
    _of_element("tunnel-dst", MaskedAddress()),
    _of_element("tunnel-src", MaskedAddress()),
)
_ELEMENT_NAMES = tuple(option.name for option in _ELEMENT)


def _elements(options: Options) -> list[list[Given]]:
    """Return the descriptions, each in the order in which iptables-save prints it."""
    elements: list[list[Given]] = [[]]
    for item in options.given:
        if item.name == "next":
            elements.append([])
        elif item.name in _ELEMENT_NAMES:
            elements[-1].append(item)
    for element in elements:
        element.sort(key=lambda item: _ELEMENT_NAMES.index(item.name))
    return elements


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    elements = _elements(options)
    if options.get("pol") == "none":
        if "strict" in options or any(elements):
            yield "`--pol none` means that there is no IPsec policy, so that nothing can be said about one"
        return
    if len(elements) > MAX_ELEMENTS:
        yield f"there are {len(elements)} descriptions; {MAX_ELEMENTS} are the most"
    for number, element in enumerate(elements, 1):
        yield from _element_problems(element, number)
        if "strict" in options and not element:
            yield f"with `--strict` description {number} needs one of {', '.join(f'`--{name}`' for name in _ELEMENT_NAMES)}"


def _element_problems(element: Sequence[Given], number: int) -> Iterable[str]:
    names = [item.name for item in element]
    for name in _ELEMENT_NAMES:
        if names.count(name) > 1:
            yield f"`--{name}` is given twice in description {number}"
    modes = [(item.value == "tunnel") is not item.negated for item in element if item.name == "mode"]
    if ("tunnel-src" in names or "tunnel-dst" in names) and modes != [True]:
        yield "`--tunnel-src` and `--tunnel-dst` need `--mode tunnel`"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    first, *others = _elements(options)
    head = [item for item in options.given if item.name in {"dir", "pol", "strict"}]
    if "pol" not in options:
        head.append(Given("pol", "ipsec"))
    head.sort(key=lambda item: ("dir", "pol", "strict").index(item.name))
    tail = [item for element in others for item in (Given("next"), *element)]
    return Options((*head, *first, *tail))


def _write(options: Options, family: int) -> str:
    known = {option.name: option for option in MATCH.options}
    return "".join(one_written(known[item.name], item, family) for item in options.given)


def _placement(options: Options, family: int) -> Placement:  # noqa: ARG001
    if options["dir"] == "in":
        return in_hooks(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, why="`--dir in` is about a packet that came in")
    return in_hooks(Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING, why="`--dir out` is about a packet that goes out")


def _meaning(options: Options, around: Surroundings) -> Predicate:
    field = fields.IPSEC_IN if options["dir"] == "in" else fields.IPSEC_OUT
    without = NameSet.of("none")
    if options["pol"] == "none":
        return In(field, without)
    any_policy = In(field, ~without)
    if not any(_elements(options)):
        return any_policy
    return all_of(any_policy, Opaque(MATCH.spelled(options, around.family), (field,)))


MATCH = MatchExtension(
    name="policy",
    options=(
        Option("dir", choice("in", "out"), required=True),
        Option("pol", choice("none", "ipsec")),
        Option("strict"),
        *_ELEMENT,
        Option("next", repeatable=True, needs=("strict",)),
    ),
    placement=_placement,
    check=_check,
    normalise=_normalise,
    write=_write,
    meaning=_meaning,
)
