"""The expanded policy: each statement with its source line and every kernel rule that it made; for a dump, each line.

A rule belongs to the source place that it carries; the id in its comment leads to the statement's name and description.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from policyc.diagnostics import Place
from policyc.diagnostics.diagnostic import location
from policyc.netfilter.intent import Statement
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.statement_ids import id_of, statements_of, text_of
from policyc.report.json import json_text
from policyc.report.style import PLAIN, Style
from policyc.report.summary import plural
from policyc.source import Source, Span

LONGEST = 100
"""Characters of a statement that stands over several lines."""


@dataclass(slots=True)
class Shown:
    """A place of the source with the rules that it made, in kernel order, under the id and name of their statement."""

    span: Span | None
    rules: list[tuple[Place, Rule]] = field(default_factory=list)
    statements: dict[str, Statement | None] = field(default_factory=dict)

    def of(self, identifier: str) -> Iterator[tuple[Place, Rule]]:
        """Return the rules with that id, "" for those without."""
        return ((place, rule) for place, rule in self.rules if id_of(rule) == identifier)


def shown(ruleset: Ruleset) -> list[Shown]:
    """Return the places of the source in its order; rules without a place come last."""
    known = statements_of(ruleset)
    groups: dict[tuple[int, int, int], Shown] = {}
    sources: dict[Source, int] = {}
    for table, chain, number, rule in ruleset.rules():
        span = rule.span
        key = (1 << 62, 0, 0)
        if span is not None:
            key = (sources.setdefault(span.source, len(sources)), span.start, span.end)
        group = groups.setdefault(key, Shown(span))
        group.rules.append((Place(table.family, table.name, chain.name, number), rule))
        identifier = id_of(rule)
        group.statements.setdefault(identifier, known.get(identifier))
    return [groups[key] for key in sorted(groups)]


def show_text(ruleset: Ruleset, style: Style = PLAIN) -> str:
    """Return the expansion for people."""
    blocks = [_chains(ruleset, style)] if ruleset.intent is None else _statements(ruleset, style)
    if ruleset.sets:
        blocks.append("sets:\n" + "".join(f"  {style.foreign(_set(item))}\n" for item in ruleset.sets))
    if ruleset.intent and ruleset.intent.sysctls:
        needs = [f"  {s.name} = {s.value}{f'  ({s.why})' if s.why else ''}" for s in ruleset.intent.sysctls]
        blocks.append("needs sysctls:\n" + "".join(f"{style.foreign(line)}\n" for line in needs))
    return "\n".join(block for block in blocks if block)


def show_json(ruleset: Ruleset) -> str:
    """Return the expansion as JSON: `statements` in source order, `chains` with their base policies, sets, sysctls."""
    intent = ruleset.intent
    return json_text(
        {
            "statements": [entry for group in shown(ruleset) for entry in _entries(group)],
            "chains": [
                {"family": t.family, "table": t.name, "chain": c.name, "policy": c.policy, "rules": len(c.rules)}
                for family in (4, 6) for t in ruleset.family(family) for c in t.chains
            ],
            "sets": [{"name": s.name, "kind": s.kind, "family": s.family or None, "timeout": s.timeout} for s in ruleset.sets],
            "sysctls": [{"name": s.name, "value": s.value, "why": s.why} for s in (intent.sysctls if intent else ())],
        }
    )  # fmt: skip


def _set(item: IpSet) -> str:
    timeout = "" if item.timeout is None else f"  timeout {item.timeout} s"
    owner = f"  of {item.owner}" if item.owner else ""
    family = f"  IPv{item.family}" if item.family else ""
    return f"{item.name}  {item.kind}{family}{timeout}{owner}"


def _entries(group: Shown) -> Iterator[dict[str, Any]]:
    for identifier, statement in group.statements.items():
        yield {
            "id": identifier or None,
            "name": statement.name if statement else "",
            "description": statement.description if statement else "",
            "location": location(group.span),
            "text": group.span.text if group.span else "",
            "rules": [{**place.to_dict(), "text": rule.text} for place, rule in group.of(identifier)],
        }


def _statements(ruleset: Ruleset, style: Style) -> list[str]:
    blocks: list[str] = []
    groups = shown(ruleset)
    for group in groups:
        lines = [_head(group.span, style)]
        for identifier, statement in group.statements.items():
            if identifier:
                name = f" {statement.name}" if statement and statement.name else ""
                lines.append(f"  {style.paint('bold', style.foreign(identifier + name))}")
            if statement and statement.description:
                lines.extend(
                    f"  {style.paint('faint', '# ' + style.foreign(line))}"
                    for line in statement.description.split("\n")
                )
            lines.extend(f"    {line}" for line in _rules(list(group.of(identifier)), style))
        blocks.append("".join(f"{line}\n" for line in lines))
    every = [rule for group in groups for _, rule in group.rules]
    others = Counter(rule.owner for rule in every if rule.owner)
    counts = [plural(sum(group.span is not None for group in groups), "statement")]
    counts.append(plural(len(every) - others.total(), "rule"))
    counts += [f"{plural(count, 'rule')} of {owner}, which are not written" for owner, count in sorted(others.items())]
    blocks.append(f"{', '.join(counts)}\n")
    return blocks


def _head(span: Span | None, style: Style) -> str:
    if span is None:
        return style.paint("bold", "without a line of the source")
    text = " ".join(span.text.split()) or "(the policy, which has no `policy` block)"
    if len(text) > LONGEST:
        text = text[: LONGEST - 1] + "…"
    place = f"{style.foreign(span.source.name)}:{span.line}"
    return f"{style.paint('bold', place)}  {style.foreign(text)}"


def _rules(rules: list[tuple[Place, Rule]], style: Style) -> list[str]:
    places = [f"IPv{place.family}  {place.table}/{place.chain} #{place.number}" for place, _ in rules]
    wide = max(map(len, places), default=0)
    return [
        f"{style.paint('gutter', style.foreign(f'{place:{wide}}'))}  {_whose(rule)}{style.foreign(text_of(rule))}".rstrip()
        for place, (_, rule) in zip(places, rules, strict=True)
    ]


def _whose(rule: Rule) -> str:
    return f"[{rule.owner}] " if rule.owner else ""


def _chains(ruleset: Ruleset, style: Style) -> str:
    """Return a dump chain by chain: each rule with its number and its line."""
    blocks: list[str] = []
    for family in ruleset.families:
        for table in ruleset.family(family):
            for chain in table.chains:
                policy = f"policy {chain.policy}, " if chain.policy else ""
                head = f"IPv{family}  {table.name}/{chain.name} ({policy}{plural(len(chain.rules), 'rule')})"
                lines = [style.paint("bold", style.foreign(head))]
                wide = len(str(len(chain.rules)))
                for number, rule in enumerate(chain.rules, 1):
                    line = f"{rule.span.source.name}:{rule.span.line}" if rule.span else "-"
                    place = style.paint("gutter", f"#{number:<{wide}}  {style.foreign(line)}")
                    lines.append(f"  {place}  {style.foreign(rule.text)}".rstrip())
                blocks.append("".join(f"{line}\n" for line in lines))
    return "\n".join(blocks)
