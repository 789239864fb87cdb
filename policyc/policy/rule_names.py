"""Names of rules where a test speaks of them: after `by` and `except`. Used by `tested` and `proofs`."""

from __future__ import annotations

from collections.abc import Sequence

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import words as w
from policyc.language.problems import suggestion
from policyc.language.rules import Rule
from policyc.language.tree import Define
from policyc.policy.findings import Findings
from policyc.policy.identity import Identities


@frozen
class RuleNames:
    """Rules are known by the names that `identities` gave them."""

    identities: Identities
    findings: Findings
    defines: Sequence[Define]

    def check(self, name: v.Name, others: Sequence[str] = ()) -> None:
        """Report a name that no rule has and that is none of `others`."""
        if name.text in self.identities.names or name.text in others or self._in_define(name.text):
            return
        hint = suggestion(name.text, [*self.identities.names, *others]) or "a rule gets its name by `as NAME`"
        self.findings.report("unknown-name", f"no rule is called `{name.text}`", name.span, hint)

    def _in_define(self, text: str) -> bool:
        """Whether the last part of a name is a rule of a `define`: a call of it may be what is wrong, not the name."""
        *path, last = text.split(".")
        return any(
            isinstance(line, Rule) and (called := line.find(w.As)) and called.name.text == last
            for define in self.defines
            if path and define.name.text == path[-1]
            for line in define.lines
        )
