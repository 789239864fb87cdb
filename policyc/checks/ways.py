"""The ways through a hook of the table filter, roughly: which rules accept or drop, between which interfaces, and what kind.

Rough on purpose and to one side: whatever is not understood counts as able to accept anything, so that nobody is warned
without reason.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace

from policyc.checks.endings import is_return
from policyc.checks.possible import is_possible
from policyc.checks.survey import Standing, Survey
from policyc.frozen import frozen
from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.extension import Surroundings
from policyc.netfilter.fields import Field
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Match, Part, Selector, Target, Unknown
from policyc.netfilter.ruleset import Chain, Table

NEW, ESTABLISHED = NameSet.of("NEW"), NameSet.of("ESTABLISHED")
# What a test of it says about a packet: one that opens a connection to a service, not a reply.
_OF_SERVICES = frozenset((fields.DPORT, fields.ICMP))
_ICMP = frozenset((1, 58))
MAX_DEPTH = 100  # chains below each other; what is deeper is not looked into


@frozen
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
    """Walks down the chains and gathers the ways; rules that differ in nothing that counts here are looked at once."""

    def __init__(self, survey: Survey, table: Table) -> None:
        self.survey = survey
        self.table = table
        self.found: list[Way] = []
        self.seen: set[tuple[str, Way]] = set()
        self.depth = 0
        self.readings: list[_Reading] = []
        self.numbers: dict[Hashable, int] = {}

    def enter(self, chain: Chain, context: Way) -> bool:
        """Add the ways through a chain that is entered so; False where it holds something unknown."""
        if (chain.name, context) in self.seen:
            return True
        self.seen.add((chain.name, context))
        self.depth += 1
        numbers = {key: self.number(part) for key, part in self.survey.parts(chain).items()}
        passed: set[tuple[int, ...]] = set()
        end = self.survey.endings(self.table).last.get(chain.name, len(chain.rules))
        for number, rule in enumerate(chain.rules[: end + 1], 1):
            form = tuple([numbers[id(part)] for part in rule.parts])
            if form not in passed:
                passed.add(form)
                if not self.add(Standing(self.table, chain, number, rule), context, form):
                    return False
        self.depth -= 1
        return True

    def add(self, standing: Standing, context: Way, form: tuple[int, ...]) -> bool:
        """Add the ways that begin with a rule; False where something unknown comes of it."""
        target = standing.rule.parts[-1] if standing.rule.parts else None
        if isinstance(target, Unknown) and target.is_target:
            return False
        if not isinstance(target, Target) or not (target.terminal or target.chain):
            return True
        way = context
        for reading in form:
            way = self.readings[reading].narrow(way)
        if "lo" in {way.iif, way.oif}:
            return True
        if target.chain:
            called = self.table.chain(target.chain)
            return called is not None and self.depth < MAX_DEPTH and self.enter(called, way)
        kind = "drop" if target.name in {"DROP", "REJECT"} else "accept"
        if kind == "accept" or way.bare:
            self.found.append(replace(way, kind=kind, rule=standing, opens=way.opens and not is_return(target)))
        return True

    def number(self, part: Part) -> int:
        """Return the number of what a part does to a way; targets that do different things have different numbers."""
        reading = _PLAIN if isinstance(part, Target) else self.reading(part)
        key = (part.name, part.chain, part.goto) if isinstance(part, Target) else reading
        number = self.numbers.get(key)
        if number is None:
            number = self.numbers[key] = len(self.readings)
            self.readings.append(reading)
        return number

    def reading(self, part: Part) -> _Reading:
        """Return what a test does to a way."""
        if isinstance(part, Selector):
            return _Reading.of_selector(part, is_policy=self.survey.ruleset.intent is not None)
        form = self.survey.forms(self.table.family).of(part)
        if form.says_nothing:
            return _PLAIN
        return _Reading.of_match(part, form.fields, self.table.family)


@frozen
class _Reading:
    """What a part does to a way."""

    option: str = ""
    interface: str = ""
    opens: bool = True
    takes_replies: bool = True
    bare: bool = True

    @classmethod
    def of_match(cls, part: Part, read: frozenset[Field] | None, family: int) -> _Reading:
        """Return what a match does to a way; `read` are the fields it tests, None where they are not known."""
        if not isinstance(part, Match) or read is None:
            return _TEST
        opens = replies = True
        if fields.CT_STATE in read:
            meaning = part.meaning(Surroundings(family))
            opens = is_possible(meaning, {fields.CT_STATE: NEW})
            replies = is_possible(meaning, {fields.CT_STATE: ESTABLISHED})
        if not read.isdisjoint(_OF_SERVICES) and fields.SPORT not in read:
            replies = replies and _reaches_any_port(part)
        if fields.TCP_FLAGS in read and not any(item.negated for item in part.options.given):
            replies = False
        return _SERVICE if opens and not replies else cls(opens=opens, takes_replies=replies, bare=False)

    @classmethod
    def of_selector(cls, part: Selector, *, is_policy: bool) -> _Reading:
        """Return what `-s`, `-i` and the like do to a way; a policy's zones are addresses as well."""
        if part.option in {"-i", "-o"} and not part.negated:
            return cls(part.option, str(part.value))
        if part.option == "-p":
            return _ICMP_ONLY if part.value in _ICMP and not part.negated else _TEST
        return _PLAIN if is_policy and part.option in {"-s", "-d", "-i", "-o"} else _TEST

    def narrow(self, way: Way) -> Way:
        """Return the way as it is behind the part."""
        if self is _PLAIN:
            return way
        return replace(
            way,
            iif=self.interface if self.option == "-i" else way.iif,
            oif=self.interface if self.option == "-o" else way.oif,
            opens=way.opens and self.opens,
            takes_replies=way.takes_replies and self.takes_replies,
            bare=way.bare and self.bare,
        )


_PLAIN = _Reading()
_TEST = _Reading(bare=False)
_SERVICE = _Reading(takes_replies=False, bare=False)
_ICMP_ONLY = _Reading(opens=False, takes_replies=False, bare=False)


def _reaches_any_port(part: Match) -> bool:
    """Whether a test of ports takes in most of those that clients use, so that it may be meant for replies."""
    ports = [item for item in part.options.given if "dport" in item.name or item.name == "ports"]
    return any(_is_wide(item.value) is not item.negated for item in ports)


def _is_wide(value: object) -> bool:
    spans: Iterable[object] = value if isinstance(value, tuple) and value and isinstance(value[0], tuple) else (value,)
    return any(isinstance(span, tuple) and len(span) == 2 and span[1] - span[0] > 1000 for span in spans)
