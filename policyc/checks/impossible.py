"""never-matches: a rule whose own tests no packet can pass, or none that reaches it.

By itself: two tests of one field have no value in common. By its place: an interface that is not known there, a state in
the table nat, which is asked about first packets only. What earlier rules take away is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policyc.checks.forms import Form
from policyc.checks.placement import NO_INTERFACE
from policyc.checks.possible import is_possible
from policyc.checks.survey import Standing, Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.net.intervals import IntervalSet
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import Hook, is_base_chain
from policyc.netfilter.parts import Target, Unknown
from policyc.netfilter.predicate import All, In, Never, Not, Predicate
from policyc.netfilter.ruleset import Chain, Table

# Fields that have one value at most; of the others a packet may have several at once.
MANY_VALUED = frozenset((fields.TCP_OPTION, fields.V6_HEADERS, fields.SCTP_CHUNKS, fields.CT_LABEL, fields.DCCP_OPTION))
FIRST_PACKETS = NameSet.of("NEW", "RELATED")
NOWHERE = NameSet()

Limits = Mapping[Field, NameSet]


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the rules that no packet can match where they stand."""
    for table, chain in survey.chains:
        hooks = survey.graph(table).hooks[chain.name]
        if hooks:
            limits = _limits(table, chain, hooks)
            for number in _suspects(survey, table, chain, limits):
                standing = Standing(table, chain, number, chain.rules[number - 1])
                found = None if standing.is_foreign else _finding(standing, limits, hooks)
                if found is not None:
                    yield found


def _limits(table: Table, chain: Chain, hooks: frozenset[Hook]) -> dict[Field, NameSet]:
    """Return the values that fields can have where the chain is entered; a base chain's interfaces iptables itself refuses."""
    limits: dict[Field, NameSet] = {}
    if not is_base_chain(table.name, chain.name):
        if hooks == {Hook.OUTPUT}:  # a forwarded packet still has its incoming interface in POSTROUTING
            limits[fields.IIF] = NOWHERE
        if hooks <= NO_INTERFACE["-o"]:
            limits[fields.OIF] = NOWHERE
    if table.name == "nat":
        limits[fields.CT_STATE] = FIRST_PACKETS
    return limits


def _suspects(survey: Survey, table: Table, chain: Chain, limits: Limits) -> Iterator[int]:
    """Yield the numbers of the rules that test a limited field, or one field twice."""
    of = survey.forms(table.family).of
    forms = {key: of(part) for key, part in survey.parts(chain).items()}
    known: dict[tuple[Form, ...], bool] = {}
    for number, rule in enumerate(chain.rules, 1):
        own = tuple([forms[id(part)] for part in rule.parts])
        suspect = known.get(own)
        if suspect is None:
            suspect = known[own] = _is_suspect(own, limits)
        if suspect:
            yield number


def _is_suspect(forms: tuple[Form, ...], limits: Limits) -> bool:
    seen: set[Field] = set()
    for form in forms:
        read = (form.fields or frozenset()) - {fields.PROTO, fields.FRAG}
        if not read.isdisjoint(seen) or not read.isdisjoint(limits) or form.is_never:
            return True
        seen |= read
    return False


def _finding(standing: Standing, limits: Limits, hooks: frozenset[Hook]) -> Diagnostic | None:
    rule, family = standing.rule, standing.table.family
    around = rule.around(family)
    atoms: list[Predicate] = []
    for part in rule.parts:
        if isinstance(part, Target | Unknown):
            continue
        meaning = part.meaning(around)
        if isinstance(meaning, Never):
            return _never(standing, f"no packet passes `{part.text}`", "")
        field = next((f for f, values in limits.items() if not is_possible(meaning, {f: values})), None)
        if field is not None:
            where = " and ".join(hook.value for hook in Hook if hook in hooks)
            return _never(standing, f"no packet passes `{part.text}` {_where(field, where)}", _advice(field))
        atoms.extend(meaning.parts if isinstance(meaning, All) else (meaning,))
    empty = next((field for field in dict.fromkeys(map(_field, atoms)) if field and _is_empty(field, atoms)), None)
    if empty is None:
        return None
    return _never(standing, f"the tests of {_NAMES.get(empty, empty.name)} exclude each other", "")


def _never(standing: Standing, why: str, advice: str) -> Diagnostic:
    return diagnose(
        "never-matches",
        f"the rule never applies: {why}",
        standing.span,
        place=standing.place,
        help=advice or "delete it",
    )


def _field(atom: Predicate) -> Field | None:
    inner = atom.part if isinstance(atom, Not) else atom
    return inner.field if isinstance(inner, In) and inner.field not in MANY_VALUED else None


def _is_empty(field: Field, atoms: list[Predicate]) -> bool:
    """Whether the tests of a field have no value in common."""
    wanted = [atom.values for atom in atoms if isinstance(atom, In) and atom.field is field]
    unwanted = [
        atom.part.values
        for atom in atoms
        if isinstance(atom, Not) and isinstance(atom.part, In) and atom.part.field is field
    ]
    if not wanted:
        return False
    first = wanted[0]
    if isinstance(first, IntervalSet):
        left = first
        for values in wanted[1:]:
            left = left & values if isinstance(values, IntervalSet) else left
        for values in unwanted:
            left = left - values if isinstance(values, IntervalSet) else left
        return not left
    named = next((v for v in wanted if isinstance(v, NameSet) and not v.prefixes and not v.complement), None)
    if named is None:
        return False
    return not any(
        all(not isinstance(v, NameSet) or member in v for v in wanted)
        and not any(isinstance(v, NameSet) and member in v for v in unwanted)
        for member in named.members
    )


_NAMES = {
    fields.SRC: "the source address",
    fields.DST: "the destination address",
    fields.SPORT: "the source port",
    fields.DPORT: "the destination port",
    fields.PROTO: "the protocol",
    fields.CT_STATE: "the connection state",
    fields.ICMP: "the ICMP type",
    fields.LENGTH: "the packet length",
    fields.MAC_SRC: "the hardware address",
}


def _where(field: Field, hooks: str) -> str:
    if field is fields.CT_STATE:
        return "in the table nat, which sees the first packet of a connection only"
    return f"in {hooks}, where there is no {'incoming' if field is fields.IIF else 'outgoing'} interface"


def _advice(field: Field) -> str:
    if field is fields.CT_STATE:
        return "leave the state out"
    option, hooks = (
        ("-i", "PREROUTING, INPUT or FORWARD") if field is fields.IIF else ("-o", "FORWARD, OUTPUT or POSTROUTING")
    )
    return f"test `{option}` in a chain that {hooks} reaches"
