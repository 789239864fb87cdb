"""The packets of a policy's `test` blocks, decided: each is sent through the simulator on the host that the policy implies.

What nobody can know is tried both ways. What a freshly loaded ruleset knows is used: its own sets are empty, nothing has been
counted. `policyc.checks.test_results` asks; docs/commands.md says what a test means.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from policyc.diagnostics import Diagnostic, InputError
from policyc.explanation.answer import word_of
from policyc.explanation.explain import choice_text, that_matter
from policyc.explanation.outcomes import Situation, Way, differing, outcomes
from policyc.explanation.places import Places, RulePlace
from policyc.explanation.placing import Placement, Placing
from policyc.frozen import frozen
from policyc.host.host import Host
from policyc.host.set_values import MemberSet
from policyc.net.addresses import format_address
from policyc.netfilter.question import Question
from policyc.netfilter.ruleset import Ruleset
from policyc.netfilter.tested import End, PacketTest
from policyc.simulation.journey import Visit
from policyc.simulation.trace import KERNEL_DROP, UNSUPPORTED
from policyc.simulation.view import PacketView

PASSED, FAILED, UNDECIDED = "passed", "failed", "undecided"
_DONE = {"accept": "accepted", "drop": "dropped", "reject": "rejected"}


@frozen
class Course:
    """One way that a tested packet may take: what decided, under which conditions, and what of the test does not hold.

    `decided` None: no rule or policy did. `assumes` is empty for the first course. `faults` say what was expected instead.
    """

    way: Way
    decided: RulePlace | None
    assumes: tuple[str, ...]
    faults: tuple[str, ...]

    @property
    def word(self) -> str:
        """The verdict as tests write it: accept, drop, reject, or unknown."""
        return word_of(self.way.trace.verdict)

    @property
    def fate(self) -> str:
        """What happened and who decided, in words."""
        trace, place = self.way.trace, self.decided
        if trace.verdict == UNSUPPORTED:
            return f"unknown: {trace.reason}"
        done = _DONE[self.word]
        if trace.verdict == KERNEL_DROP:
            return f"{done} by the kernel itself: {trace.reason}"
        if place is None:
            return f"{done}: no rule decides"
        if place.number == "policy":
            return f"{done} by the policy of {place.table}/{place.chain}"
        return f"{done} by `{place.statement}`" if place.statement else f"{done} by {place.line or place.name}"


@frozen
class PacketResult:
    """What became of one packet of a test; a line whose names have several addresses has several results.

    `complete` False: there are more conditions than were tried. `several`: its line has other results.
    """

    test: PacketTest
    question: Question
    placement: Placement
    courses: tuple[Course, ...]
    assumptions: tuple[str, ...]
    complete: bool
    several: bool

    @property
    def state(self) -> str:
        """PASSED, FAILED or UNDECIDED."""
        if not self.complete or any(course.way.trace.verdict == UNSUPPORTED for course in self.courses):
            return UNDECIDED
        faulty = [bool(course.faults) for course in self.courses]
        return UNDECIDED if any(faulty) and not all(faulty) else FAILED if any(faulty) else PASSED

    @property
    def packet_text(self) -> str:
        """The packet as it was sent, as a question writes it."""
        sent = self.placement.packet
        where = f" in {sent.iif}" if sent.iif else " out"
        return PacketView.of(sent).text + where


def decided(ruleset: Ruleset) -> tuple[PacketResult, ...]:
    """Return a result for each packet of the policy's tests, in written order.

    Raises InputError where packets cannot be placed, with all of them.
    """
    if ruleset.intent is None:
        return ()
    placing, places = Placing(ruleset, strict=True), Places(ruleset)
    found: list[PacketResult] = []
    problems: list[Diagnostic] = []
    for test in ruleset.intent.tests:
        for question in test.questions:
            try:
                (placement,) = placing.place(question)
            except InputError as error:
                problems += error.diagnostics
                continue
            found.append(_decided(ruleset, places, test, question, placement))
    if problems:
        raise InputError(dict.fromkeys(problems))
    return tuple(found)


def _decided(
    ruleset: Ruleset, places: Places, test: PacketTest, question: Question, placement: Placement
) -> PacketResult:
    host = _with_empty_sets(placement.host, ruleset)
    tried = outcomes(Situation(ruleset, host), placement.packet, counted=False)
    first = tried.first
    courses = tuple(
        Course(
            way,
            decider := _decider(places, way),
            () if way is first else tuple(map(choice_text, differing(first, way))),
            tuple(_faults(test, way, decider, host)),
        )
        for way in (first, *tried.others)
    )
    assumed = (
        *placement.assumptions,
        *that_matter(placement, first),
        *_empty_sets(first, host),
        *_chosen(first, courses),
    )
    several = len(test.questions) > 1
    return PacketResult(test, question, placement, courses, tuple(dict.fromkeys(assumed)), tried.complete, several)


def _with_empty_sets(host: Host, ruleset: Ruleset) -> Host:
    """Return the host with the sets that the policy creates, as they are when it was loaded."""
    fresh = {
        one.name: MemberSet(one.name, one.kind, one.family, timeout=one.timeout)
        for one in ruleset.sets
        if not one.owner and not one.members
    }
    return replace(host, sets={**fresh, **host.sets})


def _empty_sets(way: Way, host: Host) -> Iterator[str]:
    """Yield what is taken for granted about the sets that rules on the way asked for."""
    for event in way.journey.events:
        for look in event.looks if isinstance(event, Visit) else ():
            for match in look.rule.matches if look.rule is not None else ():
                if match.name == "set" and (name := match.options["match-set"][0]) in host.sets:
                    yield f"the set {name} is empty, as after loading"


def _decider(places: Places, way: Way) -> RulePlace | None:
    step = way.trace.deciding
    return None if step is None else places.of(way.sent.family, step.table, step.chain, step.rule)


def _chosen(first: Way, courses: tuple[Course, ...]) -> list[str]:
    """Return the conditions of the first way that the other courses hang on."""
    if len(courses) == 1:
        return []
    return [choice_text(choice) for choice in first.choices if not choice.counted]


def _faults(test: PacketTest, way: Way, decider: RulePlace | None, host: Host) -> Iterator[str]:
    word = word_of(way.trace.verdict)
    if word != test.verdict:
        yield test.verdict
    view = PacketView.of(way.packet)
    ends = (
        (test.source, view.src, view.sport, view.source),
        (test.destination, view.dst, view.dport, view.destination),
    )
    for end, address, port, text in ends:
        if end is not None and not _fits(end, view.family, address, port, host):
            yield f"{_end_text(end, view.family)} {'as source' if end is test.source else 'after all NAT'}, not {text}"
    if test.by and (decider is None or decider.statement != test.by):
        yield f"`{test.by}` to decide"


def _fits(end: End, family: int, address: int, port: int | None, host: Host) -> bool:
    if end.ports is not None and (port is None or not end.ports[0] <= port <= end.ports[1]):
        return False
    if end.own:
        return any(
            one.family == family and one.address == address
            for interface in host.interfaces
            for one in interface.addresses
        )
    if not end.addresses:
        return True
    return any(each == family and low <= address <= high for each, low, high in end.addresses)


def _end_text(end: End, family: int) -> str:
    addresses = [
        format_address(low, family) + (f"-{format_address(high, family)}" if high != low else "")
        for each, low, high in end.addresses
        if each == family
    ]
    host = "an address of this host" if end.own else " or ".join(addresses)
    if end.ports is None:
        return host or "another address"
    port = str(end.ports[0]) if end.ports[0] == end.ports[1] else f"{end.ports[0]}-{end.ports[1]}"
    if not host:
        return f"port {port}"
    return (
        f"port {port} of {host}"
        if end.own or len(addresses) > 1
        else f"[{host}]:{port}"
        if family == 6
        else f"{host}:{port}"
    )
