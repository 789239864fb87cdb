"""What the `test` blocks of a policy ask, with names resolved: packets with the verdict they must get, and proofs.

Part of the Intent, so that a Ruleset alone can be asked.
"""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen
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
class Proof:
    """`never A -> B services except rules`, `always …`: about all packets.

    `sources` and `targets` are zones, `self` or `any`; `services` and `words` stand as they were written.
    """

    block: str
    quantifier: str
    any_packet: bool
    sources: tuple[str, ...]
    targets: tuple[str, ...]
    services: tuple[str, ...]
    words: tuple[str, ...]
    exceptions: tuple[str, ...]
    span: Span = field(compare=False, repr=False)
