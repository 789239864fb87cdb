"""What the transport protocols' extensions share: `--sport` and `--dport`, their spelling and their meaning."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import PortRange
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import ALWAYS, In, Predicate, all_of, negate_if

SOURCE_PORT = Option("sport", PortRange(), aliases=("source-port",), negatable=True)
DESTINATION_PORT = Option("dport", PortRange(), aliases=("destination-port",), negatable=True)

ALL_PORTS = (0, 65535)


def without_all_ports(options: Options, family: int) -> Options:  # noqa: ARG001
    """Leave out `--sport 0:65535`, which says nothing and which iptables-save does not print; `! --sport :` stays."""
    return options.without("sport", ALL_PORTS).without("dport", ALL_PORTS)


def has_header(protocol: int) -> Predicate:
    """Return "the packet has this protocol's header": the protocol, and not a later fragment."""
    return all_of(In(fields.PROTO, IntervalSet.of(protocol)), In(fields.FRAG, NameSet.of("whole", "first")))


def port_tests(options: Options) -> Predicate:
    """Return the tests of `--sport` and `--dport`; the caller says which protocol has the ports."""
    tests: list[Predicate] = []
    for name, field in (("sport", fields.SPORT), ("dport", fields.DPORT)):
        if name in options:
            tests.append(negate_if(options.negated(name), In(field, IntervalSet.of(options[name]))))
    return all_of(*tests) if tests else ALWAYS


def has_ports(extension: MatchExtension) -> bool:
    """Whether the match tests ports as the transport protocols do."""
    return DESTINATION_PORT in extension.options


def only_destination(extension: MatchExtension, options: Options) -> int | None:
    """Return the one destination port that a match demands, None where it takes several or says nothing of it."""
    if not has_ports(extension) or options.negated("dport"):
        return None
    low, high = options.get("dport", (0, 1))
    return low if low == high else None


def ports_fit(extension: MatchExtension, options: Options, sport: int | None, dport: int | None) -> bool:
    """Whether a packet's ports meet what a match says of them; None is a port that the packet does not have.

    It says in one pass over the options what `port_tests` means, for chains too long to make a predicate of every rule.
    """
    if not has_ports(extension):
        return True
    for given in options.given:
        if given.name in {"sport", "dport"}:
            port = sport if given.name == "sport" else dport
            if port is None or (given.value[0] <= port <= given.value[1]) is given.negated:
                return False
    return True


def ports_match(name: str, protocol: int) -> MatchExtension:
    """Return the match of a protocol of which ports alone are tested."""

    def meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
        return all_of(has_header(protocol), port_tests(options))

    return MatchExtension(
        name=name,
        options=(SOURCE_PORT, DESTINATION_PORT),
        protocols=frozenset((protocol,)),
        normalise=without_all_ports,
        meaning=meaning,
    )
