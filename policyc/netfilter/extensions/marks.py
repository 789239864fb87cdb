"""What MARK, CONNMARK and TOS share: five ways to say which bits change, all of them `(field & ~mask) ^ value`.

Source: iptables-extensions(8), which gives each mnemonic as `--set-xmark VALUE/MASK`.
"""

from __future__ import annotations

from policyc.netfilter.arguments import MaskedNumber, Number
from policyc.netfilter.extension import Given, Option

MARK_BITS = 0xFFFFFFFF


def operations() -> tuple[Option, ...]:
    """Return the five options for marks; only one may be given, and iptables-save prints `--set-xmark`."""
    names = ("set-xmark", "set-mark", "and-mark", "or-mark", "xor-mark")
    arguments = (MaskedNumber(always_mask=True), MaskedNumber(always_mask=True), Number(), Number(), Number())
    return tuple(
        Option(name, argument, excludes=tuple(other for other in names if other != name))
        for name, argument in zip(names, arguments, strict=True)
    )


def value_and_mask(item: Given, full: int = MARK_BITS) -> tuple[int, int]:
    """Return value and mask of one of the operations; `full` has all bits of the field."""
    if item.name in {"set-xmark", "set-tos"}:
        value, mask = item.value
    elif item.name == "set-mark":
        value, mask = item.value[0], item.value[0] | item.value[1]
    elif item.name.startswith("and-"):
        value, mask = 0, full & ~item.value
    elif item.name.startswith("or-"):
        value = mask = item.value
    else:
        value, mask = item.value, 0
    return value, mask
