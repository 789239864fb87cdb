"""One rule of a block: its words resolved, checked against table, hook and verb, and its families agreed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from policyc.language import words as w
from policyc.language.literals import Name
from policyc.language.rules import Rule as WrittenRule
from policyc.policy.blame import Blamed, address_part, service_part
from policyc.policy.effects import Argument, EffectReader
from policyc.policy.endpoints import Endpoints
from policyc.policy.families import Agreement, Part
from policyc.policy.findings import Findings
from policyc.policy.identity import Identities, canonical_text, description
from policyc.policy.kernel_words import answers, helpers
from policyc.policy.lines import Line
from policyc.policy.matches import Matches, Scope
from policyc.policy.misplaced import Placement
from policyc.policy.model import NO_EFFECTS, NO_MATCHES, Effects, Rule, Text
from policyc.policy.model import Matches as MatchValues
from policyc.policy.places import Place
from policyc.policy.service_lists import ServiceLists
from policyc.policy.values import BOTH, Families, Service
from policyc.policy.verbs import MATCH_WORDS, NEEDS_ENDPOINT, NO_ARGUMENT
from policyc.source import Span

NOTHING: tuple[Argument] = (None,)


@dataclass(slots=True)
class Rules:
    """Resolves rules; what is wrong with one is reported, and None returned."""

    services: ServiceLists
    matches: Matches
    endpoints: Endpoints
    effects: EffectReader
    identities: Identities
    findings: Findings
    families: Families

    def resolve(self, line: Line, place: Place, placement: Placement) -> Rule | None:
        """Return the rule as it stands in that place."""
        rule, call = line.rule, line.call
        self.findings.calls = call.spans if call else ()
        placed = placement.allows(rule)
        plain = not rule.words or type(rule.words[-1]) in MATCH_WORDS
        words = self._words(rule, line.scope)
        services = self._services(rule, line.scope)
        effects, argument = self._does(rule, services, line.scope, plain=plain)
        name = "" if plain else self._name(line)
        if not placed or services is None or words is None or effects is None or argument is None:
            return None
        families = self._quick(place, services, words) if plain and argument is NOTHING else None
        if families is None:
            families = self._families(line, place, services, words, effects)
        if families is None or not self._counts(words, families, rule):
            return None
        return Rule(
            rule.verb.name,
            argument[0],
            services,
            MatchValues(**words) if words else NO_MATCHES,
            effects,
            families,
            line.hooks,
            rule.otherwise,
            self._identifier(line, place, name),
            name,
            description(rule.comments) if rule.comments else "",
            call,
            rule.span,
        )

    def _services(self, rule: WrittenRule, scope: Scope) -> tuple[Service, ...] | None:
        found = self.services.flatten(rule.services, scope) if rule.services else ()
        if found is not None and (sport := rule.find(w.Sport)):
            return self.services.from_ports(found, sport, scope)
        return found

    def _does(
        self, rule: WrittenRule, services: tuple[Service, ...] | None, scope: Scope, *, plain: bool
    ) -> tuple[Effects | None, tuple[Argument] | None]:
        """Return what the rule does and its verb's argument; `plain` says that it has match words only."""
        if services is None:
            return None, None
        effects: Effects | None = NO_EFFECTS
        if not plain or rule.verb.name in NEEDS_ENDPOINT:
            effects = self.effects.effects(rule, services, scope)
        if rule.verb.argument is None and rule.verb.name in NO_ARGUMENT:
            return effects, NOTHING
        return effects, self.effects.argument(rule, services, scope)

    def _words(self, rule: WrittenRule, scope: Scope) -> dict[str, Any] | None:
        """Return the fields of `model.Matches`; None when one of them was reported."""
        found: dict[str, Any] = {}
        matches = self.matches
        for word in rule.words:
            match word:
                case w.From():
                    found["source"] = matches.addresses(word, scope)
                case w.To():
                    found["destination"] = matches.addresses(word, scope)
                case w.In():
                    found["entry"] = matches.interfaces(word)
                case w.Out():
                    found["exit"] = matches.interfaces(word)
                case w.Published():
                    found["published"] = self.services.with_ports(word.values, scope, "`published`")
                case w.State():
                    found["state"] = matches.states(word)
                case w.Marked():
                    found["marked"] = matches.marks(word, scope)
                case w.User():
                    found["user"] = matches.accounts(word)
                case w.Group():
                    found["group"] = matches.accounts(word)
                case w.During():
                    found["during"] = matches.during(word, scope)
                case w.Limit():
                    found["limit"] = matches.limit(word, scope)
                case w.Over():
                    found["over"] = matches.limit(word, scope)
                case w.Match(text):
                    found["text"] = Text(text.text, text.span)
                case _:
                    pass
        return None if None in found.values() else found

    def _quick(self, place: Place, services: tuple[Service, ...], words: dict[str, Any]) -> Families | None:
        """Return the families of a rule whose addresses are of one family and whose services fit both; None for others."""
        if services and (len(services) > 1 or services[0].families is not BOTH):
            return None
        found: Families | None = None
        for key in ("source", "destination"):
            if addresses := words.get(key):
                if addresses.sets or found not in {None, addresses.families}:
                    return None
                found = addresses.families
        if found is None:
            return self.families
        return found if found in place.within else None

    def _families(
        self, line: Line, place: Place, services: tuple[Service, ...], words: dict[str, Any], effects: Effects
    ) -> Families | None:
        """Return the families of the rule, agreed among its parts and with the pairs of its place."""
        rule = line.rule
        parts: list[Part] = []
        if services and (part := service_part(services, rule)):
            parts.append(part)
        for word in rule.words:
            match word:
                case w.From():
                    parts.append(address_part(word, words["source"]))
                case w.To():
                    parts.append(address_part(word, words["destination"]))
                case w.Becomes():
                    families = tuple(sorted({end.family for end in effects.becomes if end.family}))
                    parts.append(Part(word.word, families, len(families) == 0, word.span, word))
                case w.With():
                    parts.append(_kernel_part(word.word, answers()[word.answer.text], word.answer.span, word))
                case _:
                    pass
        if rule.verb.name == "helper" and isinstance(helper := rule.verb.argument, Name):
            parts.append(_kernel_part("helper", helpers()[helper.text][1], helper.span, helper))
        family = rule.find(w.Family) if rule.words else None
        if line.lenient:
            named = {one for part in parts if not part.open for one in part.families} if parts else set(self.families)
            return tuple(one for one in self.families if one in named) or None
        agreement = Agreement(
            parts,
            family,
            self.families,
            self.findings,
            Blamed(self.services, self.matches, self.endpoints, line.scope).item,
        )
        agreed = agreement.find()
        if agreed is None or not agreement.fits(agreed, place.pairs):
            return None
        return agreed.families

    def _counts(self, words: dict[str, Any], families: Families, rule: WrittenRule) -> bool:
        """Whether the limits of a rule count by as many bits as its addresses have."""
        if "limit" not in words and "over" not in words:
            return True
        for key, kind in (("limit", w.Limit), ("over", w.Over)):
            limit = words.get(key)
            if limit and (limit.prefix or 0) > 32 and 4 in families:
                word = rule.find(kind)
                assert word, "the limit came from this word"
                message = f"`{limit.name}` counts by {limit.prefix} bits, and an IPv4 address has 32"
                hint = "make it two rules with a limit for each family: `family ip`, `family ip6`"
                self.findings.report("wrong-family", message, word.span, hint)
                return False
        return True

    def _name(self, line: Line) -> str:
        word = line.rule.find(w.As) if line.rule.words else None
        if word is None:
            return ""
        return self.identities.name(word.name, line.call.path if line.call else (), preset=line.lenient)

    def _identifier(self, line: Line, place: Place, name: str) -> str:
        if name and not line.call:
            return self.identities.identifier(f"as {name}")
        text = name or canonical_text(line.rule)
        return self.identities.identifier(f"{place.table} {place.text}\n{line.text}\n{text}")


def _kernel_part(word: str, families: Families, span: Span, item: object) -> Part:
    """Return a part that the kernel has in some families only; what it has in both names none."""
    return Part(word, () if families == BOTH else families, families == BOTH, span, item)
