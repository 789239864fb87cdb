"""Every match that is known exactly stands before the kernel here: each of its options, with and without `!`."""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Iterator

import pytest
import test_predicates_bridge as bridge
import test_predicates_connection as connection
import test_predicates_extension_headers as extension_headers
import test_predicates_fragments as fragments
import test_predicates_header as header
import test_predicates_host as host
import test_predicates_transport as transport

from policyc import api
from policyc.netfilter import extensions
from policyc.netfilter.extension import MatchExtension
from policyc.netfilter.extensions import match_extension
from policyc.netfilter.parts import SELECTORS, Match, Selector
from policyc.netfilter.predicate import Ask, May, Opaque, nodes
from policyc.netfilter.rule import Rule

ROWS = {
    4: [*bridge.ROWS, *connection.ROWS, *connection.BY_FAMILY[4], *fragments.ROWS, *fragments.IPV4, *header.ROWS, *header.IPV4,
        *host.ADDRTYPE, *host.ADDRTYPE_IPV4, *host.OF_HOST, *host.REALM, *host.SET, *transport.ROWS, *transport.IPV4],
    6: [*bridge.ROWS, *connection.ROWS, *connection.BY_FAMILY[6], *fragments.ROWS, *fragments.IPV6, *header.ROWS, *header.IPV6,
        *host.ADDRTYPE, *host.OF_HOST, *host.SET, *transport.ROWS, *transport.IPV6, *extension_headers.ROWS],
}  # fmt: skip

# Rules with a condition that a description of packet and host does not tell, or that counts: the least that can be asked of
# an extension, and the options of those above that are so.
INEXACT = {
    4: [
        '-m bpf --bytecode "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0,"', "-m cgroup --path a",
        "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 1",
        "-m connbytes --connbytes 1: --connbytes-mode packets --connbytes-dir both", "-p tcp -m connlimit --connlimit-above 1",
        "-m hashlimit --hashlimit-above 1/s --hashlimit-name a", "-p ipcomp -m ipcomp --ipcompspi 1", "-m ipvs --ipvs",
        "-p l2tp -m l2tp --tid 1", "-m limit", "-m nfacct --nfacct-name a", "-p tcp -m osf --genre Linux",
        "-m owner --gid-owner 1 --suppl-groups",
        "-m policy --dir in --pol ipsec --strict --reqid 1 --spi 1 --proto esp --mode tunnel --tunnel-dst 1.1.1.1 --tunnel-src 1.1.1.2",
        "-m policy --dir in --pol ipsec --strict --proto esp --next --proto ah",
        "-m quota --quota 1", "-m rateest --rateest a --rateest-lt --rateest-bps 8bit", "-m recent --rcheck",
        *(f"-m set --match-set a src --{what}-{how} 1" for what in ("packets", "bytes") for how in ("eq", "lt", "gt")),
        "-m socket", "-m statistic --mode random --probability 0.5", "-m string --algo bm --string a", "-m time --timestart 01:00",
        '-m u32 --u32 "0=1"',
    ],
    6: [
        "-m ah --ahlen 5", "-m ah --ahres", "-m dst --dst-len 4", "-m dst --dst-opts 1", "-m hbh --hbh-len 4", "-m hbh --hbh-opts 1",
        "-m eui64", "-m frag --fragid 7", "-m frag --fragres", "-m frag --fragmore", "-m frag --fraglast",
        "-m rt --rt-type 0 --rt-segsleft 1 --rt-len 2 --rt-0-res --rt-0-addrs ::1 --rt-0-not-strict", "-m srh",
    ],
}  # fmt: skip
# Exact, and no packet of a case tells it.
UNTOLD = {("conntrack", "ctexpire"): "the simulator's connections do not age"}
ELSEWHERE = {"udplite": "iptables 1.8.9 cannot load it; `multiport` stands in for it here"}


def rule(text: str, family: int) -> Rule:
    dump = f"*filter\n:x - [0:0]\n-A x {text}\nCOMMIT\n"
    (found,) = api.load(dump, family=family).table(family, "filter").chain("x").rules
    return found


def registry() -> Iterator[MatchExtension]:
    """All match extensions that there are."""
    for module in pkgutil.iter_modules(extensions.__path__):
        found = match_extension(module.name)
        if found is not None:
            yield found


def is_exact(text: str, family: int) -> bool:
    """Whether every packet either meets the rule or does not, as far as a description of it and of the host tells."""
    return not any(
        isinstance(node, Opaque | May) or (isinstance(node, Ask) and node.kind == "socket")
        for node in nodes(rule(text, family).predicate(family))
    )


def used(rows: dict[int, list[str]]) -> dict[str, set[tuple[str, bool]]]:
    """The options that rules use, by extension: name, and whether `!` stands before it."""
    found: dict[str, set[tuple[str, bool]]] = {}
    for family, texts in rows.items():
        for text in texts:
            for part in rule(text, family).parts:
                if isinstance(part, Match):
                    options = found.setdefault(part.name, set())
                    options.update((one.name, one.negated) for one in part.options.given)
                    # An option that only stands for another is gone from the part.
                    options.update((name, bool(mark)) for mark, name in re.findall(r"(! )?--(\S+)", text))
    return found


@pytest.mark.parametrize("family", [4, 6])
def test_what_stands_here_is_exact(family: int) -> None:
    for row in ROWS[family]:
        assert is_exact(row, family), row


@pytest.mark.parametrize(("family", "text"), [(family, text) for family, texts in INEXACT.items() for text in texts])
def test_what_is_left_out_is_not_exact(family: int, text: str) -> None:
    assert not is_exact(text, family)


@pytest.mark.parametrize("extension", list(registry()), ids=lambda one: one.name)
def test_each_option_stands_here(extension: MatchExtension) -> None:
    here, left_out = used(ROWS), used(INEXACT)
    if extension.name in ELSEWHERE:
        return
    if extension.name not in here:
        assert extension.name in left_out, "neither before the kernel here nor said to be inexact"
        return
    missing = {
        f"{'! ' if negated else ''}--{option.name}"
        for option in extension.options
        for negated in (False, True)[: 1 + option.negatable]
        if (option.name, negated) not in here[extension.name]
        and not {(option.name, False), (option.name, True)} & left_out.get(extension.name, set())
        and (extension.name, option.name) not in UNTOLD
    }
    assert not missing


def test_each_selector_stands_here() -> None:
    seen = {
        (part.option, part.negated)
        for family, rows in ROWS.items()
        for row in rows
        for part in rule(row, family).parts
        if isinstance(part, Selector)
    }
    assert seen >= {(option, negated) for option in SELECTORS for negated in (False, True)}
