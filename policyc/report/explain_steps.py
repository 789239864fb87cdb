"""The packet's way as rows for a terminal: hooks in true order, rules with what they test and why they were not taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from typing import assert_never

from policyc.explanation.answer import Explanation
from policyc.explanation.places import RulePlace
from policyc.explanation.steps import route_text
from policyc.host.host import LOCAL
from policyc.net.addresses import format_address
from policyc.netfilter.rule import Rule
from policyc.report.columns import Row
from policyc.report.explain_words import WORDS, counted, missed_text, packet_text, rule_text
from policyc.report.style import Style
from policyc.simulation.journey import Event, Look, LoopedBack, Routed, Tracked, Translated, Visit
from policyc.simulation.misses import Misses
from policyc.simulation.trace import KERNEL_DROP, UNSUPPORTED
from policyc.simulation.view import PacketView

LONG_RUN = 3
"""Rules in a row that do not match and are shown one by one; more are one line."""
SHOWN_NEAR = 3
"""Near misses that are shown in such a run nevertheless, the nearest ones."""
_STATES = {
    "NEW": "begins a connection",
    "ESTABLISHED": "belongs to a known connection",
    "RELATED": "is about a known connection",
    "INVALID": "belongs to no known connection and cannot begin one",
    "UNTRACKED": "is not tracked",
}


def step_rows(explanation: Explanation, style: Style, *, verbose: bool) -> list[Row]:
    """Return the rows of the likeliest way."""
    return list(StepRows(explanation, style, verbose=verbose).rows())


class StepRows:
    """Makes the rows of events; a hook's name stands in its first row only."""

    def __init__(self, explanation: Explanation, style: Style, *, verbose: bool) -> None:
        self.explanation, self.style, self.verbose = explanation, style, verbose
        self.misses = Misses(explanation.way.state)
        self.near = {id(one.look) for one in explanation.near[:SHOWN_NEAR]}
        self.deciding = _deciding_look(explanation)
        self.short_names = _short_names(explanation)
        self.hook = ""

    def rows(self) -> Iterator[Row]:
        """Yield all rows of the likeliest way."""
        for event in self.explanation.way.journey.events:
            yield from self.of(event)
        yield from self.ending()

    def of(self, event: Event) -> Iterator[Row]:
        """Yield the rows of one event."""
        if isinstance(event, Visit):
            yield from self._visit(event)
        elif isinstance(event, Tracked):
            yield self._tracked(event)
        elif isinstance(event, Translated):
            yield self._changed(packet_text(event.after), self._hook_column(event.hook.value))
        elif isinstance(event, Routed):
            yield self._routed(event)
        elif isinstance(event, LoopedBack):
            self.hook = ""
            yield Row("loopback", "", "a copy comes in again by lo" if event.copy else "comes in again by lo", role="")
        else:
            assert_never(event)

    def _hook_column(self, hook: str) -> str:
        """Return the hook's name, "" where the row above has it."""
        same, self.hook = self.hook == hook, hook
        return "" if same else hook

    # ------------------------------------------------------------------ the kernel's own stages
    def _tracked(self, event: Tracked) -> Row:
        text = f"{event.state}: {_STATES.get(event.state, '')}".removesuffix(": ")
        return Row(
            self._hook_column(event.hook.value), "conntrack", text + (", as a reply" if event.reply else ""), role=""
        )

    def _changed(self, text: str, hook: str = "", indent: int = 0) -> Row:
        return Row(hook, "", self.style.own("≈ now ") + self.style.foreign(text), role="", indent=indent)

    def _routed(self, event: Routed) -> Row:
        self.hook = ""
        known = event.route is None or event.route.table == LOCAL
        route = "" if known or event.route is None else f" ({route_text(event.route)})"
        hop = "" if event.next_hop is None else f" to {format_address(event.next_hop, event.family)}"
        text = {
            "local": f"to this host{route}",
            "forward": f"forwarded{hop}, out by {event.device}{route}",
            "out": f"leaves by {event.device}{route}",
            "drop": event.reason,
        }[event.kind]
        again = "again: " if event.again else ""
        dropped = event.kind == "drop"
        return Row(
            "routing", "", self.style.own(again) + self.style.foreign(text), self._decided() if dropped else "",
            role="error" if dropped else "",
        )  # fmt: skip

    def ending(self) -> Iterator[Row]:
        """Yield the kernel's own end of the way where no row has told it."""
        way = self.explanation.way
        last = way.journey.events[-1] if way.journey.events else None
        told = isinstance(last, Routed) and last.kind == "drop"
        if way.trace.verdict in {KERNEL_DROP, UNSUPPORTED} and not told:
            role = "error" if way.trace.verdict == KERNEL_DROP else "warning"
            yield Row("kernel", "", self.style.foreign(way.trace.reason), self._decided(), role=role)

    def _decided(self) -> str:
        return self.style.own(f"■ {WORDS[self.explanation.verdict]}")

    # ------------------------------------------------------------------ tables
    def _visit(self, visit: Visit) -> Iterator[Row]:
        """Yield the rows of one table at one hook."""
        hook, stage, chain, depth = self._hook_column(visit.hook.value), visit.table, visit.hook.value, 0
        for looks, rows in self._groups(visit):
            entered = looks[0]
            if entered.number == "policy" and visit.skipped:
                text = self.style.own(f"… {counted(visit.skipped, 'rule')} for other addresses or ports")
                yield Row(hook, stage, text)
                hook = stage = ""
            if (entered.chain, entered.depth) != (chain, depth):
                if entered.depth < depth or entered.number == "policy":
                    yield Row("", "", f"end of {self.style.foreign(chain)}", indent=2 * depth)
                else:
                    yield Row("", "", f"{self.style.foreign(entered.chain)}:", role="", indent=2 * entered.depth)
                chain, depth = entered.chain, entered.depth
            for row in rows:
                yield Row(hook, stage, row.text, row.said, row.place, row.role, row.indent)
                hook = stage = ""
        if visit.skipped and (not visit.looks or visit.looks[-1].number != "policy"):
            text = self.style.own(f"({counted(visit.skipped, 'rule')} for other addresses or ports left out)")
            yield Row(hook, stage, text)

    def _groups(self, visit: Visit) -> Iterator[tuple[list[Look], list[Row]]]:
        """Yield runs of rules that do not match, as one row where they are many, and the other rules one by one."""
        run: list[Look] = []
        for look in visit.looks:
            if look.matched or id(look) in self.near or (run and look.chain != run[-1].chain):
                yield from self._run(visit, run)
                run = []
            if look.matched or id(look) in self.near:
                yield [look], list(self._look(visit, look))
            else:
                run.append(look)
        yield from self._run(visit, run)

    def _run(self, visit: Visit, run: list[Look]) -> Iterator[tuple[list[Look], list[Row]]]:
        if len(run) > LONG_RUN and not self.verbose:
            text = self.style.own(f"… {counted(len(run), 'rule')} that do not match")
            yield run, [Row("", "", text, indent=2 * run[0].depth)]
        else:
            yield from (([look], list(self._look(visit, look))) for look in run)

    def _look(self, visit: Visit, look: Look) -> Iterator[Row]:
        """Yield one rule with its fate, and below it what it changed."""
        place = self._place(visit, look)
        indent = 2 * look.depth
        number = "" if look.rule is None else f"#{look.number}  "
        text = place.text if look.rule is None else rule_text(look.rule)
        said, role = self._said(look)
        line = "" if look.rule is None and look is not self.deciding else self._line(place)
        yield Row("", "", number + self.style.foreign(text), said, line, role, indent)
        if look.after is not None:
            changes = PacketView.of(look.packet).changes(look.after)
            words = [f"{name} {after} (was {before})" for name, (before, after) in changes.items() if name != "state"]
            if words:
                yield self._changed(", ".join(words), indent=indent + 4)

    def _said(self, look: Look) -> tuple[str, str]:
        """Return what became of a rule, and the colour of that."""
        own = self.style.own
        if look is self.deciding:
            verdict = WORDS[self.explanation.verdict]
            return own(f"■ {verdict}"), "good" if verdict == "ACCEPT" else "error"
        if look.rule is None:
            return "", "faint"
        if look.matched:
            return own("✓ ") + self.style.foreign(_done(look.rule, look.verdict)), "good"
        failing = self.misses.of(look.rule, look.packet)
        more = f" and {len(failing) - 1} more" if len(failing) > 1 and self.verbose else ""
        return own("✗ ") + self.style.foreign(missed_text(failing) + more), "removed"

    def _place(self, visit: Visit, look: Look) -> RulePlace:
        places, family = self.explanation.places, visit.before.family
        if look.rule is None or not isinstance(look.number, int):
            return places.of(family, visit.table, look.chain, look.number)
        return places.of_rule(family, visit.table, look.chain, look.number, look.rule)

    def _line(self, place: RulePlace) -> str:
        """Return a rule's source line, the file without its folder where that is clear."""
        if place.span is None or not place.span.source.text:
            return ""
        name = place.span.source.name
        return self.style.foreign(f"{self.short_names.get(name, name)}:{place.span.line}")


def _done(rule: Rule, verdict: str) -> str:
    """Return what a rule that matched did: the name of its target, or the verdict."""
    word = verdict.partition(":")[0]
    target = rule.target
    if target is not None and target.extension is not None:
        return target.name
    return "matched" if word == "continue" else word


def _deciding_look(explanation: Explanation) -> Look | None:
    step = explanation.way.trace.deciding
    if step is None:
        return None
    visits = (event for event in reversed(explanation.way.journey.events) if isinstance(event, Visit))
    found = (
        look
        for visit in visits
        if visit.table == step.table
        for look in reversed(visit.looks)
        if (look.chain, look.number) == (step.chain, step.rule)
    )
    return next(found, None)


def _short_names(explanation: Explanation) -> dict[str, str]:
    """Return for each source on the way its name without its folder, for those that keep apart so."""
    visits = [event for event in explanation.way.journey.events if isinstance(event, Visit)]
    spans = {look.rule.span for visit in visits for look in visit.looks if look.rule is not None}
    names = {span.source.name for span in spans if span is not None}
    if (place := explanation.deciding) is not None and place.span is not None:
        names.add(place.span.source.name)
    short = [PurePath(name).name for name in names]
    return {name: PurePath(name).name for name in names if short.count(PurePath(name).name) == 1}
