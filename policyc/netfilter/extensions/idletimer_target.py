"""-j IDLETIMER: a timer under a label starts anew, and tells when it runs out (net/netfilter/xt_IDLETIMER.c)."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter.arguments import Number, Word
from policyc.netfilter.effect import Effect, Note
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension

LONGEST = (2**31 - 1) // 1000 - 1  # seconds: idletimer_tg_helper keeps milliseconds in 31 bits
TAKEN = ("power", "subsystem", "uevent")  # files that sysfs itself makes where the label would be one


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    label = options["label"]
    if label in TAKEN or "/" in label:
        yield f"the label `{label}` cannot be the name of a file in sysfs, which it becomes"


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return (Note("timer", options["label"]),)


TARGET = TargetExtension(
    name="IDLETIMER",
    options=(
        Option("timeout", Number(1, LONGEST), required=True),
        Option("label", Word(27, "label"), required=True),  # MAX_IDLETIMER_LABEL_SIZE less the NUL
        Option("alarm"),
    ),
    check=_check,
    effects=_effects,
)
