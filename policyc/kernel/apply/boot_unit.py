"""The unit of systemd that loads the confirmed rules at boot, for this installation. Part of `policyc.kernel.apply`."""

from __future__ import annotations

import sys
from pathlib import Path

_TEMPLATE = Path(__file__).with_name("policyc.service")
_UNSAFE = frozenset(" \t\n\"'\\%$;")


class NoUnitPath(Exception):  # noqa: N818
    """The path of this policyc cannot stand in a unit as it is."""


def boot_unit() -> str:
    """Return the text of the unit. Raises NoUnitPath."""
    beside = Path(sys.executable).with_name("policyc")
    words = [str(beside)] if beside.is_file() else [sys.executable, "-m", "policyc"]
    if any(_UNSAFE & {*word} for word in words):
        raise NoUnitPath(
            f"the path `{words[0]}` would mean something else in a unit of systemd; install policyc elsewhere"
        )
    return _TEMPLATE.read_text(encoding="ascii").replace("@POLICYC@", " ".join(words))
