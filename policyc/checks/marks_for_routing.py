"""tproxy-without-mark, mark-too-late, mark-collision: marks that routing should look at, and cannot.

Routing happens behind PREROUTING, and once more behind mangle OUTPUT (measured). A packet for TPROXY must be routed to this
host, for which a rule of `ip rule` asks for its mark (Documentation/networking/tproxy.rst).
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, Severity, diagnose
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target

_BEHIND_ROUTING = frozenset((Hook.INPUT, Hook.FORWARD, Hook.POSTROUTING))
KUBE_BITS = 0x4000 | 0x8000  # KUBE-MARK-MASQ and KUBE-MARK-DROP (kubernetes, pkg/proxy/iptables)
_READERS = ("mark", "connmark", "CONNMARK", "CLASSIFY", "HMARK", "set", "SET", "NFQUEUE")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the TPROXY rules without a mark, the marks that nothing reads, and those that somebody else reads."""
    yield from _collisions(survey)
    marking = {
        standing.table.family
        for name in ("MARK", "CONNMARK")
        for standing, _ in survey.uses(name, foreign=True)
        if Hook.PREROUTING in survey.graph(standing.table).hooks[standing.chain.name]
    }
    for standing, part in survey.uses("TPROXY"):
        if not part.options["tproxy-mark"][0] and standing.table.family not in marking:
            yield diagnose(
                "tproxy-without-mark", "routing sends the packets on: nothing marks them for the route to this host",
                standing.span, place=standing.place,
                help="add `--tproxy-mark 1`, with `ip rule add fwmark 1 lookup 100` and"
                " `ip route add local default dev lo table 100`",
            )  # fmt: skip
    read = {standing.table.family for name in _READERS for standing, _ in survey.uses(name, foreign=True)}
    for standing, part in survey.uses("MARK"):
        hooks = survey.graph(standing.table).hooks[standing.chain.name]
        if hooks <= _BEHIND_ROUTING and standing.table.family not in read and _sets_bits(part, standing.table.family):
            yield diagnose(
                "mark-too-late", "routing has been decided before this mark is set, and no rule reads it",
                standing.span, place=standing.place,
                help="mark in mangle PREROUTING, or OUTPUT for what this host sends; `tc` may still read it",
            )  # fmt: skip


def _collisions(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the marks in bits that kube-proxy reads: it translates the source of the one, and drops the other."""
    present = {table.family for table, chain in survey.chains if chain.name.startswith("KUBE-")}
    for standing, part in survey.uses("MARK"):
        value = part.options["set-xmark"][0] & KUBE_BITS
        if value:
            here = standing.table.family in present
            yield diagnose(
                "mark-collision", f"the bit {value:#x} of the mark is one that kube-proxy acts on"
                + ("" if here else ", should it run on this host"),
                standing.span, place=standing.place, severity_override=None if here else Severity.INFO,
                help="use other bits under a mask, as `--set-xmark 0x100/0x100`",
            )  # fmt: skip


def _sets_bits(part: object, family: int) -> bool:
    return isinstance(part, Target) and any(
        isinstance(effect, Assign) and effect.field is fields.MARK and effect.value
        for effect in part.effects(Surroundings(family))
    )
