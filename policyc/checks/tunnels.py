"""tunnel-leak, mss-clamped-one-way, tunnel-without-clamp: tunnels that are passed by, or too narrow for what is sent through."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import falls_through
from policyc.checks.fates import accepts, goes_elsewhere, refuses
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Place, diagnose
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Selector, Target
from policyc.netfilter.ruleset import Table

TUNNELS = ("tun", "tap", "wg", "ppp", "ipsec", "vti", "gre", "sit", "ip6tnl", "proton", "nordlynx", "mullvad")
_NARROW = ("tun", "wg", "ppp", "ipsec", "vti", "gre", "sit", "ip6tnl")


def is_tunnel(interface: str, prefixes: tuple[str, ...] = TUNNELS) -> bool:
    """Whether an interface's name is one that tunnels have: a known word and a number."""
    return interface.rstrip("0123456789+") in prefixes


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield what is wrong around tunnels."""
    yield from _leak(survey)
    yield from _clamps(survey)


def _interface(standing: Standing, option: str) -> str:
    found = standing.rule.selector(option)
    return str(found.value) if found is not None and not found.negated else ""


def _filter(survey: Survey, family: int) -> Table | None:
    return survey.ruleset.table(family, "filter")


def _leak(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the other ways out of a host that sends by a tunnel only."""
    four = _filter(survey, 4)
    output = four.chain(Hook.OUTPUT.value) if four is not None else None
    if four is None or output is None or falls_through(survey, four, Hook.OUTPUT):
        return
    bare = [
        Standing(four, output, number, rule)
        for number, rule in enumerate(output.rules, 1)
        if accepts(rule) and all(isinstance(part, Target) or _is_plain_oif(part) for part in rule.parts)
    ]
    ways = {_interface(one, "-o"): one for one in bare}
    tunnel = next((one for name, one in ways.items() if is_tunnel(name)), None)
    if tunnel is None or any(not is_tunnel(name) and name != "lo" for name in ways):
        return
    for family, hook in ((4, Hook.FORWARD), (6, Hook.OUTPUT)):
        table = _filter(survey, family)
        chain = table.chain(hook.value) if table is not None else None
        if table is None or chain is None or not falls_through(survey, table, hook):
            continue
        if not any(refuses(rule) or goes_elsewhere(rule) for rule in chain.rules):
            what = "IPv6 packets of this host" if family == 6 else "packets of others, containers among them,"
            yield diagnose(
                "tunnel-leak", f"{what} leave by any interface, while IPv4 programs of this host use the tunnel only",
                chain.span, place=Place(family, "filter", chain.name, 0),
                related=(tunnel.related("what this host sends goes by the tunnel"),),
                help=f"set the policy of {hook.value} to DROP here too",
            )  # fmt: skip


def _is_plain_oif(part: object) -> bool:
    return isinstance(part, Selector) and part.option == "-o"


def _clamps(survey: Survey) -> Iterator[Diagnostic]:
    clamps = [standing for standing, _ in survey.uses("TCPMSS", foreign=True)]
    for family in survey.ruleset.families:
        own = [one for one in clamps if one.table.family == family]
        incoming = {_interface(one, "-i") for one in own}
        for one in own:
            out = _interface(one, "-o")
            is_whole = any(not _interface(other, "-o") for other in own if other is not one)
            if one.is_foreign or not out or _interface(one, "-i") or out in incoming or is_whole:
                continue
            yield diagnose(
                "mss-clamped-one-way", f"only what goes out by {out} is clamped: answers still announce too much",
                one.span, place=one.place, help=f"clamp what comes in by {out} too, or leave out `-o`",
            )  # fmt: skip
        if not own:
            yield from _unclamped(survey, family)


def _unclamped(survey: Survey, family: int) -> Iterator[Diagnostic]:
    """Yield the first rule that lets others' packets into a tunnel, where nothing clamps."""
    for standing, _ in survey.uses("ACCEPT"):
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        out = _interface(standing, "-o")
        if standing.table.family == family and hooks == {Hook.FORWARD} and is_tunnel(out, _NARROW):
            yield diagnose(
                "tunnel-without-clamp", f"packets are forwarded into {out}, and nothing adapts their size to the tunnel's",
                standing.span, place=standing.place,
                help="`-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu`; in a policy, `clamp`",
            )  # fmt: skip
            return
