"""sensitive-port-open, spoofable-source, wide-interface-pattern: rules that accept more senders than their authors think of."""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.admitting import falls_through
from policyc.checks.contexts import OTHER
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.net.addresses import Network, parse_network
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match, Selector

# Services that are not made for strangers: most of them ask for no password as they are installed.
SENSITIVE = {
    111: "rpcbind", 623: "IPMI", 873: "rsync", 1433: "SQL Server", 2049: "NFS", 2375: "the Docker API", 2379: "etcd",
    3306: "MySQL", 3389: "RDP", 5432: "PostgreSQL", 5900: "VNC", 5984: "CouchDB", 6000: "X11", 6379: "Redis",
    9200: "Elasticsearch", 10250: "the kubelet", 11211: "memcached", 27017: "MongoDB",
}  # fmt: skip
_FROM_OUTSIDE = frozenset((Hook.INPUT, Hook.FORWARD))
_NARROW = frozenset((OTHER, fields.SRC, fields.MAC_SRC, fields.MARK, fields.IPSEC_IN, fields.SRC_TYPE, fields.UID))
_PRIVATE = {
    4: tuple(parse_network(one, 4) for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")),
    6: (parse_network("fc00::/7", 6),),
}
_CARDS = ("", "eth", "en", "wl", "wlan", "ens", "enp", "eno", "wlp")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that accept too many."""
    for standing, _ in survey.uses("ACCEPT"):
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        if standing.table.name != "filter" or hooks.isdisjoint(_FROM_OUTSIDE):
            continue
        found = _sensitive(survey, standing, hooks) or _spoofable(survey, standing) or _any_card(standing)
        if found is not None:
            yield found


def _sensitive(survey: Survey, standing: Standing, hooks: frozenset[Hook]) -> Diagnostic | None:
    port = next((one for one in map(_single_port, standing.rule.parts) if one in SENSITIVE), None)
    if port is None or Hook.INPUT not in hooks:
        return None
    tested = survey.tested(standing)
    if not tested.isdisjoint(_NARROW):
        return None
    inside = fields.IIF in tested
    return diagnose(
        "sensitive-port-open",
        f"everybody{' behind that interface' if inside else ''} may connect to port {port}, {SENSITIVE[port]}",
        standing.span, place=standing.place, severity_override=Severity.INFO if inside else None,
        help="accept it from the addresses that need it",
    )  # fmt: skip


def _single_port(part: object) -> int:
    if not isinstance(part, Match) or part.name not in {"tcp", "udp"} or part.options.negated("dport"):
        return 0
    low, high = part.options.get("dport", (0, 0))
    return low if low == high else 0


def _spoofable(survey: Survey, standing: Standing) -> Diagnostic | None:
    """Return the finding about a rule that trusts private senders whatever interface they come from."""
    (*tests, _) = standing.rule.parts
    source = standing.rule.selector("-s")
    if len(tests) != 1 or source is None or source.negated or not isinstance(source.value, Network):
        return None
    network = source.value
    inside = any(network.mask & one.mask == one.mask and network.address & one.mask == one.address
                 for one in _PRIVATE[standing.table.family])  # fmt: skip
    if not inside or survey.tested(standing) != {fields.SRC} or _is_guarded(survey, standing):
        return None
    return diagnose(
        "spoofable-source", f"whoever sends from {network} is trusted, from whatever interface the packet comes",
        standing.span, place=standing.place, help="test the interface of that network with `-i`, or set rp_filter=1",
    )  # fmt: skip


def _is_guarded(survey: Survey, standing: Standing) -> bool:
    """Whether the trust is worth nothing, or something else tells where such senders are: the host's way back, or a rule."""
    hooks = survey.graph(standing.table).hooks[standing.chain.name] & _FROM_OUTSIDE
    if all(falls_through(survey, standing.table, hook) for hook in hooks):
        return True
    host = survey.ruleset.host
    if host is not None and standing.table.family == 4:
        outside = [one for one in host.interfaces if not one.is_loopback]
        if len(outside) < 2 or all(host.sysctls.rp_filter(one.name) == 1 for one in outside):
            return True
    return any(True for _ in survey.uses("rpfilter", foreign=True))


def _any_card(standing: Standing) -> Diagnostic | None:
    """Return the finding about a rule that accepts all that comes in by interfaces which may not exist yet."""
    (*tests, _) = standing.rule.parts
    if len(tests) != 1 or not isinstance(tests[0], Selector) or tests[0].option != "-i" or tests[0].negated:
        return None
    pattern = str(tests[0].value)
    if not pattern.endswith("+") or pattern[:-1].rstrip("0123456789") not in _CARDS:
        return None
    return diagnose(
        "wide-interface-pattern", f"the rule accepts everything that comes in by any interface `{pattern}`, later ones too",
        standing.span, place=standing.place, help="name the interfaces that are trusted",
    )  # fmt: skip
