"""What a rule does, resolved: the argument of its verb, where it translates to, what it logs and answers."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import words as w
from policyc.language.problems import suggestion
from policyc.language.rules import Rule
from policyc.net.protocols import TCP
from policyc.netfilter.hooks import MAX_CHAIN_NAME
from policyc.policy.defined import Log
from policyc.policy.endpoints import Endpoints
from policyc.policy.findings import Findings
from policyc.policy.kernel_words import answers, helpers
from policyc.policy.matches import Matches, Scope
from policyc.policy.model import NO_EFFECTS, Effects, Jump
from policyc.policy.values import ALL_BITS, Endpoint, Mark, PortService, Service
from policyc.policy.verbs import NEEDS_ENDPOINT

Argument = Mark | int | str | Log | Jump | None


@frozen
class EffectReader:
    """Resolves verbs and effect words; everything returns None (or False) when it has reported why not."""

    matches: Matches
    endpoints: Endpoints
    findings: Findings

    def argument(self, rule: Rule, services: tuple[Service, ...], scope: Scope) -> tuple[Argument] | None:
        """Return the verb's argument, wrapped."""
        verb = rule.verb
        match verb.name, verb.argument:
            case "log", v.Name() as name:
                log = self.matches.log(name, scope)
                return (log,) if log else None
            case "mark", (v.Name() | v.MarkValue()) as value:
                mark = self.matches.mark(value, scope)
                return (mark,) if mark else None
            case "save-mark" | "restore-mark", bits:
                return (bits.value if isinstance(bits, v.Mask) else ALL_BITS,)
            case "helper", v.Name() as name:
                return (name.text,) if self._helper(name, rule, services) else None
            case "jump", v.Name(text, span):
                if len(text) > MAX_CHAIN_NAME:
                    message = f"`{text}` is longer than the {MAX_CHAIN_NAME} characters of a chain's name"
                    self.findings.report("too-long", message, span)
                    return None
                return (Jump(text, target=False, span=span),)
            case "jump", v.String(text, span):
                return (Jump(text, target=True, span=span),)
            case _:
                return (None,)

    def _helper(self, name: v.Name, rule: Rule, services: tuple[Service, ...]) -> bool:
        if name.text not in helpers():
            message = f"the kernel has no helper `{name.text}`"
            hint = suggestion(name.text, helpers()) or f"it has {', '.join(helpers())}"
            self.findings.report("unknown-name", message, name.span, hint)
            return False
        protocols, _ = helpers()[name.text]
        if services and all(isinstance(service, PortService) and service.protocol in protocols for service in services):
            return True
        words = " or ".join("tcp" if number == TCP else "udp" for number in sorted(protocols))
        message = f"the helper `{name.text}` is for {words} only, and the rule must say so"
        code = "misplaced-word" if rule.services else "missing-word"
        self.findings.report(code, message, rule.verb.span, f"write `helper {name.text} {words.split()[0]}/PORT`")
        return False

    def effects(self, rule: Rule, services: tuple[Service, ...], scope: Scope) -> Effects | None:
        """Return what the effect words say, and check what a verb cannot do without."""
        becomes, balance = rule.find(w.Becomes), rule.find(w.Balance)
        log, answer, ports = rule.find(w.Log), rule.find(w.With), rule.find(w.SourcePorts)
        found: tuple[Endpoint, ...] = ()
        sound = True
        if becomes:
            resolved = self.endpoints.resolve(becomes, scope)
            found = resolved or ()
            sound = resolved is not None and self._leads(rule, becomes, found, services)
            sound = sound and self.endpoints.balanced(becomes, found, balance)
        elif rule.verb.name in NEEDS_ENDPOINT:
            hint = f"write `{rule.verb.name} … becomes 10.0.0.5:80`"
            self.findings.report(
                "missing-word", f"`{rule.verb.name}` does not say what it becomes", rule.verb.span, hint
            )
            sound = False
        made = self.matches.log(log.log, scope) if log else None
        if log and rule.verb.name == "log":
            self.findings.report("misplaced-word", "a `log` rule has no second log", log.span)
            sound = False
        if answer and not self._answers(answer, rule, services):
            sound = False
        if not sound or (log and not made):
            return None
        if not becomes and not log and not answer and not ports:
            return NO_EFFECTS
        return Effects(
            found,
            balance.how if balance else "",
            made,
            answer.answer.text if answer else "",
            ports.how if ports else "",
        )

    def _leads(
        self, rule: Rule, becomes: w.Becomes, found: tuple[Endpoint, ...], services: tuple[Service, ...]
    ) -> bool:
        verb = rule.verb.name
        if verb in {"redirect", "masquerade"}:
            for endpoint, written in zip(found, becomes.values, strict=False):
                if endpoint.family is not None:
                    message = f"`{verb}` leads to an address of this host: only a port may become another"
                    hint = "write `becomes :3128`" if verb == "redirect" else "write `snat … becomes ADDRESS`"
                    self.findings.report("misplaced-word", message, written.span, hint)
                    return False
        return self.endpoints.portable(becomes, found, services)

    def _answers(self, word: w.With, rule: Rule, services: tuple[Service, ...]) -> bool:
        text, span = word.answer.text, word.answer.span
        if text not in answers():
            hint = suggestion(text, answers()) or f"it answers {', '.join(answers())}"
            self.findings.report("unknown-name", f"`reject` has no answer `{text}`", span, hint)
            return False
        if text != "tcp-reset":
            return True
        if services and all(isinstance(service, PortService) and service.protocol == TCP for service in services):
            return True
        code = "misplaced-word" if rule.services else "missing-word"
        message = "`tcp-reset` answers tcp only, and the rule must say so"
        self.findings.report(code, message, span, "write `reject tcp … with tcp-reset`")
        return False
