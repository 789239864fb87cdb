"""The words of a rule: one class a word, named as the language names it, each with its place and its typed values.

Every word may stand once in a rule. `negated` is the `not` after the word; it is about the whole list, so that
`from not a, b` means "from neither". `WORDS` has the classes in canonical order, which is the order that `fmt` prints.
"""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, TypeVar

from policyc.frozen import frozen
from policyc.language.literals import (
    AddressValue,
    Endpoint,
    Interface,
    MarkValue,
    Name,
    Number,
    NumberRange,
    Ports,
    ServiceValue,
    String,
)
from policyc.source import Span


@frozen
class AddressMatch:
    """What `from` and `to` have in common; a name is an address, a set, a container, or a zone for its networks."""

    negated: bool
    values: tuple[AddressValue, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class From(AddressMatch):
    """The packet's source."""

    word: ClassVar[str] = "from"


@frozen
class To(AddressMatch):
    """The packet's destination, as the rule's hook sees it."""

    word: ClassVar[str] = "to"


@frozen
class InterfaceMatch:
    """What `in` and `out` have in common."""

    negated: bool
    values: tuple[Interface, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class In(InterfaceMatch):
    """The interface it came in by."""

    word: ClassVar[str] = "in"


@frozen
class Out(InterfaceMatch):
    """The interface it will leave by."""

    word: ClassVar[str] = "out"


@frozen
class Sport:
    """The source port: services, or bare ports, which go with the protocols of the rule's services."""

    word: ClassVar[str] = "sport"
    values: tuple[ServiceValue | Ports, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Published:
    """The service that the client asked for, before DNAT."""

    word: ClassVar[str] = "published"
    values: tuple[ServiceValue, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class State:
    """The kernel's connection states, in lower case: new, established, related, invalid, untracked, snat, dnat."""

    word: ClassVar[str] = "state"
    negated: bool
    values: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Marked:
    """The packet's mark has one of these values."""

    word: ClassVar[str] = "marked"
    negated: bool
    values: tuple[Name | MarkValue, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class OwnerMatch:
    """What `user` and `group` have in common; a name is a name of the host's user database."""

    negated: bool
    values: tuple[Name | String | Number | NumberRange, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class User(OwnerMatch):
    """The user whose socket sent the packet."""

    word: ClassVar[str] = "user"


@frozen
class Group(OwnerMatch):
    """The group whose socket sent the packet."""

    word: ClassVar[str] = "group"


@frozen
class During:
    """The packet comes within one of these schedules."""

    word: ClassVar[str] = "during"
    negated: bool
    values: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Limit:
    """Under the rate of a limit."""

    word: ClassVar[str] = "limit"
    limit: Name
    span: Span = field(compare=False, repr=False)


@frozen
class Over:
    """Above the rate of a limit."""

    word: ClassVar[str] = "over"
    limit: Name
    span: Span = field(compare=False, repr=False)


@frozen
class Match:
    """Raw match text as iptables spells it."""

    word: ClassVar[str] = "match"
    text: String
    span: Span = field(compare=False, repr=False)


@frozen
class Becomes:
    """What the translated address and port become."""

    word: ClassVar[str] = "becomes"
    values: tuple[Endpoint, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Hairpin:
    """Zones (or `self`) that reach the published service by its public address as well."""

    word: ClassVar[str] = "hairpin"
    values: tuple[Name, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Balance:
    """How several endpoints share: `how` is random or nth."""

    word: ClassVar[str] = "balance"
    how: str
    span: Span = field(compare=False, repr=False)


@frozen
class SourcePorts:
    """What `masquerade` and `snat` do with source ports: `how` is kept (where that is possible) or random."""

    word: ClassVar[str] = "ports"
    how: str
    span: Span = field(compare=False, repr=False)


@frozen
class Mark:
    """The mark that `tproxy` sets."""

    word: ClassVar[str] = "mark"
    value: Name | MarkValue
    span: Span = field(compare=False, repr=False)


@frozen
class Log:
    """Log by this definition before the verdict."""

    word: ClassVar[str] = "log"
    log: Name
    span: Span = field(compare=False, repr=False)


@frozen
class With:
    """What `reject` answers, as iptables names it."""

    word: ClassVar[str] = "with"
    answer: Name
    span: Span = field(compare=False, repr=False)


@frozen
class Family:
    """`family ip`, `family ip, ip6`: the families meant, 4 and 6, ascending."""

    word: ClassVar[str] = "family"
    families: tuple[int, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class As:
    """The rule's own name, in a namespace of its own."""

    word: ClassVar[str] = "as"
    name: Name
    span: Span = field(compare=False, repr=False)


Word = (
    From
    | To
    | In
    | Out
    | Sport
    | Published
    | State
    | Marked
    | User
    | Group
    | During
    | Limit
    | Over
    | Match
    | Becomes
    | Hairpin
    | Balance
    | SourcePorts
    | Mark
    | Log
    | With
    | Family
    | As
)

WORDS: tuple[type[Word], ...] = (
    *(From, To, In, Out, Sport, Published, State, Marked, User, Group, During, Limit, Over, Match),
    *(Becomes, Hairpin, Balance, SourcePorts, Mark, Log, With, Family, As),
)

MATCHES = frozenset(kind.word for kind in WORDS[:14])
"""The words that say which packets are meant; the others say what happens to them."""


W = TypeVar("W", bound=Word)


def find(words: tuple[Word, ...], kind: type[W]) -> W | None:
    """Return the word of that class, None where it is not there."""
    for word in words:
        if type(word) is kind:
            return word
    return None
