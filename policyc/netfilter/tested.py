"""What the `test` blocks of a policy ask, with names resolved: packets with the verdict they must get, and proofs.

Part of the Intent, so that a Ruleset alone can be asked.
"""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen
from policyc.netfilter.predicate import ALWAYS, Predicate
from policyc.netfilter.question import Question
from policyc.source import Span


@frozen
class End:
    """One end of a translated packet, as far as a test says it.

    `addresses` are (family, first, last), of which one must fit; none are said where it is empty. `own`: any address of this
    host. `ports` is (first, last), None where nothing is said.
    """

    addresses: tuple[tuple[int, int, int], ...] = ()
    own: bool = False
    ports: tuple[int, int] | None = None


@frozen
class PacketTest:
    """`VERDICT PACKET becomes SOURCE -> DESTINATION by RULE` in a block of tests.

    `verdict` is accept, drop or reject. `source` and `destination` are the ends after all NAT, None where nothing is said.
    `by` is the name of the deciding rule, "" where nothing is said.
    """

    block: str
    verdict: str
    questions: tuple[Question, ...]
    source: End | None
    destination: End | None
    by: str
    span: Span = field(compare=False, repr=False)


@frozen
class Side:
    """Which packets come from, or go to, somewhere: `here` this host itself, `away` what has an interface.

    `where` is about `iif` and `src` of a source as the packet enters, about `oif` and `dst` of a target as it arrives.
    """

    here: bool
    away: bool
    where: Predicate = ALWAYS


@frozen
class Towards:
    """First packets of a family from one side to another; `entering` and `arriving` say more, before and after translation."""

    family: int
    source: Side
    target: Side
    entering: Predicate = ALWAYS
    arriving: Predicate = ALWAYS


@frozen
class Proof:
    """`never A -> B services except rules`, `always …`: about all packets.

    It is about the packets of every one of `pairs`. `exceptions` are names of rules, intents, presets or defines.
    """

    block: str
    quantifier: str
    any_packet: bool
    pairs: tuple[Towards, ...]
    exceptions: tuple[str, ...]
    span: Span = field(compare=False, repr=False)
