"""The resolved policy: what the lowering reads. Names are gone, types and families agree, order is the written order.

Every item and rule has the `id` that its kernel comment carries and the `name` it was given (`as`), "" without one.
"""

from __future__ import annotations

from dataclasses import field

from policyc.diagnostics.suppressions import Suppression
from policyc.frozen import frozen
from policyc.netfilter.hooks import Hook
from policyc.netfilter.intent import AddressName, Sysctl
from policyc.netfilter.tested import PacketTest
from policyc.policy.defined import Limit, Log, Schedule, Schedules, Set, Side, Zone
from policyc.policy.foreign import Foreign
from policyc.policy.values import (
    Accounts,
    Addresses,
    Endpoint,
    Families,
    Mark,
    Marks,
    Names,
    Service,
)
from policyc.source import Span


@frozen
class Text:
    """Text of the user for iptables to read: match options, a target with options, or the name of a foreign chain."""

    text: str
    span: Span = field(compare=False, repr=False)


@frozen
class Jump:
    """`jump DOCKER-USER` (a chain), `jump "NFQUEUE --queue-num 1"` (`target`: the text after `-j`)."""

    text: str
    target: bool
    span: Span = field(compare=False, repr=False)


@frozen
class Matches:
    """What a packet must be besides its services; None means that nothing is said about it. All must fit.

    `source` and `destination` are `from` and `to`, `entry` and `exit` interfaces after `in` and `out` (`+` at the end is a
    wildcard), `published` the service before DNAT, `state` the kernel's words in lower case, `text` raw match options.
    """

    source: Addresses | None = None
    destination: Addresses | None = None
    entry: Names | None = None
    exit: Names | None = None
    published: tuple[Service, ...] = ()
    state: Names | None = None
    marked: Marks | None = None
    user: Accounts | None = None
    group: Accounts | None = None
    during: Schedules | None = None
    limit: Limit | None = None
    over: Limit | None = None
    text: Text | None = None


@frozen
class Effects:
    """What a rule does besides its verb. `answer` is what `reject` sends, as iptables names it, "" for its default.

    `becomes` are the endpoints in written order, those of a name one for each address; `balance` is random, nth or "".
    `ports` says of source ports that they are kept or random, "" where the rule does not say it.
    """

    becomes: tuple[Endpoint, ...] = ()
    balance: str = ""
    log: Log | None = None
    answer: str = ""
    ports: str = ""


def comment(identifier: str, name: str) -> str:
    """Return the text of a kernel rule's comment: `pc:ID`, and the name where there is one."""
    return f"pc:{identifier} {name}" if name else f"pc:{identifier}"


NO_MATCHES = Matches()
NO_EFFECTS = Effects()


@frozen
class Call:
    """How a rule came from `use`: names and places of the calls, the outermost first."""

    path: tuple[str, ...]
    spans: tuple[Span, ...] = field(compare=False, repr=False)


@frozen
class Rule:
    """One rule of a block.

    `argument` goes with the verb: a Mark (`mark`), the mask as an int (`save-mark`, `restore-mark`), a helper's name
    (`helper`), a Log (`log`), a Jump (`jump`), else None. `services` are one for each protocol; empty means every packet.
    In a pair the rule is for the families that both have: `families` and those of the pair; only a rule of a preset may
    have none there, and then the pair does without it. `hooks` are those whose pairs it is for, empty for all (presets say
    other things in INPUT than in FORWARD). `name` has the path of calls (`mail.smtp`); `span` is the rule's own line, in a
    preset or a `define` where it comes from there.
    """

    verb: str
    argument: Mark | int | str | Log | Jump | None
    services: tuple[Service, ...]
    matches: Matches
    effects: Effects
    families: Families
    hooks: tuple[Hook, ...]
    otherwise: bool
    id: str
    name: str
    description: str
    call: Call | None
    span: Span = field(compare=False, repr=False)


@frozen
class Pair:
    """A -> B in one hook; `families` are the policy's that the networks of both sides leave, never none.

    `hook` is the base chain that a rule of the pair stands in.
    """

    source: Side
    target: Side
    hook: Hook
    families: Families


@frozen
class Block:
    """`TABLE A -> B { rules }`: every combination of the sides, the sources outermost, and the rules of all of them.

    `text` is the pair as written, `span` the head.
    """

    table: str
    pairs: tuple[Pair, ...]
    rules: tuple[Rule, ...]
    text: str
    description: str
    span: Span = field(compare=False, repr=False)


@frozen
class Publish:
    """`publish A -> self services becomes endpoints`: the pairs are in PREROUTING (the translation's hook).

    `source` are those who may (`from`), `destination` the original address (`to`), None for any address of this host.
    `translator` is the tool that translates these ports already ("docker"), "" where we do.
    `hairpin` are zones with networks; `hairpin_self` is the host itself, in nat OUTPUT.
    """

    pairs: tuple[Pair, ...]
    services: tuple[Service, ...]
    endpoints: tuple[Endpoint, ...]
    source: Addresses | None
    destination: Addresses | None
    hairpin: tuple[Zone, ...]
    hairpin_self: bool
    balance: str
    translator: str
    families: Families
    id: str
    name: str
    description: str
    span: Span = field(compare=False, repr=False)


@frozen
class Notrack:
    """`notrack A -> B services`: neither these packets nor their answers get a connection.

    `pairs` are those of raw for the packets themselves, `replies` B -> A, each in its own hook.
    """

    pairs: tuple[Pair, ...]
    replies: tuple[Pair, ...]
    services: tuple[Service, ...]
    source: Addresses | None
    destination: Addresses | None
    families: Families
    id: str
    name: str
    description: str
    span: Span = field(compare=False, repr=False)


@frozen
class Synproxy:
    """`synproxy A -> B services` (tcp only): `pairs` are in raw PREROUTING, `filters` in filter INPUT or FORWARD."""

    pairs: tuple[Pair, ...]
    filters: tuple[Pair, ...]
    services: tuple[Service, ...]
    source: Addresses | None
    destination: Addresses | None
    families: Families
    id: str
    name: str
    description: str
    span: Span = field(compare=False, repr=False)


@frozen
class Tproxy:
    """`tproxy A -> B services becomes :port mark M` (tcp and udp): the pairs are in mangle PREROUTING.

    `endpoints` are one without address, or one for each family.
    """

    pairs: tuple[Pair, ...]
    services: tuple[Service, ...]
    endpoints: tuple[Endpoint, ...]
    mark: Mark
    source: Addresses | None
    destination: Addresses | None
    families: Families
    id: str
    name: str
    description: str
    span: Span = field(compare=False, repr=False)


@frozen
class Netmap:
    """`netmap outer <-> inner on zones`: two networks of one family and size; ANY among the zones is every interface."""

    outer: Endpoint
    inner: Endpoint
    prefix: int
    zones: tuple[Side, ...]
    families: Families
    id: str
    name: str
    description: str
    span: Span = field(compare=False, repr=False)


@frozen
class Clamp:
    """`clamp mss on zones`: for SYN and SYN,ACK forwarded out by these zones or in by them."""

    zones: tuple[Side, ...]
    families: Families
    id: str
    name: str
    description: str
    span: Span = field(compare=False, repr=False)


Item = Block | Publish | Notrack | Synproxy | Tproxy | Netmap | Clamp


@frozen
class Proof:
    """`never A -> B …` and `always A -> B …`: a statement about all packets of every pair of its zones.

    Services and addresses are as of a rule; no services mean all packets. `exceptions` are names after `except`.
    """

    block: str
    quantifier: str
    any_packet: bool
    sources: tuple[Side, ...]
    targets: tuple[Side, ...]
    services: tuple[Service, ...]
    source: Addresses | None
    destination: Addresses | None
    marked: Marks | None
    exceptions: tuple[str, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Policy:
    """A whole policy; `items` are in the order of the firewall, included files at their place.

    `defaults` are the base policies of filter in lower case, all three (`input`, `forward`, `output`) where `exclusive`,
    else none. `place_last`: the jumps to our chains stand at the end of the base chains. Definitions are in written order,
    used or not. `sysctls` are those of `require`; what statements need besides is the lowering's business. `addresses`
    are what names of addresses mean, for those who ask about packets later. `foreign` is what container engines install
    beside it. `suppressions` are comments of all its files.
    """

    name: str
    families: Families
    exclusive: bool
    place_last: bool
    defaults: dict[str, str]
    zones: tuple[Zone, ...]
    sets: tuple[Set, ...]
    limits: tuple[Limit, ...]
    logs: tuple[Log, ...]
    schedules: tuple[Schedule, ...]
    items: tuple[Item, ...]
    sysctls: tuple[Sysctl, ...]
    tests: tuple[PacketTest, ...]
    proofs: tuple[Proof, ...]
    addresses: tuple[AddressName, ...]
    foreign: tuple[Foreign, ...]
    span: Span = field(compare=False, repr=False)
    suppressions: tuple[Suppression, ...] = field(default=(), compare=False, repr=False)
