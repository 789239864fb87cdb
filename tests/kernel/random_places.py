"""Where a random rule stands, which decides what it may hold."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from ipaddress import ip_address

from random_hosts import Site


@dataclass
class Place:
    """Where a rule stands: its table, and the hooks from which its chain is reached."""

    table: str
    hooks: frozenset[str]
    site: Site
    draw: random.Random
    legacy: bool
    callable: list[str] = field(default_factory=list)

    @property
    def family(self) -> int:
        return self.site.family

    def only(self, *hooks: str) -> bool:
        return self.hooks <= set(hooks)

    def negation(self, chance: float = 0.2) -> str:
        return "! " if self.draw.random() < chance else ""


def address_range(place: Place) -> str:
    first = ip_address(place.site.somebody(place.draw))
    last = type(first)(min(int(first) + place.draw.choice((0, 1, 50, 300)), int(first) | 0xFFFF))
    return f"{first}-{last}"
