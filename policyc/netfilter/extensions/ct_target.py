"""-j CT: what connection tracking does with the packet: nothing, or a helper, zone, events, timeouts (net/netfilter/xt_CT.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.protocols import TCP, UDP, format_protocol
from policyc.netfilter.arguments import Argument, ChoiceList, Word, parse_number
from policyc.netfilter.effect import Effect, Track
from policyc.netfilter.extension import Given, Option, Options, Surroundings, TargetExtension, in_tables

EVENTS = (
    "new", "related", "destroy", "reply", "assured", "protoinfo", "helper", "mark", "natseqinfo", "secmark",
)  # fmt: skip
ZONES = {"zone": "", "zone-orig": "original ", "zone-reply": "reply "}
FROM_MARK = "mark"
# The kernel's own helpers and their protocols (net/netfilter/nf_conntrack_*.c); programs may add others.
HELPERS = {
    "amanda": {UDP}, "ftp": {TCP}, "irc": {TCP}, "netbios-ns": {UDP}, "pptp": {TCP}, "sane": {TCP}, "sip": {TCP, UDP},
    "snmp": {UDP}, "tftp": {UDP}, "Q.931": {TCP}, "RAS": {UDP},
}  # fmt: skip
ONLY_BEFORE_TRACKING = "it acts before connection tracking, which comes right behind the table raw"


@frozen
class Zone(Argument):
    """A number from 0 to 65535, or `mark`: the packet's mark is the number."""

    def parse(self, word: str, family: int) -> str:  # noqa: ARG002
        """Return the number in decimal, or `mark`; raise ValueError."""
        return FROM_MARK if word.lower() == FROM_MARK else str(parse_number(word, 0, 65535))


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    if len({item.value for item in options.given if item.name in ZONES}) > 1:
        yield "`--zone-orig` and `--zone-reply` of one rule share their zone; two zones need two rules"


def _demand(options: Options, around: Surroundings) -> Iterable[str]:
    if "notrack" in options:
        return
    for name in ("helper", "timeout"):
        if name in options and around.protocol is None:
            yield f"`CT --{name}` needs `-p` with the protocol that it is for"
    spoken = HELPERS.get(options.get("helper", ""))
    if spoken and around.protocol is not None and around.protocol not in spoken:
        names = " and ".join(format_protocol(number) for number in sorted(spoken))
        yield f"the helper `{options['helper']}` is for {names} only"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Leave out zone 0, which all packets have; the same zone for both directions is one for the connection."""
    zones = [item for item in options.given if item.name in ZONES]
    others = tuple(item for item in options.given if item.name not in ZONES)
    if not zones or zones[0].value == "0":
        return Options(others)
    return Options((*others, Given("zone" if len(zones) > 1 else zones[0].name, zones[0].value)))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    if "notrack" in options:
        return (Track(entry=False),)
    zone = next((ZONES[item.name] + item.value for item in options.given if item.name in ZONES), "")
    events = tuple(event for event in EVENTS if event in options.get("ctevents", ()))
    return (Track(True, options.get("helper", ""), zone, events, options.get("timeout", "")),)


TARGET = TargetExtension(
    name="CT",
    options=(
        Option("notrack"),
        Option("helper", Word(15, "helper")),  # struct xt_ct_target_info.helper holds 16 bytes with the NUL
        Option("timeout", Word(31, "timeout policy")),
        Option("ctevents", ChoiceList(EVENTS)),
        Option("expevents", ChoiceList(("new",))),
        Option("zone-orig", Zone(), excludes=("zone",)),
        Option("zone-reply", Zone(), excludes=("zone",)),
        Option("zone", Zone(), excludes=("zone-orig", "zone-reply")),
    ),
    placement=in_tables("raw", why=ONLY_BEFORE_TRACKING),
    check=_check,
    demand=_demand,
    normalise=_normalise,
    effects=_effects,
)
