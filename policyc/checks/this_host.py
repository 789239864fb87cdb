"""forwarding-off, marks-and-reverse-path, unknown-interface, foreign-source-address, target-not-attached: rules and their host.

Said of a snapshot only, and of settings and interfaces that stand in it. What a running host counts `doctor` says.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Standing, Survey
from policyc.checks.translations import is_private, translations
from policyc.diagnostics import Diagnostic, diagnose
from policyc.host.host import Host, RouteKind
from policyc.net.addresses import format_address
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Selector

# Interfaces that come and go with a program; that one is not there now says nothing.
_FLEETING = (
    "ppp",
    "tun",
    "tap",
    "wg",
    "veth",
    "br-",
    "docker",
    "virbr",
    "vnet",
    "cni",
    "flannel",
    "cali",
    "ipsec",
    "lxc",
)
_SETTINGS = {4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding"}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield what the rules expect of the host and it has not."""
    host = survey.ruleset.host
    if host is None:
        return
    yield from _forwarding(survey, host)
    yield from _marks(survey, host)
    if len(host.interfaces) > 1:
        yield from _interfaces(survey, host)
        yield from _sources(survey, host)
        yield from _targets(survey, host)


def _forwarding(survey: Survey, host: Host) -> Iterator[Diagnostic]:
    for family, setting in _SETTINGS.items():
        if host.sysctls.given.get(setting) != "0" or any(
            host.sysctls.forwards(family, i.name) for i in host.interfaces
        ):
            continue
        user = next((one for one in _forwarding_rules(survey) if one.table.family == family), None)
        if user is not None:
            yield diagnose(
                "forwarding-off", f"{setting} is 0: this host forwards nothing, whatever FORWARD accepts",
                user.span, place=user.place, help=f"set {setting}=1",
            )  # fmt: skip


def _forwarding_rules(survey: Survey) -> Iterator[Standing]:
    for standing, _ in survey.uses("ACCEPT"):
        if standing.table.name == "filter" and Hook.FORWARD in survey.graph(standing.table).hooks[standing.chain.name]:
            yield standing
    for name, hook in (("DNAT", Hook.PREROUTING), ("MASQUERADE", Hook.POSTROUTING)):
        yield from (one.standing for one in translations(survey, name, hook))


def _marks(survey: Survey, host: Host) -> Iterator[Diagnostic]:
    """Yield the first mark for routing where the reverse path filter looks up routes without marks."""
    strict = [one.name for one in host.interfaces if not one.is_loopback and host.sysctls.rp_filter(one.name) == 1]
    if not strict or host.sysctls.of_all(4, "src_valid_mark"):
        return
    for standing, _ in survey.uses("MARK"):
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        if standing.table.family == 4 and standing.table.name == "mangle" and Hook.PREROUTING in hooks:
            yield diagnose(
                "marks-and-reverse-path", f"rp_filter is strict on {', '.join(strict)}, and looks up the way back without marks",
                standing.span, place=standing.place,
                help="set net.ipv4.conf.all.src_valid_mark=1, or rp_filter=2 on these interfaces",
            )  # fmt: skip
            return


def _interfaces(survey: Survey, host: Host) -> Iterator[Diagnostic]:
    known = {one.name for one in host.interfaces}
    told: set[str] = set()
    for table, chain in survey.chains:
        unknown = {
            key: str(part.value)
            for key, part in survey.parts(chain).items()
            if isinstance(part, Selector) and part.option in {"-i", "-o"} and _is_missing(str(part.value), known)
        }
        for standing, part in survey.having(table, chain, unknown) if unknown else ():
            name = unknown[id(part)]
            if not standing.is_foreign and name not in told:
                told.add(name)
                yield diagnose(
                    "unknown-interface", f"this host has no interface {name}", standing.span, place=standing.place,
                    help=f"it has {', '.join(sorted(known - {'lo'}))}",
                )  # fmt: skip


def _is_missing(pattern: str, known: set[str]) -> bool:
    return not pattern.endswith("+") and pattern not in known and not pattern.startswith(_FLEETING)


def _sources(survey: Survey, host: Host) -> Iterator[Diagnostic]:
    """Yield the translations to a source that is no address of this host, nor routed to it."""
    for one in translations(survey, "SNAT", Hook.POSTROUTING):
        family, addresses = one.standing.table.family, one.rewrite.addresses
        if addresses is None or addresses.size != 1:
            continue
        ((number, _),) = addresses
        own = {a.address for i in host.interfaces for a in i.addresses if a.family == family}
        local = any(
            route.kind is RouteKind.LOCAL and route.family == family and number in route.destination
            for route in host.routes
        )
        if number not in own and not local:
            yield diagnose(
                "foreign-source-address", f"{format_address(number, family)} is no address of this host: answers may get lost",
                one.standing.span, place=one.standing.place,
                help="translate to an address of this host, or see that the address is routed to it",
            )  # fmt: skip


def _targets(survey: Survey, host: Host) -> Iterator[Diagnostic]:
    """Yield the translations to a private address that only a default route leads to."""
    for one in translations(survey, "DNAT", Hook.PREROUTING):
        family, addresses = one.standing.table.family, one.rewrite.addresses
        if addresses is None or addresses.size != 1 or not is_private(addresses, family):
            continue
        ((number, _),) = addresses
        routes = [route for route in host.routes if route.family == family and number in route.destination]
        attached = any(a.family == family and number in a.network for i in host.interfaces for a in i.addresses)
        if not attached and all(route.prefix == 0 for route in routes):
            yield diagnose(
                "target-not-attached", f"no network of this host has {format_address(number, family)}",
                one.standing.span, place=one.standing.place, help="is the address right? only the default route leads there",
            )  # fmt: skip
