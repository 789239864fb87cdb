"""Whether a rule may stand where it stands: its verb in the table, its words with the verb and in the hooks."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.language import words as w
from policyc.language.problems import one_of
from policyc.language.rules import Rule
from policyc.policy.findings import Findings
from policyc.policy.places import Place
from policyc.policy.verbs import EFFECT_VERBS, INTENT_WORDS, MATCH_WORDS, NO_INTERFACE, NOT_IN_RAW, VERBS, VERDICTS


@frozen
class Placement:
    """Looks at the rules of one place."""

    findings: Findings
    place: Place

    def allows(self, rule: Rule) -> bool:
        """Whether everything may stand there; report what may not, each once."""
        verb, table = rule.verb.name, self.place.table
        sound = verb in VERBS[table] or self._wrong_table(rule)
        matched = bool(rule.services)
        for word in rule.words:
            kind = type(word)
            if kind in MATCH_WORDS:
                matched = True
                sound = self._match(word) and sound
            elif verb not in EFFECT_VERBS.get(kind, (verb,)):
                sound = self._effect(word, verb)
        if not matched and not rule.otherwise and verb in VERDICTS:
            message = f"`{verb}` has neither services nor match: it would take every packet"
            hint = f"write `otherwise {verb}` at the end of the block"
            self.findings.report("unqualified-verdict", message, rule.span, hint)
            return False
        return sound

    def _wrong_table(self, rule: Rule) -> bool:
        verb, table = rule.verb.name, self.place.table
        others = [other for other, verbs in VERBS.items() if verb in verbs]
        hint = f"its verbs are {one_of(VERBS[table])}"
        if others:
            hint = f"`{verb}` stands in {one_of(others)}; {hint}"
        self.findings.report("wrong-table", f"`{verb}` is no verb of {table}", rule.verb.span, hint)
        return False

    def _match(self, word: w.Word) -> bool:
        kind = type(word)
        if self.place.table == "raw" and kind in NOT_IN_RAW:
            message = f"`{word.word}` is about connections, and raw comes before connection tracking"
            self.findings.report("misplaced-word", message, word.span)
            return False
        if kind in NO_INTERFACE:
            hooks, what = NO_INTERFACE[kind]
            for hook in self.place.hooks:
                if hook in hooks:
                    message = f"`{word.word}` stands in a rule of {hook.value}, where no packet has {what}"
                    self.findings.report("wrong-hook", message, word.span)
                    return False
        if kind in {w.User, w.Group} and not self.place.only_self:
            message = f"`{word.word}` stands in a block whose packets this host does not send"
            hint = "the kernel knows the socket of a packet in `self -> …` only"
            self.findings.report("wrong-hook", message, word.span, hint)
            return False
        return True

    def _effect(self, word: w.Word, verb: str) -> bool:
        verbs = EFFECT_VERBS[type(word)]
        if not verbs:
            intents = [intent for intent, words in INTENT_WORDS.items() if type(word) in words]
            hint = f"it stands in {one_of(intents)}"
        else:
            hint = f"it goes with {one_of(verbs)}"
        self.findings.report("misplaced-word", f"`{word.word}` does not go with `{verb}`", word.span, hint)
        return False
