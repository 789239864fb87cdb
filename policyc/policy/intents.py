"""Intents resolved: `publish`, `notrack`, `synproxy`, `tproxy` with their pairs, `netmap` and `clamp` without one."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.language import literals as v
from policyc.language import tree as t
from policyc.language import words as w
from policyc.language.print_rules import BREAK, intent_text
from policyc.language.problems import one_of
from policyc.net.protocols import TCP, UDP
from policyc.policy.blame import Blamed, address_part, service_part
from policyc.policy.defined import ANY, SELF, Zone
from policyc.policy.endpoints import Endpoints
from policyc.policy.families import Agreement, Part
from policyc.policy.findings import Findings
from policyc.policy.identity import Identities, description
from policyc.policy.matches import Matches
from policyc.policy.model import Clamp, Item, Netmap, Notrack, Pair, Publish, Synproxy, Tproxy
from policyc.policy.namespace import NOTHING
from policyc.policy.places import BEFORE, FORWARDED, Places, Sides
from policyc.policy.service_lists import ServiceLists
from policyc.policy.translated import Asked, Translated
from policyc.policy.values import Addresses, Endpoint, Families, PortService, Service
from policyc.policy.verbs import INTENT_WORDS

Written = t.Intent | t.Netmap | t.Clamp


@frozen
class _Common:
    """What `publish`, `notrack`, `synproxy` and `tproxy` share."""

    sources: Sides
    targets: Sides
    pairs: tuple[Pair, ...]
    services: tuple[Service, ...]
    source: Addresses | None
    destination: Addresses | None
    endpoints: tuple[Endpoint, ...]
    families: Families


@frozen
class Intents:
    """Resolves intents; what is wrong with one is reported, and None returned."""

    places: Places
    services: ServiceLists
    matches: Matches
    endpoints: Endpoints
    identities: Identities
    findings: Findings
    families: Families
    translated: Translated

    def resolve(self, written: Written) -> Item | None:
        """Return one intent."""
        self.findings.calls = ()
        match written:
            case t.Netmap():
                return self._netmap(written)
            case t.Clamp():
                return self._clamp(written)
        common = self._common(written)
        match written.verb:
            case "publish":
                return self._publish(written, common)
            case "notrack":
                return self._notrack(written, common)
            case "synproxy":
                return self._synproxy(written, common)
            case _:
                return self._tproxy(written, common)

    def _fits(self, verb: str, words: tuple[w.Word, ...]) -> bool:
        """Whether every word goes with the intent; report those that do not."""
        sound = True
        for word in words:
            if type(word) not in INTENT_WORDS[verb]:
                known = one_of(kind.word for kind in INTENT_WORDS[verb])
                message = f"`{word.word}` does not go with `{verb}`"
                self.findings.report("misplaced-word", message, word.span, f"its words are {known}")
                sound = False
        return sound

    def _identity(self, written: Written) -> tuple[str, str, str]:
        """Return id, name and description."""
        word = w.find(written.words, w.As)
        name = self.identities.name(word.name) if word else ""
        text = f"as {name}" if name else intent_text(written).replace(BREAK, " ")
        return self.identities.identifier(text), name, description(written.comments)

    def _common(self, written: t.Intent) -> _Common | None:
        sound = self._fits(written.verb, written.words)
        sources, targets = self.places.sides(written.pair.sources), self.places.sides(written.pair.targets)
        pairs = None
        if sources and targets and self._directed(written, sources, targets):
            pairs = self.places.pairs(sources, targets, BEFORE)
        services = self.services.flatten(written.services, NOTHING) if written.services else ()
        froms, tos, becomes = written.find(w.From), written.find(w.To), written.find(w.Becomes)
        source = self.matches.addresses(froms, NOTHING) if froms else None
        destination = self.matches.addresses(tos, NOTHING) if tos else None
        endpoints = self.endpoints.resolve(becomes, NOTHING) if becomes else ()
        if services is not None and endpoints is not None:
            sound = self._needs(written, services, becomes, endpoints) and sound
        if (froms and not source) or (tos and not destination):
            sound = False
        if not sound or not sources or not targets or pairs is None or services is None or endpoints is None:
            return None
        parts = [part] if services and (part := service_part(services, written)) else []
        parts += [address_part(word, found) for word, found in ((froms, source), (tos, destination)) if word and found]
        if becomes:
            families = tuple(sorted({end.family for end in endpoints if end.family}))
            parts.append(Part("becomes", families, not families, becomes.span, becomes))
        agreed = self._agreed(parts, written, pairs)
        if agreed is None:
            return None
        return _Common(sources, targets, pairs, services, source, destination, endpoints, agreed)

    def _agreed(self, parts: list[Part], written: Written, pairs: tuple[Pair, ...]) -> Families | None:
        blamed = Blamed(self.services, self.matches, self.endpoints, NOTHING)
        word = w.find(written.words, w.Family)
        agreement = Agreement(parts, word, self.families, self.findings, blamed.item)
        agreed = agreement.find()
        return agreed.families if agreed and agreement.fits(agreed, pairs) else None

    def _directed(self, written: t.Intent, sources: Sides, targets: Sides) -> bool:
        """Whether the intent has a meaning in that direction; report where not."""
        verb = written.verb
        if verb == "publish":
            for side, name in targets:
                if side is not SELF:
                    message = f"`publish` is about what is sent to this host, not to `{name.text}`"
                    hint = "write `-> self`; another original address stands after `to`"
                    self.findings.report("impossible-pair", message, name.span, hint)
                    return False
        if verb in {"publish", "synproxy", "tproxy"}:
            for side, name in sources:
                if side is SELF:
                    hint = "write `hairpin self` for this host's own connections" if verb == "publish" else ""
                    message = f"`{verb}` is about what comes from outside, not from `self`"
                    self.findings.report("impossible-pair", message, name.span, hint)
                    return False
        return True

    def _needs(
        self, written: t.Intent, services: tuple[Service, ...], becomes: w.Becomes | None, found: tuple[Endpoint, ...]
    ) -> bool:
        """Whether the intent has the services and endpoints that it cannot do without; report what is missing."""
        verb, report = written.verb, self.findings.report
        protocols = {"publish": None, "synproxy": {TCP}, "tproxy": {TCP, UDP}}.get(verb)
        if not written.services and verb in {"publish", "synproxy", "tproxy"}:
            report("missing-word", f"`{verb}` does not say for which services", written.span, "name them: `tcp/80`")
            return False
        if verb in {"publish", "tproxy"} and becomes is None:
            hint = "write `becomes 10.0.0.5:80`" if verb == "publish" else "write `becomes :3128`"
            report("missing-word", f"`{verb}` does not say where the packets go", written.span, hint)
            return False
        for value in written.services if protocols else ():
            for service in self.services.flatten((value,), NOTHING) or ():
                if not isinstance(service, PortService) or service.protocol not in (protocols or ()):
                    only = "tcp" if verb == "synproxy" else "tcp and udp"
                    report("misplaced-word", f"`{verb}` is for {only}, not for `{value.span.text}`", value.span)
                    return False
        if verb == "tproxy" and written.find(w.Mark) is None:
            hint = "write `mark 0x1`; `ip rule add fwmark 0x1 lookup 100` brings the packets to this host"
            report("missing-word", "`tproxy` does not say which mark its packets get", written.span, hint)
            return False
        if becomes is None:
            return True
        if verb == "publish" and any(end.family is None for end in found):
            report(
                "missing-word",
                "`publish` needs an address in its endpoint",
                becomes.span,
                "`redirect` leads to this host",
            )
            return False
        if verb == "tproxy" and any(end.first != end.last for end in found):
            report("misplaced-word", "`tproxy` leads to one address of this host", becomes.span)
            return False
        return self.endpoints.balanced(becomes, found, written.find(w.Balance)) and self.endpoints.portable(
            becomes, found, services
        )

    def _publish(self, written: t.Intent, common: _Common | None) -> Publish | None:
        hairpin, balance = written.find(w.Hairpin), written.find(w.Balance)
        sides = self.places.sides(hairpin.values, (SELF,)) if hairpin else ()
        identity = self._identity(written)
        sound = sides is not None
        for side, name in sides or ():
            if isinstance(side, Zone) and not side.networks:
                message = f"zone `{side.name}` has no network, which `hairpin` needs for the way back"
                self.findings.report("impossible-pair", message, name.span, "add `network …` to the zone")
                sound = False
        if common is None or not sound or sides is None:
            return None
        asked = Asked(common.services, common.endpoints, common.destination, common.families)
        translator = self.translated.by(asked, written)
        if translator is None:
            return None
        return Publish(
            common.pairs,
            common.services,
            common.endpoints,
            common.source,
            common.destination,
            tuple(side for side, _ in sides if isinstance(side, Zone)),
            any(side is SELF for side, _ in sides),
            balance.how if balance else "",
            translator,
            common.families,
            *identity,
            written.span,
        )

    def _notrack(self, written: t.Intent, common: _Common | None) -> Notrack | None:
        identity = self._identity(written)
        replies = self.places.pairs(common.targets, common.sources, BEFORE) if common else None
        if common is None or replies is None:
            return None
        return Notrack(
            common.pairs,
            replies,
            common.services,
            common.source,
            common.destination,
            common.families,
            *identity,
            written.span,
        )

    def _synproxy(self, written: t.Intent, common: _Common | None) -> Synproxy | None:
        identity = self._identity(written)
        filters = self.places.pairs(common.sources, common.targets, FORWARDED) if common else None
        if common is None or filters is None:
            return None
        return Synproxy(
            common.pairs,
            filters,
            common.services,
            common.source,
            common.destination,
            common.families,
            *identity,
            written.span,
        )

    def _tproxy(self, written: t.Intent, common: _Common | None) -> Tproxy | None:
        word = written.find(w.Mark)
        mark = self.matches.mark(word.value, NOTHING) if word else None
        identity = self._identity(written)
        if common is None or mark is None:
            return None
        return Tproxy(
            common.pairs,
            common.services,
            common.endpoints,
            mark,
            common.source,
            common.destination,
            common.families,
            *identity,
            written.span,
        )

    def _netmap(self, written: t.Netmap) -> Netmap | None:
        sound = self._fits("netmap", written.words)
        sides = self.places.sides(written.zones, (ANY,))
        identity = self._identity(written)
        outer, inner = self._mapped(written.outer), self._mapped(written.inner)
        if not sound or sides is None or outer is None or inner is None:
            return None
        if outer.family != inner.family:
            self.findings.report("wrong-family", "the networks of a netmap are of one family", written.span)
            return None
        size = outer.last - outer.first
        if size != inner.last - inner.first:
            self.findings.report("bad-literal", "the networks of a netmap have one size", written.span)
            return None
        family = outer.family or 0
        parts = [Part("netmap", (family,), False, written.outer.span, None)]
        zones = tuple(side for side, _ in sides)
        agreed = self._agreed(parts, written, ())
        if agreed is None:
            return None
        prefix = {4: 32, 6: 128}[family] - size.bit_length()
        return Netmap(outer, inner, prefix, zones, agreed, *identity, written.span)

    def _mapped(self, value: v.Network | v.Name) -> Endpoint | None:
        found = self.endpoints.one(v.Endpoint(value, None, value.span), NOTHING)
        if found is None:
            return None
        size = found[0].last - found[0].first + 1
        if len(found) > 1 or size & (size - 1) or found[0].first & (size - 1):
            message = f"`{value.span.text}` is not one network"
            self.findings.report("bad-literal", message, value.span, "a netmap maps one network to another")
            return None
        return found[0]

    def _clamp(self, written: t.Clamp) -> Clamp | None:
        sound = self._fits("clamp", written.words)
        sides = self.places.sides(written.zones, (ANY,))
        identity = self._identity(written)
        agreed = self._agreed([], written, ())
        if not sound or sides is None or agreed is None:
            return None
        return Clamp(tuple(side for side, _ in sides), agreed, *identity, written.span)
