"""Which families a rule is for: those that its parts name must agree with each other and with its zones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from policyc.diagnostics import Related
from policyc.frozen import frozen
from policyc.language import words as w
from policyc.policy.defined import Side, Zone
from policyc.policy.findings import Findings
from policyc.policy.model import Pair
from policyc.policy.values import Families
from policyc.source import Span

TITLE = {4: "IPv4", 6: "IPv6"}
WORD = {4: "ip", 6: "ip6"}


@dataclass(slots=True)
class Part:
    """One part of a rule: its word, the families that its items name (may be none), and where it stands.

    `open` says that something in it fits both families. `item` is the word or the list of services, as written.
    """

    word: str
    families: Families
    open: bool
    span: Span
    item: object


Blame = Callable[[Part, int], tuple[str, Span]]
"""Returns the text and place of the first item of a part that is of that family; called for messages only."""


@frozen
class Agreed:
    """`families` are what the rule is for, `named` those that some part of it names, which no pair may take away."""

    families: Families
    named: Families


@frozen
class Agreement:
    """The families of one rule in a policy for `policy`: of its parts, of its word `family`, of its pairs."""

    parts: Sequence[Part]
    word: w.Family | None
    policy: Families
    findings: Findings
    blame: Blame

    def find(self) -> Agreed | None:
        """Return the families of the rule; None after a report."""
        narrowed = self._narrowed()
        if not narrowed:
            return None
        left = set(narrowed)
        closed = [part for part in self.parts if not part.open]
        for part in closed:
            left.intersection_update(part.families)
            if not left:
                self._nothing_left(part, narrowed)
                return None
        for part in self.parts:
            for family in part.families:
                if family in narrowed and family not in left:
                    self._disagree(part, family)
                    return None
        if self.word and len(left) < len(narrowed):
            lost = next(family for family in narrowed if family not in left)
            lacking = next(part for part in closed if lost not in part.families)
            message = f"`{lacking.word}` has nothing of {TITLE[lost]}, which `family` asks for"
            related = [Related("the families stand here", self.word.span)]
            self.findings.report("wrong-family", message, lacking.span, related=related)
            return None
        named = {family for part in self.parts for family in part.families if family in left}
        named.update(narrowed if self.word else ())
        return Agreed(tuple(sorted(left)), tuple(sorted(named)))

    def fits(self, found: Agreed, pairs: Sequence[Pair]) -> bool:
        """Whether every family that the rule names is one of each pair; report the zone that lacks it."""
        for pair in pairs:
            for family in found.named:
                if family not in pair.families:
                    self._zone_lacks(pair, family)
                    return False
        return True

    def _narrowed(self) -> Families:
        if self.word is None:
            return self.policy
        for family in self.word.families:
            if family not in self.policy:
                message = f"`family {WORD[family]}` stands in a policy that is for {_titles(self.policy)} only"
                self.findings.report("wrong-family", message, self.word.span)
                return ()
        return self.word.families

    def _nothing_left(self, part: Part, narrowed: Families) -> None:
        text, span = self.blame(part, part.families[0])
        title = TITLE[part.families[0]]
        if not set(part.families).intersection(narrowed):
            by = (
                f"`{self.word.span.text}` stands beside it"
                if self.word
                else f"the policy is for {_titles(narrowed)} only"
            )
            self.findings.report("wrong-family", f"`{text}` is {title}, but {by}", span)
            return
        other = next(other for other in self.parts if not other.open and not set(other.families) & set(part.families))
        known, place = self.blame(other, other.families[0])
        message = f"`{text}` is {title}, but `{known}` is {TITLE[other.families[0]]}: no packet has both"
        self.findings.report("wrong-family", message, span, related=[Related(f"`{known}` stands here", place)])

    def _disagree(self, part: Part, family: int) -> None:
        text, span = self.blame(part, family)
        lacking = next(other for other in self.parts if not other.open and family not in other.families)
        message = f"`{lacking.word}` has nothing of {TITLE[family]}, but `{text}` is {TITLE[family]}"
        hint = f"add what is missing, or narrow the rule: `family {WORD[10 - family]}`"
        self.findings.report("wrong-family", message, lacking.span, hint, [Related(f"`{text}` stands here", span)])

    def _zone_lacks(self, pair: Pair, family: int) -> None:
        zone = _lacking(pair.source, family) or _lacking(pair.target, family)
        assert zone, "a pair has the policy's families but for those that its zones lack"
        part = next((part for part in self.parts if family in part.families), None)
        if part:
            text, span = self.blame(part, family)
        else:
            assert self.word, "what no part names, the word names"
            text, span = f"family {WORD[family]}", self.word.span
        message = f"`{text}` is {TITLE[family]}, but zone `{zone.name}` has no network of {TITLE[family]}"
        hint = f"add a network to the zone, or narrow the rule: `family {WORD[10 - family]}`"
        related = [Related(f"zone `{zone.name}` is defined here", zone.span)]
        self.findings.report("wrong-family", message, span, hint, related)


def _lacking(side: Side, family: int) -> Zone | None:
    return side if isinstance(side, Zone) and side.families and family not in side.families else None


def _titles(families: Families) -> str:
    return " and ".join(TITLE[family] for family in families)
