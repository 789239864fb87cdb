"""The ways through a hook of the table filter, roughly: which rules accept or drop, between which interfaces, and what kind.

Rough on purpose and to one side: whatever is not understood counts as able to accept anything, so that nobody is warned
without reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from policyc.checks.endings import is_return
from policyc.checks.possible import is_possible
from policyc.checks.survey import Standing, Survey
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match, Part, Selector, Target, Unknown
from policyc.netfilter.ruleset import Chain, Table

NEW, ESTABLISHED = NameSet.of("NEW"), NameSet.of("ESTABLISHED")
# What a test of it says about a packet: one that opens a connection to a service, not a reply.
_OF_SERVICES = frozenset((fields.DPORT, fields.ICMP))
_ICMP = frozenset((1, 58))


@dataclass(frozen=True, slots=True)
class Way:
    """A verdict that packets may reach: `kind` accept or drop; `rule` None for the chain's policy.

    `iif`, `oif`: the interfaces it is limited to, None for any. `opens`: first packets of connections may take it.
    `takes_replies`: replies may take it. `bare`: it tests nothing but interfaces.
    """

    kind: str = ""
    rule: Standing | None = None
    iif: str | None = None
    oif: str | None = None
    opens: bool = True
    takes_replies: bool = True
    bare: bool = True

    def answers(self, opening: Way) -> bool:
        """Whether packets that come back from an opening may take this way."""
        return _meet(self.iif, opening.oif) and _meet(self.oif, opening.iif)


def _meet(one: str | None, other: str | None) -> bool:
    return one is None or other is None or one == other or one.endswith("+") or other.endswith("+")


def ways(survey: Survey, table: Table, hook: Hook) -> list[Way] | None:
    """Return the ways through a hook in the order of the rules; None where something of it is not known."""
    base = table.chain(hook.value)
    if base is None:
        return [Way("accept")]
    collector = _Collector(survey, table)
    if not collector.enter(base, Way()):
        return None
    if hook.value not in survey.endings(table).last:
        collector.found.append(Way("drop" if base.policy == "DROP" else "accept"))
    return collector.found


class _Collector:
    """Walks down the chains and gathers the ways."""

    def __init__(self, survey: Survey, table: Table) -> None:
        self.survey = survey
        self.table = table
        self.found: list[Way] = []
        self.seen: set[tuple[str, Way]] = set()
        self.readings: dict[int, _Reading] = {}
        self.equal: dict[_Reading, _Reading] = {_PLAIN: _PLAIN}
        self.narrowed: dict[tuple[int, int], Way] = {}
        self.ended: set[tuple[int, str, bool]] = set()

    def enter(self, chain: Chain, context: Way) -> bool:
        """Add the ways through a chain that is entered so; False where it holds something unknown."""
        if (chain.name, context) in self.seen:
            return True
        self.seen.add((chain.name, context))
        end = self.survey.endings(self.table).last.get(chain.name, len(chain.rules))
        for number, rule in enumerate(chain.rules[: end + 1], 1):
            target = rule.parts[-1] if rule.parts else None
            if isinstance(target, Unknown) and target.is_target:
                return False
            if not isinstance(target, Target) or not (target.terminal or target.chain):
                continue
            way = context
            for part in rule.parts:
                reading = self.readings.get(id(part)) or self.reading(part)
                if reading is not _PLAIN:
                    way = self.narrowed.get((id(way), id(reading))) or self.narrow(way, reading)
            if "lo" in {way.iif, way.oif}:
                continue
            if target.chain:
                called = self.table.chain(target.chain)
                if called is None or not self.enter(called, way):
                    return False
                continue
            kind = "drop" if target.name in {"DROP", "REJECT"} else "accept"
            opens = way.opens and not is_return(target)
            if (kind == "accept" or way.bare) and (id(way), kind, opens) not in self.ended:
                self.ended.add((id(way), kind, opens))
                standing = Standing(self.table, chain, number, rule)
                self.found.append(replace(way, kind=kind, rule=standing, opens=opens))
        return True

    def reading(self, part: Part) -> _Reading:
        """Return what a part does to a way; equal ones are one object."""
        found = _Reading.of(self.survey, self.table.family, part)
        found = self.readings[id(part)] = self.equal.setdefault(found, found)
        return found

    def narrow(self, way: Way, reading: _Reading) -> Way:
        """Return the way behind a part and remember it, so that ways of one kind are one object."""
        found = self.narrowed[id(way), id(reading)] = reading.narrow(way)
        return found


@dataclass(frozen=True, slots=True)
class _Reading:
    """What a part does to a way."""

    option: str = ""
    interface: str = ""
    opens: bool = True
    takes_replies: bool = True
    bare: bool = True

    @classmethod
    def of(cls, survey: Survey, family: int, part: Part) -> _Reading:
        if isinstance(part, Target):
            return cls()
        if isinstance(part, Selector):
            return cls._selector(part, is_policy=survey.ruleset.intent is not None)
        form = survey.forms(family).of(part)
        if form.says_nothing:
            return cls()
        if not isinstance(part, Match) or form.fields is None:
            return cls(bare=False)
        opens = replies = True
        if fields.CT_STATE in form.fields:
            meaning = part.meaning(Surroundings(family))
            opens = is_possible(meaning, {fields.CT_STATE: NEW})
            replies = is_possible(meaning, {fields.CT_STATE: ESTABLISHED})
        if not form.fields.isdisjoint(_OF_SERVICES) and fields.SPORT not in form.fields:
            replies = replies and _reaches_any_port(part)
        if fields.TCP_FLAGS in form.fields and not any(item.negated for item in part.options.given):
            replies = False
        return cls(opens=opens, takes_replies=replies, bare=False)

    @classmethod
    def _selector(cls, part: Selector, *, is_policy: bool) -> _Reading:
        if part.option in {"-i", "-o"} and not part.negated:
            return cls(part.option, str(part.value))
        if part.option == "-p":
            icmp = part.value in _ICMP and not part.negated
            return cls(opens=not icmp, takes_replies=not icmp, bare=False)
        return cls(bare=is_policy and part.option in {"-s", "-d", "-i", "-o"})

    def narrow(self, way: Way) -> Way:
        """Return the way as it is behind the part."""
        return replace(
            way,
            iif=self.interface if self.option == "-i" else way.iif,
            oif=self.interface if self.option == "-o" else way.oif,
            opens=way.opens and self.opens,
            takes_replies=way.takes_replies and self.takes_replies,
            bare=way.bare and self.bare,
        )


_PLAIN = _Reading()


def _reaches_any_port(part: Match) -> bool:
    """Whether a test of ports takes in most of those that clients use, so that it may be meant for replies."""
    ports = [item for item in part.options.given if "dport" in item.name or item.name == "ports"]
    return any(_is_wide(item.value) is not item.negated for item in ports)


def _is_wide(value: object) -> bool:
    spans: Iterable[object] = value if isinstance(value, tuple) and value and isinstance(value[0], tuple) else (value,)
    return any(isinstance(span, tuple) and len(span) == 2 and span[1] - span[0] > 1000 for span in spans)
