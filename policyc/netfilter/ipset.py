"""An ipset as a rule refers to it: its type and, where a policy or snapshot declares it, its options and members."""

from __future__ import annotations

from dataclasses import dataclass

from policyc.source import Span


@dataclass(frozen=True, slots=True)
class IpSet:
    """`kind` as `ipset create` spells it (`hash:net`); `family` 4 or 6; `timeout` in seconds, None for none.

    `members` as `ipset add` spells them; their content is runtime state where `declared` is False. `owner` names the tool
    that creates the set, "" for us.
    """

    name: str
    kind: str
    family: int
    timeout: int | None = None
    members: tuple[str, ...] = ()
    owner: str = ""
    span: Span | None = None
