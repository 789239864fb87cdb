"""An ipset with its members as values. A value of `policyc.host`; `policyc.host.membership` says who is in it.

An entry is a tuple of one part for each dimension of the set's kind: an address or mark or port number, a network, a
(protocol, port) pair, a MAC, an interface's name, a set's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Entry:
    """What a set knows of one member.

    `nomatch`: the exception in a set of networks. `timeout` in seconds after the set was read, None for ever. `wildcard`: the
    interface's name is a prefix. `physdev`: the bridge's port is meant.
    """

    nomatch: bool = False
    timeout: int | None = None
    wildcard: bool = False
    physdev: bool = False


@dataclass(frozen=True, slots=True)
class MemberSet:
    """A set: `kind` as `ipset create` spells it, `family` 4 or 6, 0 for the kinds that know none (bitmap:port, list:set …).

    `entries` in the order in which they were added. `netmask` and `markmask` are applied to what is looked up; `low` and
    `high` bound a bitmap. `timeout` is the default of entries added later, None where the set has no timeouts.
    """

    name: str
    kind: str
    family: int
    entries: Mapping[tuple[object, ...], Entry] = field(default_factory=dict)
    netmask: int | None = None
    markmask: int = 0xFFFFFFFF
    low: int = 0
    high: int = 0
    timeout: int | None = None
