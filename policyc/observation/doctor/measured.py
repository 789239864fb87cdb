"""A measurement: all that `doctor` looks at, as values, of one network namespace at one moment."""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen


@frozen
class Listener:
    """A TCP socket that listens with connections waiting: `waiting` are complete and not accepted, `most` may wait."""

    address: str
    port: int
    waiting: int
    most: int


@frozen
class Device:
    """An interface as far as checks need it: `kind` as `ip link` spells it."""

    name: str
    kind: str = ""
    up: bool = True
    master: str = ""


@frozen
class Seen:
    """An address of an interface in a network namespace.

    `namespace` is its inode, `owner` who lives there in words ("nginx, process 4711"). `segment` is the bridge, or the
    interface of this host, at which the other end of its cable hangs, "" where that is not in the namespace measured.
    """

    namespace: int
    owner: str
    interface: str
    address: str
    mac: str
    segment: str


@frozen
class Measurement:
    """`counters` only grow while the machine runs; their names are those of nstat, and ours for other places.

    `boot` tells one run of the machine from another, `namespace` one network namespace from another (its inode), `at` are
    seconds since the boot. `settings` are those of sysctl by name. `rules` are iptables-save lines by kind of iptables
    and family.
    `connections`, `neighbours` (IPv4, IPv6) and `time_wait` are how many there are now.
    """

    boot: str
    namespace: int
    at: float
    counters: dict[str, int] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    rules: dict[tuple[str, int], tuple[str, ...]] = field(default_factory=dict)
    devices: tuple[Device, ...] = ()
    listeners: tuple[Listener, ...] = ()
    seen: tuple[Seen, ...] = ()
    connections: int = 0
    neighbours: tuple[int, int] = (0, 0)
    time_wait: int = 0
    is_first: bool = True

    def number(self, name: str) -> int | None:
        """Return a setting that is a number, None where there is none."""
        text = self.settings.get(name, "")
        return int(text) if text.lstrip("-").isdecimal() else None

    def rule_lines(self, family: int | None = None) -> list[str]:
        """Return the rules of both kinds of iptables, `-A` lines only, of one family or both."""
        texts = (lines for (_, of), lines in self.rules.items() if family in {None, of})
        return [line for lines in texts for line in lines if line.startswith("-A ")]
