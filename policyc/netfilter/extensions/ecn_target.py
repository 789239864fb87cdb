"""-j ECN: the bits of explicit congestion notification in IPv4 and TCP (net/ipv4/netfilter/ipt_ECN.c, RFC 3168)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import Given, Option, Options, Surroundings, TargetExtension, in_tables, lacking

ECE, CWR = 0x40, 0x80


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, "ecn-tcp-remove", "ecn-tcp-ece", "ecn-tcp-cwr", "ecn-ip-ect")


def _protocols(options: Options) -> frozenset[int] | None:
    return None if all(item.name == "ecn-ip-ect" for item in options.given) else frozenset((TCP,))


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Write `--ecn-tcp-remove` out where the IP bits change too: iptables-save prints it alone or as the two zeros."""
    if "ecn-tcp-remove" not in options or "ecn-ip-ect" not in options:
        return options
    return Options((Given("ecn-tcp-ece", 0), Given("ecn-tcp-cwr", 0), Given("ecn-ip-ect", options["ecn-ip-ect"])))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    effects: list[Effect] = []
    if "ecn-tcp-remove" in options:
        effects.append(Assign(fields.TCP_FLAGS, ECE | CWR, 0))
    for name, bit in (("ecn-tcp-ece", ECE), ("ecn-tcp-cwr", CWR)):
        if name in options:
            effects.append(Assign(fields.TCP_FLAGS, bit, bit * options[name]))
    if "ecn-ip-ect" in options:
        effects.append(Assign(fields.TOS, 3, options["ecn-ip-ect"]))
    return tuple(effects)


TARGET = TargetExtension(
    name="ECN",
    families=(4,),
    options=(
        Option("ecn-tcp-remove", excludes=("ecn-tcp-ece", "ecn-tcp-cwr")),
        Option("ecn-tcp-ece", Number(0, 1), excludes=("ecn-tcp-remove",)),
        Option("ecn-tcp-cwr", Number(0, 1), excludes=("ecn-tcp-remove",)),
        Option("ecn-ip-ect", Number(0, 3)),
    ),
    protocols_for=_protocols,
    placement=in_tables("mangle"),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
