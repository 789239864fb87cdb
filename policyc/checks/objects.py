"""missing-object: a rule names an ipset or accounting object that nothing here makes; without it nothing loads (measured)."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter.parts import Match, Part, Target

OPTIONS = ("match-set", "add-set", "del-set", "map-set")


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield, for each object that is not declared, the first rule of a family that refers to it."""
    reported: set[tuple[int, str]] = set()
    for table, chain in survey.chains:
        declared = {item.name for item in survey.ruleset.sets if item.serves(table.family)}
        missing = {
            key: name
            for key, part in survey.parts(chain).items()
            for name in (*set_names(part), *accounting_names(part))
            if name not in declared and (table.family, name) not in reported
        }
        for standing, part in survey.having(table, chain, missing) if missing else ():
            name = missing[id(part)]
            if standing.is_foreign or (table.family, name) in reported:
                continue
            reported.add((table.family, name))
            yield diagnose(
                "missing-object", f"the {'ipset' if set_names(part) else 'accounting object'} `{name}` is not made here",
                standing.span, place=standing.place, help=_help(name, declared, is_set=bool(set_names(part))),
            )  # fmt: skip


def _help(name: str, declared: set[str], *, is_set: bool) -> str:
    near = get_close_matches(name, sorted(declared), 1)
    if near:
        return f"did you mean `{near[0]}`?"
    if not is_set:
        return f"the rule loads only behind `nfacct add {name}`; say so with `policyc: allow missing-object -- reason`"
    return (
        "the rule loads only where the set exists: a policy declares it, `owner` naming the tool that makes it;"
        " in a dump say `policyc: allow missing-object -- reason`"
    )


def set_names(part: Part) -> list[str]:
    """Return the sets that a match or target refers to."""
    if not isinstance(part, Match | Target) or part.name not in {"set", "SET"}:
        return []
    return [str(item.value[0]) for item in part.options.given if item.name in OPTIONS]


def accounting_names(part: Part) -> list[str]:
    """Return the accounting objects that a match counts into."""
    return [str(part.options["nfacct-name"])] if isinstance(part, Match) and part.name == "nfacct" else []
