"""-m ipvs: properties of an IPVS connection (net/netfilter/xt_ipvs.c). Nothing here models IPVS: it is opaque."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.frozen import frozen
from policyc.net.services import port_of
from policyc.netfilter.arguments import Argument, Protocol, choice
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings, lacking, written
from policyc.netfilter.extensions.masked_address import MaskedAddressArgument
from policyc.netfilter.predicate import Opaque, Predicate, negate

_PROPERTIES = ("vproto", "vaddr", "vport", "vdir", "vmethod", "vportctl")


@frozen
class Port(Argument):
    """A port by number or service name."""

    def parse(self, word: str, family: int) -> int:  # noqa: ARG002
        """Return the port; raise ValueError."""
        return port_of(word)


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, "ipvs", *_PROPERTIES)
    if options.negated("ipvs") and any(name in options for name in _PROPERTIES):
        yield "`! --ipvs` contradicts the other options, which imply `--ipvs`"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    has_more = any(name in options for name in _PROPERTIES)
    return options.without("ipvs", None) if has_more else options


def _meaning(options: Options, around: Surroundings) -> Predicate:
    if options.negated("ipvs"):
        return negate(Opaque("-m ipvs --ipvs"))
    return Opaque(f"-m ipvs{written(MATCH, options, around.family)}")


MATCH = MatchExtension(
    name="ipvs",
    options=(
        Option("ipvs", negatable=True),
        Option("vproto", Protocol(numeric=True, low=1), negatable=True),
        Option("vaddr", MaskedAddressArgument(bare_host=True), negatable=True),
        Option("vport", Port(), negatable=True),
        Option("vdir", choice("ORIGINAL", "REPLY", fold=True)),
        Option("vmethod", choice("GATE", "IPIP", "MASQ", fold=True), negatable=True),
        Option("vportctl", Port(), negatable=True),
    ),
    check=_check,
    normalise=_normalise,
    meaning=_meaning,
)
