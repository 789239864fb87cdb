"""-m ipv6header: which IPv6 headers a packet has (net/ipv6/netfilter/ip6t_ipv6header.c).

As the kernel has it, and against iptables-extensions(8): `--soft` asks that all given headers are there (negated: that none
is), without it the packet must have exactly these (negated: any other combination).
"""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Argument
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import In, Predicate, all_of, negate, negate_if

# What iptables-save prints, in its order, and the same header in the field `v6.headers`.
HEADERS = {
    "hop-by-hop": "hop", "ipv6-opts": "dst", "ipv6-route": "route", "ipv6-frag": "frag", "ah": "auth", "esp": "esp",
    "ipv6-nonxt": "none", "protocol": "prot",
}  # fmt: skip
_NUMBERS = {
    "0": "hop-by-hop", "60": "ipv6-opts", "43": "ipv6-route", "44": "ipv6-frag", "51": "ah", "50": "esp",
    "59": "ipv6-nonxt", "255": "protocol",
}  # fmt: skip
_SPELLINGS = {
    **{name: name for name in HEADERS},
    **{short: name for name, short in HEADERS.items()},
    **_NUMBERS,
    "hopopt": "hop-by-hop",
}


@frozen
class HeaderList(Argument):
    """Comma-separated headers by name or number, as a frozenset of the names of HEADERS."""

    def parse(self, word: str, family: int) -> frozenset[str]:  # noqa: ARG002
        """Return the names; raise ValueError for an unknown header."""
        for part in word.split(","):
            if part not in _SPELLINGS:
                raise ValueError(f"`{part}` is none of the IPv6 headers {', '.join(HEADERS.values())}")
        return frozenset(_SPELLINGS[part] for part in word.split(","))

    def write(self, value: frozenset[str], family: int) -> str:  # noqa: ARG002
        """Return the names in canonical order."""
        return ",".join(name for name in HEADERS if name in value)


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    wanted = [HEADERS[name] for name in HEADERS if name in options["header"]]
    others = [header for header in HEADERS.values() if header not in wanted]
    has = [In(fields.V6_HEADERS, NameSet.of(header)) for header in wanted]
    if "soft" in options:
        return all_of(*(negate_if(options.negated("header"), test) for test in has))
    exactly = all_of(*has, negate(In(fields.V6_HEADERS, NameSet.of(*others))) if others else all_of())
    return negate_if(options.negated("header"), exactly)


MATCH = MatchExtension(
    name="ipv6header",
    options=(Option("header", HeaderList(), negatable=True, required=True), Option("soft")),
    families=(6,),
    meaning=_meaning,
)
