"""What DNPT and SNPT share: stateless translation of IPv6 prefixes (RFC 6296, net/ipv6/netfilter/ip6t_NPT.c)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policyc.frozen import frozen
from policyc.net.addresses import AddressError, Network, parse_address, parse_network
from policyc.netfilter.arguments import Argument
from policyc.netfilter.effect import Effect, Mutate
from policyc.netfilter.extension import Option, Options, Surroundings, TargetExtension, in_tables
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import Hook

LONGEST = 64  # the kernel corrects the checksum within the part of the address behind the prefix


@frozen
class Prefix(Argument):
    """`ADDRESS/LENGTH` with a length from 0 to 64 and nothing behind the prefix."""

    def parse(self, word: str, family: int) -> Network:
        """Return the prefix; raise AddressError."""
        network = parse_network(word, family)
        if network.prefix is None or network.prefix > LONGEST:
            raise AddressError(f"`{word}` is no prefix of at most {LONGEST} bits")
        if parse_address(word.partition("/")[0], family) != network.address:
            raise AddressError(f"`{word}` has bits behind its prefix, which the kernel refuses")
        return network


def prefix_target(name: str, side: Field, hooks: Sequence[Hook]) -> TargetExtension:
    """Return the target that translates one side of every packet in these hooks of the table mangle."""

    def check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
        if not options["src-pfx"].mask and not options["dst-pfx"].mask:
            yield f"`{name}` from ::/0 to ::/0 translates nothing"

    def effects(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
        return (Mutate("prefix", f"{options['src-pfx']} to {options['dst-pfx']}", (side,)),)

    return TargetExtension(
        name=name,
        families=(6,),
        options=(Option("src-pfx", Prefix(), required=True), Option("dst-pfx", Prefix(), required=True)),
        placement=in_tables("mangle", hooks=hooks),
        check=check,
        effects=effects,
    )
