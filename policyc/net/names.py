"""Sets of names over an open world: interface names with `+` wildcards, conntrack states, marks of kinds.

The domain is every name there is, so the complement of a finite set is a value too. A value of `policyc.net`.
"""

from __future__ import annotations

from policyc.frozen import frozen


@frozen
class NameSet:
    """The names in `members` or beginning with one of `prefixes`; with `complement`, all others."""

    members: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    complement: bool = False

    @classmethod
    def of(cls, *names: str) -> NameSet:
        """Return the set of exactly these names."""
        return cls(frozenset(names))

    @classmethod
    def interface(cls, pattern: str) -> NameSet:
        """Return what an interface pattern matches: `eth0` itself, `eth+` all that begin with eth, `+` every name.

        A trailing `+` is the wildcard (iptables(8), -i); elsewhere it is an ordinary character.
        """
        if pattern.endswith("+"):
            return cls(prefixes=frozenset((pattern[:-1],)))
        return cls(frozenset((pattern,)))

    def __contains__(self, name: str) -> bool:
        found = name in self.members or any(name.startswith(prefix) for prefix in self.prefixes)
        return found is not self.complement

    def __invert__(self) -> NameSet:
        return NameSet(self.members, self.prefixes, not self.complement)
