"""Conditions and actions laid out as rules of a chain; what takes several rules becomes auxiliary chains.

Used by `rules`. Ways that no memory depends on, and behind which the chain ends, are written as one rule each. All else is
asked once, in chains of its own named after the rule: the rule calls the first of them, they lead on by `goto`, and the end
of each leads back behind the rule. Where a rule may itself leave its chain by `return` or `goto`, nothing can be called:
what follows the rule is a chain then, too, and where the tests fail the way leads on there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product

from policyc.frozen import frozen
from policyc.writers.nft.conditions import Either, Neither, Tests, Word, counts
from policyc.writers.nft.spelling import protocol
from policyc.writers.nft.statements import Action

_MOST_COPIES = 16
_BACK = Action(("return",), ends=True)


@frozen
class Written:
    """An action with what stands before and behind it in its rule: a counter and a comment."""

    action: Action
    before: str = ""
    after: str = ""


@dataclass(slots=True)
class Layout:
    """The chains of a table as they grow: `chains` holds their lines, `here` is the chain that is written to."""

    chains: dict[str, list[str]] = field(default_factory=dict)
    here: str = ""
    _rule: str = ""
    _made: int = 0

    def begin(self, chain: str, first: str) -> None:
        """Begin a chain of the source with a line, "" for none."""
        self.here = chain
        self.chains[chain] = [first] if first else []

    def remark(self, text: str) -> None:
        """Write a line that nft does not read."""
        self.chains[self.here].append(f"# {text}")

    def rule(self, name: str, tests: Tests, written: Written) -> None:
        """Write a rule; `name` begins the names of its auxiliary chains."""
        self._rule, self._made = name, 0
        tests = _in_order(tests)
        if len(written.action.lines) > 1:
            written = self._body(written)
        if written.action.ends and not counts(tests) and (ways := _ways(tests)) is not None:
            for way in ways:
                self._line(self.here, way, written)
        elif (words := _leading(tests)) == tests:
            self._line(self.here, words, written)
        elif written.action.leaves:
            asking, rest = self._new(), self._new()
            self._line(self.here, words, _goto(asking))
            self._close(self.here, f"goto {rest}")
            self._decide(asking, tests[len(words) :], written, f"goto {rest}")
            self.here = rest
        else:
            asking = self._new()
            self._line(self.here, words, Written(Action((f"jump {asking}",))))
            if not written.action.ends:
                body = self._new()
                self._line(body, (), written)
                written = _goto(body)
            self._decide(asking, tests[len(words) :], written, "")

    def _new(self) -> str:
        self._made += 1
        name = f"{self._rule}/{self._made}"
        self.chains[name] = []
        return name

    def _body(self, written: Written) -> Written:
        """Put an action of several rules into a chain."""
        action, name = written.action, self._new()
        for number, line in enumerate(action.lines):
            one = Action((line,), protocol=action.protocol if number == 0 else None)
            self._line(name, (), Written(one, written.before, written.after) if number == 0 else Written(one))
        verb = "goto" if action.ends else "jump"
        return Written(Action((f"{verb} {name}",), ends=action.ends))

    def _decide(self, chain: str, tests: Tests, yes: Written, no: str) -> None:
        """Fill a chain that carries out `yes` where the tests hold, else `no`, which is to go back where it is empty."""
        before = _leading(tests)
        if before == tests:
            self._line(chain, before, yes)
            if before:
                self._close(chain, no)
            return
        if before:
            asking = self._new()
            self._line(chain, before, _goto(asking))
            self._close(chain, no)
            chain = asking
        test, rest = tests[len(before)], tests[len(before) + 1 :]
        if isinstance(test, Neither):
            self._decide(self._left(chain, test.ways, _refusal(no)), rest, yes, no)
        elif isinstance(test, Either):
            if rest:
                then = self._new()
                self._decide(then, rest, yes, no)
                yes = _goto(then)
            self._close(self._left(chain, test.ways, yes), no)

    def _left(self, chain: str, ways: tuple[Tests, ...], where: Written) -> str:
        """Leave the chain for `where` in each way that holds; return the chain in which none of them held."""
        for way in ways:
            if _leading(way) == way:
                self._line(chain, way, where)
            else:
                following = self._new()
                self._decide(chain, way, where, f"goto {following}")
                chain = following
        return chain

    def _close(self, chain: str, no: str) -> None:
        if no:
            self.chains[chain].append(no)

    def _line(self, chain: str, tests: Tests, written: Written) -> None:
        words = [test for test in tests if isinstance(test, Word)]
        wanted = written.action.protocol
        texts = list(_texts(words))
        if wanted is not None and not any(wanted in {word.says, word.reads} for word in words):
            texts.append(f"meta l4proto {protocol(wanted)}")
        self.chains[chain].append(
            " ".join(filter(None, (*texts, written.before, *written.action.lines, written.after)))
        )


def _goto(chain: str) -> Written:
    return Written(Action((f"goto {chain}",), ends=True))


def _refusal(no: str) -> Written:
    return Written(replace(_BACK, lines=(no,)) if no else _BACK)


def _in_order(tests: Tests) -> Tests:
    """Return the tests in a form that nft does not reorder.

    nft 1.0.6 makes one comparison of two ports wherever they stand in a rule, so that the second one would be asked before
    what counts between them: it goes into a chain of its own.
    """
    read = False
    for place, test in enumerate(tests):
        if isinstance(test, Word) and test.counts and read:
            rest = tests[place + 1 :]
            if any(isinstance(other, Word) and other.of_transport for other in rest):
                return (*tests[: place + 1], Either((_in_order(rest),)))
        read = read or (isinstance(test, Word) and test.of_transport)
    return tests


def _leading(tests: Tests) -> Tests:
    """Return the tests before the first that takes several rules."""
    place = next((at for at, test in enumerate(tests) if not isinstance(test, Word)), len(tests))
    return tests[:place]


def _ways(tests: Tests) -> list[Tests] | None:
    """Return the conjunctions of which one must hold, None where there are too many or something is negated as a whole."""
    choices: list[list[Tests]] = []
    for test in tests:
        if isinstance(test, Word):
            choices.append([(test,)])
        elif isinstance(test, Neither):
            return None
        else:
            inner: list[Tests] = []
            for way in test.ways:
                found = _ways(way)
                if found is None:
                    return None
                inner += found
            choices.append(inner)
    size = 1
    for choice in choices:
        size *= len(choice)
        if size > _MOST_COPIES:
            return None
    return [tuple(word for part in chosen for word in part) for chosen in product(*choices)]


def _texts(words: list[Word]) -> Iterator[str]:
    """Yield the words without those that nft says by itself: a test for the protocol whose header is read next."""
    for place, word in enumerate(words):
        following = _until_counting(words[place + 1 :])
        if word.needs_header and any(other.of_transport for other in (*words[:place], *following)):
            continue
        if word.says is not None and any(
            other.reads == word.says and not _is_dropped(other, words) for other in following
        ):
            continue
        yield word.text


def _is_dropped(word: Word, words: list[Word]) -> bool:
    """Whether a test for the header is left out because another one reads it."""
    return word.needs_header and any(other.of_transport and not other.needs_header for other in words)


def _until_counting(words: list[Word]) -> list[Word]:
    place = next((at for at, word in enumerate(words) if word.counts), len(words))
    return words[:place]
