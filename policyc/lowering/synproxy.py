"""`synproxy A -> B tcp/80`: SYNs stay out of the connection table until the client has answered a cookie."""

from __future__ import annotations

from policyc.lowering.draft import Draft
from policyc.lowering.intent_line import Writer
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.services import service_tests
from policyc.lowering.sides import side_tests
from policyc.lowering.statement import state
from policyc.lowering.tests import Tests
from policyc.policy.model import Pair, Synproxy

SYN = "-m tcp --tcp-flags FIN,SYN,RST,ACK SYN"
COOKIE = "-j SYNPROXY --sack-perm --timestamp --wscale 7 --mss 1460"
"""What the proxy offers for the server behind it: common options, and the segments of Ethernet."""


def synproxy(draft: Draft, item: Synproxy) -> None:
    """Write the raw part and the proxy itself; the connection is accepted by the rules below (iptables-extensions(8))."""
    state(draft, item)
    for family in item.families:
        writer = Writer(draft, item, family)
        pieces = writer.pieces
        for pair in item.pairs:
            if family in pair.families:
                tests = _tests(writer, item, pair, only_syn=True)
                writer.write("raw", pair.hook, tests, [pieces.read("-j CT --notrack")], item.services)
        for pair in item.filters:
            if family in pair.families:
                tests = _tests(writer, item, pair)
                tests.common.extend(pieces.read("-m conntrack --ctstate INVALID,UNTRACKED"))
                writer.write("filter", pair.hook, tests, [pieces.read(COOKIE)], item.services)


def _tests(writer: Writer, item: Synproxy, pair: Pair, *, only_syn: bool = False) -> Tests:
    tests = side_tests(writer.pieces, pair)
    writer.addresses(tests, item.source, item.destination)
    services = service_tests(writer.pieces, item.services)
    tests.one_of([_with_syn(writer.pieces, one) for one in services] if only_syn else services)
    return tests


def _with_syn(pieces: Pieces, service: Parts) -> Parts:
    """Return a test of ports that asks for a SYN as well, in one match of tcp."""
    text = " ".join(part.text for part in service)
    return pieces.read(text.replace("-m tcp", SYN) if "-m tcp" in text else f"{text} {SYN}")
