"""The iptables extensions, one file for each match or target, found by name when a rule first uses one.

A file is named after its extension: `tcp.py` for a match, `dnat_target.py` for a target (`DNAT` in lower case). It defines
`MATCH` or `TARGET`; an extension that differs between the families defines `MATCH` for both and looks at the family it is
given. Importing all eighty at start would cost more than a small check.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from policyc.netfilter.extension import MatchExtension, TargetExtension

# Other names under which iptables loads an extension.
_MATCH_FILES = {
    "icmpv6": "icmp6", "ipv6-icmp": "icmp6", "mobility-header": "mh", "ipv6-mh": "mh", "dst": "dst_options",
    "string": "string_match", "time": "time_match", "set": "set_match",
}  # fmt: skip
_TARGET_FILES: dict[str, str] = {}


@cache
def match_extension(name: str) -> MatchExtension | None:
    """Return the match extension of that name, None where nobody has written it."""
    module = _module(_MATCH_FILES.get(name, name))
    return cast("MatchExtension | None", getattr(module, "MATCH", None))


@cache
def target_extension(name: str) -> TargetExtension | None:
    """Return the target extension of that name, None where nobody has written it."""
    module = _module(_TARGET_FILES.get(name, f"{name.lower()}_target")) if name.isupper() else None
    return cast("TargetExtension | None", getattr(module, "TARGET", None))


def _module(file: str) -> object | None:
    if not file.isidentifier():
        return None
    name = f"{__name__}.{file}"
    return import_module(name) if find_spec(name) is not None else None
