"""What a rule says about its packets, services and match words, as `Tests`: one function a word."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.lowering.amounts import limit_test, schedule_tests
from policyc.lowering.distinct import distinct_addresses, distinct_interfaces, distinct_ranges
from policyc.lowering.draft import Draft
from policyc.lowering.pieces import Parts, Pieces
from policyc.lowering.raw_text import match_text
from policyc.lowering.services import port_text, protocol_tests, service_tests
from policyc.lowering.tests import Tests
from policyc.net.protocols import format_protocol
from policyc.netfilter.quoting import quote_word
from policyc.policy.defined import Schedules
from policyc.policy.model import NO_MATCHES, Matches, Rule, Text
from policyc.policy.values import Accounts, Addresses, Marks, Names, PortService, Service
from policyc.source import Span

STATES = ("invalid", "new", "related", "established", "untracked", "snat", "dnat")
"""The connection states in the order in which iptables-save prints them."""


@frozen
class Conditions:
    """Makes the tests of rules in one family."""

    draft: Draft
    family: int

    @property
    def pieces(self) -> Pieces:
        """The family's pieces."""
        return self.draft.pieces[self.family]

    def of(self, rule: Rule) -> Tests:
        """Return the tests of a rule of a block."""
        tests = Tests()
        matches = rule.matches
        if matches is not NO_MATCHES:
            self._addresses(tests, matches, rule.span)
        if rule.services:
            tests.one_of(service_tests(self.pieces, rule.services))
        if matches is not NO_MATCHES:
            self._words(tests, matches, rule)
        return tests

    def _addresses(self, tests: Tests, matches: Matches, span: Span) -> None:
        if matches.source:
            self.address(tests, "-s", matches.source, span)
        if matches.destination:
            self.address(tests, "-d", matches.destination, span)
        if matches.entry:
            self._interface(tests, "-i", matches.entry)
        if matches.exit:
            self._interface(tests, "-o", matches.exit)

    def _words(self, tests: Tests, matches: Matches, rule: Rule) -> None:
        if matches.published:
            self._published(tests, matches.published)
        if matches.state:
            self._state(tests, matches.state)
        if matches.marked:
            self._marked(tests, matches.marked)
        if matches.user:
            self._account(tests, "uid", matches.user)
        if matches.group:
            self._account(tests, "gid", matches.group)
        if matches.during:
            self._during(tests, matches.during)
        if matches.text:
            self._text(tests, matches.text, rule.services)
        self._limits(tests, matches)

    def _text(self, tests: Tests, text: Text, services: tuple[Service, ...]) -> None:
        """Add the user's own tests; they may count or remember, so nothing but a limit is asked behind them."""
        tests.text = True
        alternatives = match_text(self.draft, self.family, text, protocol_tests(self.pieces, services))
        if len(alternatives) == 1:
            tests.last = alternatives[0]
        elif alternatives:
            tests.one_of(alternatives)

    def _limits(self, tests: Tests, matches: Matches) -> None:
        """Add rates behind numbers of connections: a token is for a packet that fits otherwise."""
        limits = [(limit, over) for limit, over in ((matches.limit, False), (matches.over, True)) if limit]
        for limit, over in sorted(limits, key=lambda item: item[0].connections is None):
            alone = self.draft.limit_uses.get(limit.name, 0) < 2
            tests.last += limit_test(self.pieces, limit, self.draft.policy.name, over=over, alone=alone)

    def address(self, tests: Tests, option: str, addresses: Addresses, span: Span) -> None:
        """Add what `from` (`-s`) or `to` (`-d`) says in the statement at `span`."""
        pieces = self.pieces
        if len(addresses.items) == 1 and not addresses.sets and addresses.items[0].family == self.family:
            tests.common.extend(pieces.address(option, addresses.items[0], addresses.negated))
            return
        items = distinct_addresses(addresses.of(self.family))
        side = "src" if option == "-s" else "dst"
        names = [one.kernel_name(self.family) for one in addresses.sets]
        for one in addresses.sets:
            if not one.created:
                self.draft.borrowed.setdefault(one, {}).setdefault(self.family, span)
        if addresses.negated:
            for name in names:
                tests.common.extend(pieces.read(f"-m set ! --match-set {quote_word(name)} {side}"))
            if len(items) == 1:
                tests.none_of((), pieces.address(option, items[0], negated=True))
            else:
                tests.none_of([pieces.address(option, item) for item in items])
            return
        alternatives = [pieces.address(option, item) for item in items]
        alternatives.extend(pieces.read(f"-m set --match-set {quote_word(name)} {side}") for name in names)
        assert alternatives, "a rule is for families that its addresses have"
        tests.one_of(alternatives)

    def _interface(self, tests: Tests, option: str, names: Names) -> None:
        patterns = distinct_interfaces(names.values)
        if not names.negated:
            tests.one_of([self.pieces.interface(option, pattern) for pattern in patterns])
        elif len(patterns) == 1:
            tests.none_of((), self.pieces.interface(option, patterns[0], negated=True))
        else:
            tests.none_of([self.pieces.interface(option, pattern) for pattern in patterns])

    def _published(self, tests: Tests, services: tuple[Service, ...]) -> None:
        """Add that the client asked for one of these ports, and the packet was translated since."""
        texts: list[str] = []
        for service in services:
            assert isinstance(service, PortService), "`published` takes services with ports"
            text = f"-p {format_protocol(service.protocol)} -m conntrack --ctstate DNAT"
            ports = distinct_ranges(service.ports)
            texts.extend(f"{text} --ctorigdstport {port_text(one)}" for one in ports)
            if not ports:
                texts.append(text)
        tests.one_of([self.pieces.read(text) for text in texts])

    def _state(self, tests: Tests, state: Names) -> None:
        words = ",".join(word.upper() for word in STATES if word in state.values)
        tests.common.extend(self.pieces.read(f"-m conntrack {'! ' if state.negated else ''}--ctstate {words}"))

    def _marked(self, tests: Tests, marks: Marks) -> None:
        values = [f"--mark {mark.value:#x}/{mark.mask:#x}" for mark in marks.values]
        if marks.negated:
            for value in values:
                tests.common.extend(self.pieces.read(f"-m mark ! {value}"))
        else:
            tests.one_of([self.pieces.read(f"-m mark {value}") for value in values])

    def _account(self, tests: Tests, which: str, accounts: Accounts) -> None:
        values = [one if isinstance(one, str) else _account_range(*one) for one in accounts.values]
        options = [f"--{which}-owner {quote_word(value)}" for value in values]
        if accounts.negated:
            for option in options:
                tests.common.extend(self.pieces.read(f"-m owner ! {option}"))
        else:
            tests.one_of([self.pieces.read(f"-m owner {option}") for option in options])

    def _during(self, tests: Tests, during: Schedules) -> None:
        alternatives: list[Parts] = []
        for schedule in during.values:
            alternatives.extend(schedule_tests(self.pieces, schedule))
        if during.negated:
            tests.none_of(alternatives)
        else:
            tests.one_of(alternatives)


def _account_range(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"
