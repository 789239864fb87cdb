"""-j CONNMARK: bits of the connection's mark, set or copied from or to the packet's (net/netfilter/xt_connmark.c).

set      ctmark = ((ctmark & ~ctmask) ^ value) shifted
save     ctmark = (ctmark & ~ctmask) ^ (mark & nfmask, shifted)
restore  mark   = (mark & ~nfmask) ^ (ctmark & ctmask, shifted)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.effect import Assign, Effect
from policyc.netfilter.extension import Given, Option, Options, Surroundings, TargetExtension, lacking
from policyc.netfilter.extensions.marks import MARK_BITS, operations, value_and_mask

COPIES = ("save-mark", "restore-mark")
SHIFTS = ("left-shift-mark", "right-shift-mark")
_OPERATIONS = operations()
_SET = tuple(option.name for option in _OPERATIONS)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return lacking(options, *_SET, *COPIES)


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    """Carry the options out in their order: a later `--mask` replaces the mask of an earlier `--set-mark`, and back."""
    value, nfmask, ctmask = 0, MARK_BITS, MARK_BITS
    for item in options.given:
        if item.name in _SET:
            value, ctmask = value_and_mask(item)
        elif item.name == "mask":
            nfmask = ctmask = item.value
        elif item.name == "nfmask":
            nfmask = item.value
        elif item.name == "ctmask":
            ctmask = item.value
    copy = [Given(item.name) for item in options.given if item.name in COPIES]
    action = (
        [*copy, Given("nfmask", nfmask), Given("ctmask", ctmask)] if copy else [Given("set-xmark", (value, ctmask))]
    )
    shifts = (item for item in options.given if item.name in SHIFTS and item.value)
    return Options((*action, *shifts))


def _effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    shift = options.get("left-shift-mark", 0) - options.get("right-shift-mark", 0)
    if "save-mark" in options:
        return (Assign(fields.CT_MARK, options["ctmask"], 0, fields.MARK, options["nfmask"], shift),)
    if "restore-mark" in options:
        return (Assign(fields.MARK, options["nfmask"], 0, fields.CT_MARK, options["ctmask"], shift),)
    value, mask = options["set-xmark"]
    assigned = Assign(fields.CT_MARK, mask, value)
    if not shift:
        return (assigned,)
    return assigned, Assign(fields.CT_MARK, MARK_BITS, 0, fields.CT_MARK, MARK_BITS, shift)


TARGET = TargetExtension(
    name="CONNMARK",
    options=(
        *(replace(option, excludes=(*option.excludes, *COPIES)) for option in _OPERATIONS),
        Option("save-mark", excludes=("restore-mark", *_SET)),
        Option("restore-mark", excludes=("save-mark", *_SET)),
        Option("nfmask", Number(form="#x"), excludes=("mask",)),
        Option("ctmask", Number(form="#x"), excludes=("mask",)),
        Option("mask", Number(form="#x"), excludes=("nfmask", "ctmask")),
        Option("left-shift-mark", Number(0, 31), excludes=("right-shift-mark",)),
        Option("right-shift-mark", Number(0, 31), excludes=("left-shift-mark",)),
    ),
    check=_check,
    normalise=_normalise,
    effects=_effects,
)
