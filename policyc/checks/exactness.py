"""How far a ruleset is known: rules whose meaning is exact, opaque, or different at each packet. The exactness line."""

from __future__ import annotations

from policyc.checks.forms import Nature
from policyc.checks.survey import Survey
from policyc.frozen import frozen


@frozen
class Exactness:
    """Numbers of rules; the three kinds add up to `rules`. What only the host could answer counts as opaque."""

    rules: int
    exact: int
    opaque: int
    nondeterministic: int

    def to_dict(self) -> dict[str, int]:
        """Return the JSON form of the contract."""
        return {
            "rules": self.rules,
            "exact": self.exact,
            "opaque": self.opaque,
            "nondeterministic": self.nondeterministic,
        }


def exactness(survey: Survey) -> Exactness:
    """Count the rules of a ruleset."""
    rules = opaque = nondeterministic = 0
    for table, chain in survey.chains:
        rules += len(chain.rules)
        natures = survey.natures(table, chain)
        if not natures:
            continue
        for rule in chain.rules:
            worst = max([natures.get(id(part), Nature.EXACT) for part in rule.parts], default=Nature.EXACT)
            opaque += worst >= Nature.ASKED
            nondeterministic += worst is Nature.COUNTED
    return Exactness(rules, rules - opaque - nondeterministic, opaque, nondeterministic)
