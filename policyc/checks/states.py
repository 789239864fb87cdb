"""late-established, new-without-syn, old-state-match, established-syn, stateless-return: how rules ask for connections' states.

Measured: conntrack takes an ACK without a connection for NEW (nf_conntrack_tcp_loose, 1 unless set); a SYN of a known
connection exists only where a port pair is used again within the two minutes of TIME_WAIT.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.contexts import OTHER
from policyc.checks.fates import accepts
from policyc.checks.limits import accepts_known
from policyc.checks.possible import is_possible
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.names import NameSet
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.extensions.tcp import FLAGS
from policyc.netfilter.hooks import Hook, is_base_chain
from policyc.netfilter.parts import Match, Target

LATE = 20
"""Rules before the one that accepts most packets; each costs every packet of every connection."""
_LOOSE = "net.netfilter.nf_conntrack_tcp_loose"
_TO_SERVICES = frozenset((Hook.INPUT, Hook.FORWARD))
_WIDE = 1000
_OTHERS = ("NEW", "RELATED", "INVALID", "UNTRACKED")
_LOWEST_FREE = 1024


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield what rules ask of the state that is late, loose, old-fashioned or next to nothing."""
    yield from _late(survey)
    yield from _without_syn(survey)
    yield from _old_match(survey)
    yield from _stateless_return(survey)
    for standing, _ in survey.uses("tcp", only=_demands_syn):
        if _is_known_only(standing):
            yield diagnose(
                "established-syn", "hardly any packet is a SYN of a known connection: those open new ones",
                standing.span, place=standing.place, help="ask for `--ctstate NEW`, or leave the flags out",
            )  # fmt: skip


def _late(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the first rule of each base chain that accepts known connections, where it stands far behind."""
    first: dict[tuple[int, str], Standing] = {}
    for name in ("conntrack", "state"):
        for standing, _ in survey.uses(name):
            family, chain = standing.table.family, standing.chain.name
            if (
                standing.table.name == "filter"
                and is_base_chain("filter", chain)
                and accepts_known(standing.rule, family)
            ):
                before = first.get((family, chain))
                if before is None or standing.number < before.number:
                    first[family, chain] = standing
    for standing in first.values():
        if standing.number > LATE + 1:
            yield diagnose(
                "late-established",
                f"every packet of every connection passes {standing.number - 1} rules before it is accepted here",
                standing.span, place=standing.place,
                help="put it first; what is refused above it then no longer ends connections that are open",
            )  # fmt: skip


def _without_syn(survey: Survey) -> Iterator[Diagnostic]:
    """Yield, for each family, the first rule that accepts TCP as NEW and does not look at the flags."""
    host = survey.ruleset.host
    if host is not None and host.sysctls.text(_LOOSE) == "0":
        return
    told: set[int] = set()
    for name in ("conntrack", "state"):
        for standing, part in survey.uses(name):
            rule, family = standing.rule, standing.table.family
            if family in told or rule.protocol != TCP or not accepts(rule) or standing.table.name != "filter":
                continue
            tested = survey.tested(standing)
            hooks = survey.graph(standing.table).hooks[standing.chain.name]
            if (
                not tested.isdisjoint({OTHER, fields.TCP_FLAGS})
                or hooks.isdisjoint(_TO_SERVICES)
                or not isinstance(part, Match)
            ):
                continue
            if _is_for(part, standing, "NEW") and not _is_for(part, standing, "ESTABLISHED"):
                told.add(family)
                yield diagnose(
                    "new-without-syn", "the rule also accepts ACKs without a connection, which the kernel takes for NEW",
                    standing.span, place=standing.place,
                    help="add `--syn`, or set nf_conntrack_tcp_loose=0; routers that take over connections need it as it is",
                )  # fmt: skip


def _is_for(part: Match, standing: Standing, state: str) -> bool:
    return is_possible(part.meaning(Surroundings(standing.table.family)), {fields.CT_STATE: NameSet.of(state)})


def _old_match(survey: Survey) -> Iterator[Diagnostic]:
    found = [standing for standing, _ in survey.uses("state")]
    if found:
        count = f" in {len(found)} rules" if len(found) > 1 else ""
        yield diagnose(
            "old-state-match", f"`-m state` is the older name of `-m conntrack --ctstate`{count}",
            found[0].span, place=found[0].place, help="write `-m conntrack --ctstate`, which can ask for more",
        )  # fmt: skip


def _stateless_return(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules for answers that anybody can open connections by."""
    if any(True for name in ("NOTRACK", "CT") for _ in survey.uses(name, foreign=True)):
        return  # answers of untracked connections have no state
    for name in ("tcp", "udp"):
        for standing, part in survey.uses(name, only=_is_from_a_service):
            hooks = survey.graph(standing.table).hooks[standing.chain.name]
            if not accepts(standing.rule) or standing.table.name != "filter" or hooks.isdisjoint(_TO_SERVICES):
                continue
            narrow = {OTHER, fields.CT_STATE, fields.TCP_FLAGS, fields.SRC, fields.CT_STATUS}
            if survey.tested(standing).isdisjoint(narrow):
                yield diagnose(
                    "stateless-return",
                    f"whoever sends from port {part.options['sport'][0]} opens connections: nothing says that these are answers",
                    standing.span, place=standing.place, help="accept ESTABLISHED packets instead",
                )  # fmt: skip


def _is_from_a_service(part: Match | Target) -> bool:
    """Whether a match asks for a low source port and for hardly any destination port."""
    low, high = part.options.get("sport", (0, 65535))
    first, last = part.options.get("dport", (0, 65535))
    is_narrow = high - low < _WIDE and low < _LOWEST_FREE and not part.options.negated("sport")
    return is_narrow and last - first > _WIDE


def _demands_syn(part: Match | Target) -> bool:
    mask, value = part.options.get("tcp-flags", (0, 0))
    bits = FLAGS["SYN"] | FLAGS["ACK"]
    return mask & bits == bits and value & bits == FLAGS["SYN"] and not part.options.negated("tcp-flags")


def _is_known_only(standing: Standing) -> bool:
    """Whether a rule asks for packets of known connections and for no other state."""
    found = [part for part in standing.rule.matches if part.name in {"conntrack", "state"}]
    return any(
        _is_for(part, standing, "ESTABLISHED") and not any(_is_for(part, standing, other) for other in _OTHERS)
        for part in found
    )
