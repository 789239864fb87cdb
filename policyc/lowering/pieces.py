"""The parts of kernel rules, made once for each text: what all of the lowering builds rules from.

Canonical spelling and typed values come from the reader of rule text, so that a rule made here equals the one read back.
"""

from __future__ import annotations

from policyc.net.addresses import Network, format_address
from policyc.netfilter.extension import Given, Options
from policyc.netfilter.parts import Match, Part, Target, address_selector, interface_selector, jump, verdict
from policyc.netfilter.quoting import save_string, split_words
from policyc.policy.values import AddressItem
from policyc.readers.fragments import Fragments
from policyc.readers.reading import Word
from policyc.readers.words import read_rule

Parts = tuple[Part, ...]


class Pieces:
    """The parts of one family's rules."""

    __slots__ = ("_chains", "_ports", "_seen", "accept", "drop", "family", "fragments", "leave")

    def __init__(self, family: int) -> None:
        self.family = family
        self.fragments = Fragments(family)
        self._seen: dict[str, Parts] = {}
        self._ports: dict[tuple[str, int, int], Parts] = {}
        self._chains: dict[tuple[str, bool], Target] = {}
        self.accept, self.drop, self.leave = verdict("ACCEPT"), verdict("DROP"), verdict("RETURN")

    def read(self, text: str) -> Parts:
        """Return the parts of a text that we have written ourselves: one rule, or a piece of one, without mistakes.

        A piece may name a target that needs more of its rule than the piece has, such as `-p tcp`.
        """
        found = self._seen.get(text)
        if found is None:
            found = self.fragments.parts(text)
            if found is None:
                reading = read_rule([Word(*word) for word in split_words(text)], self.family)
                assert len(reading.rules) == 1, f"{text}: {reading.problems}"
                found = reading.rules[0]
            self._seen[text] = found
        return found

    def address(self, option: str, item: AddressItem, negated: bool = False) -> Parts:
        """Return the test of `-s` or `-d`; every address is no test."""
        if type(item) is not Network:
            side = "src" if option == "-s" else "dst"
            return self.read(f"-m iprange {'! ' if negated else ''}--{side}-range {item}")
        if not item.mask and not negated:
            return ()
        return (address_selector(option, item, negated),)

    def as_range(self, option: str, network: Network, negated: bool) -> Parts:
        """Return the test of a network as a range, for a rule that has its `-s` or `-d` already."""
        ((first, last),) = network.values.spans
        side = "src" if option == "-s" else "dst"
        span = f"{format_address(first, self.family)}-{format_address(last, self.family)}"
        return self.read(f"-m iprange {'! ' if negated else ''}--{side}-range {span}")

    def interface(self, option: str, pattern: str, negated: bool = False) -> Parts:
        """Return the test of `-i` or `-o`; every interface is no test."""
        return () if pattern == "+" and not negated else (interface_selector(option, pattern, negated),)

    def comment(self, text: str) -> Parts:
        """Return the comment of a rule."""
        return (_alike(self.read("-m comment --comment x")[0], "comment", text, save_string(text)),)

    def port(self, protocol: str, first: int, last: int) -> Parts:
        """Return the test of one destination port, or of one range that is not every port."""
        key = (protocol, first, last)
        found = self._ports.get(key)
        if found is None:
            selector, match = self.read(f"-p {protocol} -m {protocol} --dport 1")
            text = str(first) if first == last else f"{first}:{last}"
            found = self._ports[key] = (selector, _alike(match, "dport", (first, last), text))
        return found

    def jump(self, chain: str, goto: bool = False) -> Target:
        """Return the target that calls a chain, or goes there."""
        found = self._chains.get((chain, goto))
        if found is None:
            found = self._chains[chain, goto] = jump(chain, goto)
        return found


def _alike(part: Part, option: str, value: object, text: str) -> Match:
    """Return a match of one option with another value: the way for what every rule has, ten times as fast as reading it."""
    assert isinstance(part, Match), "a match of one option"
    options = Options((Given(option, value),))
    whole = f"-m {part.name} --{option} {text}"
    return Match(part.rank, whole, part.extension, options, part.placement, part.protocols)
