"""One packet as a predicate, so that a question about all packets can be asked of it alone. Part of `policyc.analysis`."""

from __future__ import annotations

from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.fields import IN_PACKET, Domain, Field
from policyc.netfilter.predicate import Bits, In, Predicate, all_of
from policyc.simulation.packet import Packet
from policyc.simulation.readings import plain_reader

_SET_VALUED = frozenset((fields.TCP_OPTION, fields.V6_HEADERS, fields.SCTP_CHUNKS, fields.DCCP_OPTION))
_READ: tuple[Field, ...] = (
    *(each for each in IN_PACKET if each not in _SET_VALUED),
    fields.IIF, fields.MAC_SRC, fields.PKTTYPE, fields.PHYSDEV_IN, fields.UID, fields.GID,
)  # fmt: skip


def only(packet: Packet) -> Predicate:
    """Return what holds for a packet before its first hook, and for no other that a rule tells from it.

    Lists of headers, options and chunks are left out: what tests them may go either way.
    """
    tests: list[Predicate] = []
    for each in (*_READ, *((fields.MARK,) if packet.outgoing else ())):
        value = plain_reader(each)(packet)
        if value is None:
            continue
        if each.domain is Domain.NAMES:
            tests.append(In(each, NameSet.of(value)))
        elif each.domain is Domain.BITS:
            tests.append(Bits(each, (1 << each.bits) - 1, value))
        else:
            tests.append(In(each, IntervalSet.of(value)))
    return all_of(*tests)
