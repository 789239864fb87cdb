"""What the real kernel does with packets: a host rebuilt in throw-away namespaces, its rules loaded, the packets sent.

Top of `policyc.kernel.replica` with `verify`. Answers have the form of `policyc.api.replay`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from policyc.host.host import Host
from policyc.kernel.loading import Backend
from policyc.kernel.processes import program
from policyc.kernel.replica import watching
from policyc.kernel.replica.building import building_of, with_macs
from policyc.kernel.replica.machine import carry_out
from policyc.kernel.replica.sighting import RuleNames, Sighting
from policyc.kernel.replica.wire import frame, ip_packet
from policyc.net.addresses import format_address
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.save import read_save
from policyc.simulation.packet import Packet
from policyc.simulation.recorded import described
from policyc.source import Source
from policyc.writers.save import iptables_save

Texts = Mapping[int, str]


def observe(
    rules: Ruleset | Texts,
    host: Host,
    ipsets: str,
    packets: Sequence[Packet | Mapping[str, Any]],
    *,
    backend: Backend | str = Backend.NFT,
    nft: str = "",
) -> list[dict[str, Any]]:
    """Send packets through rules on a host for real; return a verdict for each, in the form of `policyc.api.replay`.

    `rules` is a Ruleset or iptables-save text by family; `ipsets` is `ipset save` text. Packets are Packets, which build on each
    other, or those of a recorded case, before which connections are forgotten where they are `fresh`. `nft` is text for
    `nft -f` that is loaded beside the rules, or in their place where there are none.

    Raises NotPrivileged without root, MissingProgram, CannotBuild and CannotSend (both ValueError) for what no replica has,
    NotCarriedOut where the kernel refuses the rules.
    """
    engine = Backend(backend)
    texts = _texts(rules)
    host = with_macs(host)
    building = building_of(host)
    given = list(_given(packets, host))
    plan = {
        **asdict(building), "nft": program("nft", "nftables"), "ip": program("ip", "iproute2"),
        "watch": watching.texts(of_legacy=engine is Backend.LEGACY), "legacy": engine is Backend.LEGACY,
        "log_groups": [watching.LOG_GROUP, watching.TRACE_GROUP], "loads": list(_loads(texts, ipsets, engine, nft)),
        "shots": [_shot(packet, mark, host, fresh=fresh) for mark, (_, fresh, packet) in enumerate(given, watching.FIRST_MARK)],
    }  # fmt: skip
    answer = carry_out(plan)
    names = RuleNames(
        {family: read_save(Source("rules", text), family) for family, text in texts.items()}, answer["rules"],
        of_legacy=engine is Backend.LEGACY,
    )  # fmt: skip
    return [
        Sighting(packet, mark, found, names).verdict(number)
        for mark, ((number, _, packet), found) in enumerate(
            zip(given, answer["sightings"], strict=True), watching.FIRST_MARK
        )
    ]


def _texts(rules: Ruleset | Texts) -> dict[int, str]:
    if isinstance(rules, Ruleset):
        return {family: iptables_save(rules, family) for family in rules.families}
    return {family: text for family, text in rules.items() if text}


def _given(packets: Sequence[Packet | Mapping[str, Any]], host: Host) -> Iterator[tuple[int, bool, Packet]]:
    for place, item in enumerate(packets):
        if isinstance(item, Packet):
            yield place, False, item
        else:
            ((number, fresh, packet, _),) = described([{"n": place, **item}], host)
            yield number, fresh, packet


def _loads(texts: Texts, ipsets: str, engine: Backend, nft: str) -> Iterator[tuple[list[str], str]]:
    if ipsets:
        yield [program("ipset", "ipset"), "restore"], ipsets
    for family, text in texts.items():
        yield [engine.tool(family, "restore")], text
    if nft:
        yield [program("nft", "nftables"), "-f", "-"], nft


def _shot(packet: Packet, mark: int, host: Host, *, fresh: bool) -> dict[str, Any]:
    """Return how a packet is sent."""
    shot: dict[str, Any] = {"fresh": fresh, "family": packet.family}
    if packet.outgoing:
        end = format_address(packet.dst, packet.family)
        return shot | {
            "iface": "", "bytes": ip_packet(packet, mark).hex(), "to": (end, 0), "uid": packet.uid or 0,
            "gid": packet.gid or 0, "mark": packet.mark, "bound": packet.bound,
        }  # fmt: skip
    interface = host.interface(packet.iif or "")
    if interface is None or interface.is_loopback:
        raise ValueError(f"no packet can come in by `{packet.iif}`")
    return shot | {"iface": interface.name, "bytes": frame(packet, mark, interface).hex()}
