"""`tproxy A -> B tcp/80 becomes :3128 mark M`: packets go to a socket of this host, and keep the address they were sent to."""

from __future__ import annotations

from policyc.lowering.actions import mark_action
from policyc.lowering.draft import Draft
from policyc.lowering.intent_line import Writer
from policyc.lowering.services import protocol_tests, service_tests
from policyc.lowering.sides import side_tests, source_tests
from policyc.lowering.statement import state
from policyc.lowering.tests import Tests
from policyc.net.addresses import format_address
from policyc.netfilter.hooks import Hook
from policyc.policy.model import Tproxy


def tproxy(draft: Draft, item: Tproxy) -> None:
    """Write the divert of packets that have a socket already, the proxy, and the accept of what it gets.

    A diverted packet has its mark and is done with mangle. INPUT sees the port that the client asked for, not the proxy's.
    """
    state(draft, item)
    if any(one.ports and one.ports[0] != one.ports[1] for one in item.endpoints):
        draft.report("misplaced-word", "a transparent proxy listens at one port", item.span)
        return
    for family in item.families:
        writer = Writer(draft, item, family)
        _divert(writer, item)
        for pair in item.pairs:
            if family in pair.families:
                tests = side_tests(writer.pieces, pair)
                writer.addresses(tests, item.source, item.destination)
                tests.one_of(service_tests(writer.pieces, item.services))
                writer.write(
                    "mangle", Hook.PREROUTING, tests, [writer.pieces.read(_target(item, family))], item.services
                )
        for pair in item.pairs:
            if family in pair.families:
                tests = Tests()
                tests.one_of(source_tests(writer.pieces, pair.source))
                writer.addresses(tests, item.source, item.destination)
                tests.one_of(service_tests(writer.pieces, item.services))
                tests.common.extend(writer.pieces.read(f"-m mark --mark {_mark(item)}"))
                writer.write("filter", Hook.INPUT, tests, [(writer.pieces.accept,)])


def _divert(writer: Writer, item: Tproxy) -> None:
    """Write the divert of each protocol once: the first mark leads to this host as well as another."""
    pieces = writer.pieces
    for protocol in protocol_tests(pieces, item.services):
        if (writer.family, protocol) in writer.draft.diverted:
            continue
        writer.draft.diverted.add((writer.family, protocol))
        for action in (mark_action(pieces, item.mark), (pieces.accept,)):
            tests = Tests(common=[*protocol, *pieces.read("-m socket --transparent")])
            writer.write("mangle", Hook.PREROUTING, tests, [action])


def _mark(item: Tproxy) -> str:
    return f"{item.mark.value:#x}/{item.mark.mask:#x}"


def _target(item: Tproxy, family: int) -> str:
    endpoint = next(one for one in item.endpoints if one.family in {None, family})
    port = endpoint.ports[0] if endpoint.ports else 0  # 0: the port that the client asked for
    address = format_address(endpoint.first, family)
    return f"-j TPROXY --on-port {port} --on-ip {address} --tproxy-mark {_mark(item)}"
