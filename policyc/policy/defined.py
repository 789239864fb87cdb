"""What a policy defines by name and the kernel must be told: zones, sets, limits, logs and schedules, resolved.

Addresses, services and marks are values only: they are gone once a rule is resolved.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum

from policyc.frozen import frozen
from policyc.net.addresses import Network
from policyc.policy.values import AddressItem, Families
from policyc.source import Span

MAX_LOG_PREFIX = 29
"""Characters of a LOG prefix: struct ipt_log_info and nf_log's prefix hold 30 with the NUL."""
MAX_NFLOG_PREFIX = 63
"""Characters of an NFLOG prefix: struct xt_nflog_info holds 64 with the NUL."""
MAX_SET_NAME = 31
"""Characters of an ipset's name: IPSET_MAXNAMELEN is 32 with the NUL."""
MAX_COMMENT = 255
"""Characters of a comment: XT_MAX_COMMENT_LEN is 256 with the NUL."""


class Special(Enum):
    """The two sides of a pair that are no zone: this host, and everything else."""

    SELF = "self"
    ANY = "any"

    @property
    def word(self) -> str:
        """The word of the language."""
        return str(self.value)


SELF, ANY = Special.SELF, Special.ANY


@frozen
class Zone:
    """A packet is inside when its interface is listed and, where there are networks, its address is in one.

    Without interfaces the networks alone decide. `addresses` are the host's own there, as address and mask of their network
    (`Network.address` is the address itself, host bits and all); they emit nothing. `families` are those of the networks,
    None without networks: then the zone fits both.
    """

    name: str
    interfaces: tuple[str, ...]
    networks: tuple[AddressItem, ...]
    addresses: tuple[Network, ...]
    owner: str
    families: Families | None
    span: Span = field(compare=False, repr=False)

    @property
    def word(self) -> str:
        """The zone's name, as a special side has it too."""
        return self.name


Side = Zone | Special


@frozen
class Set:
    """An ipset for each family: `content` is address (hash:ip) or network (hash:net), `timeout` in seconds.

    With an `owner` (or an external name) it exists already and is never created.
    """

    name: str
    content: str
    timeout: int | None
    owner: str
    external: str
    span: Span = field(compare=False, repr=False)

    @property
    def created(self) -> bool:
        """Whether we make it."""
        return not self.owner and not self.external

    def kernel_name(self, family: int) -> str:
        """Return the ipset's name: ours is `banned.4` and `banned.6`; another tool's is one name, as that tool says."""
        if self.created:
            return f"{self.name}.{family}"
        return self.external or self.name


@frozen
class Limit:
    """A rate (packets, unit second, minute, hour or day; `burst` is set) or a number of connections; one is there.

    `per` is source, destination or "" (one count for all), `prefix` the leading bits that are told apart, None for all.
    """

    name: str
    rate: tuple[int, str] | None
    burst: int
    connections: int | None
    per: str
    prefix: int | None
    span: Span = field(compare=False, repr=False)


@frozen
class Log:
    """A LOG rule, or NFLOG to `group` where that is set; `rate` and `burst` hold the lines back, None without a limit."""

    name: str
    text: str
    group: int | None
    rate: tuple[int, str] | None
    burst: int
    span: Span = field(compare=False, repr=False)

    def prefix(self, rule: str = "") -> str:
        """Return the prefix of log lines: the text, the rule's id where there is one, and the blank before `IN=`."""
        return f"{self.text} {rule} " if rule else f"{self.text} "


@frozen
class Schedule:
    """Days of the week (1 Monday to 7 Sunday, ascending, empty for every day) and times of day, all UTC.

    `hours` are (start, end) in minutes since midnight, end up to 1440, empty for the whole day. Where start > end the time
    goes over midnight and belongs to the day on which it begins.
    """

    name: str
    days: tuple[int, ...]
    hours: tuple[tuple[int, int], ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Schedules:
    """What stands after `during`: one of these schedules, or none of them where negated."""

    negated: bool
    values: tuple[Schedule, ...]
