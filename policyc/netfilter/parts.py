"""The parts a rule is made of: selectors (`-s`, `-i` …), matches and a target, each with its canonical text and its meaning.

Parts are values that many rules share: a reader keeps one table of those it has seen. `rank` is their order in the text.
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.addresses import Network
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.net.protocols import format_protocol
from policyc.netfilter import fields
from policyc.netfilter.effect import Effect, Note, Verdict
from policyc.netfilter.extension import MatchExtension, Options, Placement, Surroundings, TargetExtension
from policyc.netfilter.predicate import ALWAYS, NEVER, Bits, In, Opaque, Predicate, all_of, negate_if
from policyc.netfilter.quoting import quote_word

SELECTORS = ("-s", "-d", "-i", "-o", "-p", "-f")
MATCH_RANK, TARGET_RANK = len(SELECTORS), len(SELECTORS) + 1
VERDICTS = ("ACCEPT", "DROP", "RETURN", "QUEUE")


@frozen
class Selector:
    """One of the tests that every rule may have: `option` of SELECTORS; `value` a Network, a pattern, a number or None."""

    rank: int
    text: str
    option: str
    value: Network | str | int | None
    negated: bool = False

    def meaning(self, around: Surroundings) -> Predicate:  # noqa: ARG002 - one shape for all parts
        """Return the predicate of the selector."""
        value = self.value
        if isinstance(value, Network):
            field = fields.SRC if self.option == "-s" else fields.DST
            test = (
                Bits(field, value.mask, value.address) if value.prefix is None else In(field, value.values)
            )  # a mask with holes is bits
            return negate_if(self.negated, test)
        if isinstance(value, str):
            pattern = NameSet.interface(value)
            return negate_if(self.negated, In(fields.IIF if self.option == "-i" else fields.OIF, pattern))
        if isinstance(value, int):
            return negate_if(self.negated, In(fields.PROTO, IntervalSet.of(value)))
        return negate_if(self.negated, In(fields.FRAG, NameSet.of("later")))


@frozen
class Match:
    """A match extension with its options; `placement` is where the kernel accepts it."""

    rank: int
    text: str
    extension: MatchExtension
    options: Options
    placement: Placement
    protocols: frozenset[int] | None

    @property
    def name(self) -> str:
        """The extension's name."""
        return self.extension.name

    def meaning(self, around: Surroundings) -> Predicate:
        """Return the predicate of the match in its rule."""
        return self.extension.meaning(self.options, around)


@frozen
class Target:
    """A verdict (`extension` None, name in VERDICTS), a jump or goto to a chain (`chain`), or a target extension."""

    rank: int
    text: str
    name: str
    chain: str = ""
    goto: bool = False
    extension: TargetExtension | None = None
    options: Options = Options()
    placement: Placement | None = None
    protocols: frozenset[int] | None = None

    @property
    def terminal(self) -> bool:
        """Whether a packet that matches leaves the chain here for certain; a jump may come back."""
        if self.extension is not None:
            return self.extension.terminal
        return not self.chain or self.goto

    def effects(self, around: Surroundings) -> tuple[Effect, ...]:
        """Return what the target does in its rule."""
        if self.extension is not None:
            return self.extension.effects(self.options, around)
        if self.chain:
            return (Verdict("goto" if self.goto else "jump", self.chain),)
        return (Verdict(self.name.lower()),)


@frozen
class Unknown:
    """A match or target that no file of `extensions/` describes: kept verbatim, opaque to every question."""

    rank: int
    text: str
    name: str
    placement: Placement | None = None
    protocols: frozenset[int] | None = None

    @property
    def is_target(self) -> bool:
        """Whether it stands in the target's place."""
        return self.rank == TARGET_RANK

    def meaning(self, around: Surroundings) -> Predicate:  # noqa: ARG002
        """Return the opaque condition of its text, which may read any field."""
        return ALWAYS if self.is_target else Opaque(self.text)

    def effects(self, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG002
        """Return the note that nobody knows what it does."""
        return (Note("unknown", self.text),)


Part = Selector | Match | Target | Unknown


def protocol_selector(number: int, negated: bool = False) -> Selector:
    """Return the selector `-p`; protocol 0 stands for all."""
    name = format_protocol(number)
    return Selector(4, f"{'! ' if negated else ''}-p {name}", "-p", number, negated)


def interface_selector(option: str, pattern: str, negated: bool = False) -> Selector:
    """Return the selector `-i` or `-o`."""
    return Selector(
        SELECTORS.index(option), f"{'! ' if negated else ''}{option} {quote_word(pattern)}", option, pattern, negated
    )


def address_selector(option: str, network: Network, negated: bool = False) -> Selector:
    """Return the selector `-s` or `-d`."""
    text = f"! {option} {network}" if negated else f"{option} {network}"
    return Selector(SELECTORS.index(option), text, option, network, negated)


def jump(chain: str, goto: bool = False) -> Target:
    """Return the target that calls a chain, or goes there."""
    return Target(TARGET_RANK, f"{'-g' if goto else '-j'} {quote_word(chain)}", chain, chain, goto)


def verdict(name: str) -> Target:
    """Return the target of one of VERDICTS."""
    return Target(TARGET_RANK, f"-j {name}", name)


def meaning(parts: tuple[Part, ...], around: Surroundings) -> Predicate:
    """Return the conjunction of a rule's tests."""
    tests = [part.meaning(around) for part in parts if not isinstance(part, Target)]
    return all_of(*tests) if NEVER not in tests else NEVER
