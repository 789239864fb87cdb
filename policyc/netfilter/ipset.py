"""An ipset as a rule refers to it: its type and, where a policy or snapshot declares it, its options and members."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.source import Span


@frozen
class IpSet:
    """`kind` as `ipset create` spells it (`hash:net`); `timeout` in seconds, None for none.

    `family` is 4 or 6, and 0 for a kind that rules of both may ask (`bitmap:port`, `list:set`). `members` are spelled as for
    `ipset add`. `options` are all words behind the kind where the set was read from a host, "" where we make it. `owner` names
    the tool that creates the set, "" for us.
    """

    name: str
    kind: str
    family: int
    timeout: int | None = None
    members: tuple[str, ...] = ()
    owner: str = ""
    span: Span | None = None
    options: str = ""

    def serves(self, family: int) -> bool:
        """Whether rules of the family may ask the set."""
        return self.family in {0, family}
