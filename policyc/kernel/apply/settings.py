"""The kernel settings of a change, below /proc/sys/net of this network namespace. Part of `policyc.kernel.apply`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from policyc.frozen import frozen
from policyc.kernel.apply.held import NotLoaded
from policyc.kernel.sysctls import ROOT, name_of

_NAME = re.compile(r"net(?:\.[A-Za-z0-9_/@+-]+)+")
_SWAPPED = str.maketrans("./", "/.")


# Writing one of these writes those of every interface, and of IPv4 whether redirects are accepted: net/ipv4/devinet.c,
# inet_forward_change; net/ipv6/addrconf.c, addrconf_fixup_forwarding.
_WRITES_OTHERS = {
    "net.ipv4.ip_forward": ("ipv4/conf/*/forwarding", "ipv4/conf/all/accept_redirects"),
    "net.ipv4.conf.all.forwarding": ("ipv4/conf/*/forwarding", "ipv4/conf/all/accept_redirects"),
    "net.ipv6.conf.all.forwarding": ("ipv6/conf/*/forwarding",),
}


@frozen
class SettingChange:
    """A setting by its name of sysctl(8): the value that rules need, and the one that it has now, None for no such setting.

    `others` are the names and values of settings that the kernel writes along with it.
    """

    name: str
    value: str
    was: str | None
    why: str = ""
    others: tuple[tuple[str, str], ...] = ()

    @property
    def differs(self) -> bool:
        """Whether it has to be set."""
        return self.was is not None and self.was != self.value


def present(name: str) -> str | None:
    """Return the value of a setting, None where this kernel or namespace has no such setting."""
    try:
        return " ".join(path_of(name).read_text(encoding="ascii", errors="replace").split())
    except OSError:
        return None


def path_of(name: str) -> Path:
    """Return the file of a setting; raise ValueError for what is no name of one below `net`."""
    if not _NAME.fullmatch(name) or ".." in name.translate(_SWAPPED):
        raise ValueError(f"`{name}` is no setting below net")
    return ROOT.parent / name.translate(_SWAPPED)


def wanted(values: Mapping[str, tuple[str, str]]) -> list[SettingChange]:
    """Return what has to be set for settings to have values; the second word of each is why."""
    return [
        SettingChange(name, " ".join(value.split()), present(name), why, tuple(_others(name)))
        for name, (value, why) in values.items()
    ]


def _others(name: str) -> Iterator[tuple[str, str]]:
    for pattern in _WRITES_OTHERS.get(name, ()):
        for path in sorted(ROOT.glob(pattern)):
            other = name_of(path)
            if other != name and (value := present(other)) is not None:
                yield other, value


def put(changes: Sequence[SettingChange]) -> None:
    """Set what differs; raise NotLoaded."""
    for one in changes:
        if one.differs:
            _write(one.name, one.value)


def take_back(changes: Sequence[SettingChange]) -> None:
    """Set what the change has set back to what it was; raise NotLoaded."""
    for one in reversed(changes):
        if one.differs and one.was is not None and present(one.name) == one.value:
            _write(one.name, one.was)
            for name, value in one.others:
                if present(name) not in {None, value}:  # None: the interface is gone
                    _write(name, value)


def are_put(changes: Sequence[SettingChange]) -> bool:
    """Whether every setting has the value that the change wants."""
    return all(not one.differs or present(one.name) == one.value for one in changes)


def _write(name: str, value: str) -> None:
    try:
        path_of(name).write_text(f"{value}\n", encoding="ascii")
    except OSError as error:
        raise NotLoaded(f"`{name}` cannot be set to {value}: {(error.strerror or str(error)).lower()}") from None
