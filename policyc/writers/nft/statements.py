"""What a rule does, as statements of nft: a target's effects, in order. Used by `rules`."""

from __future__ import annotations

from policyc.frozen import frozen
from policyc.net.addresses import format_address
from policyc.net.protocols import TCP
from policyc.netfilter import fields
from policyc.netfilter.effect import (
    Assign,
    Divert,
    Effect,
    Handshake,
    Mutate,
    Note,
    Reject,
    Rewrite,
    Shift,
    Track,
    Verdict,
)
from policyc.netfilter.hooks import Hook
from policyc.netfilter.parts import Target
from policyc.writers.nft.changes import assigned, shifted
from policyc.writers.nft.conditions import NoForm
from policyc.writers.nft.declared import Declared
from policyc.writers.nft.set_tests import Sets
from policyc.writers.nft.spelling import identifier, protocol, quoted
from policyc.writers.nft.translations import translated

_ANSWERS = {
    "icmp-proto-unreachable": "prot-unreachable", "icmp6-adm-prohibited": "admin-prohibited",
    "icmp6-addr-unreachable": "addr-unreachable",
}  # fmt: skip
_LEVELS = ("emerg", "alert", "crit", "err", "warn", "notice", "info", "debug")
_LOG_FLAGS = {
    "log-tcp-sequence": "tcp sequence", "log-tcp-options": "tcp options", "log-ip-options": "ip options",
    "log-uid": "skuid", "log-macdecode": "ether",
}  # fmt: skip
_BARE_SYN = "tcp flags & (fin | syn | rst | ack) == syn"
_BARE_ACK = "tcp flags & (fin | syn | rst | ack) == ack"
_NO_FORM = {
    "audit": "`AUDIT`", "timer": "`IDLETIMER`", "led": "`LED`", "checksum": "`CHECKSUM`", "counter": "an accounting object",
    "unknown": "a target that is not known here", "mark": "`HMARK`; its hash is another than that of nft",
    "security label": "a security label", "prefix": "a stateless translation of prefixes",
    "mark and class of a set": "`SET --map-set`",
}  # fmt: skip


@frozen
class Action:
    """What a rule does: each of `lines` is a rule of nft, carried out in order.

    `ends`: nothing of the chain is looked at behind it. `leaves`: by going back to the chain's caller, or to a chain that does.
    `protocol`: nft takes it only in a rule that tests for this protocol itself.
    """

    lines: tuple[str, ...] = ()
    ends: bool = False
    leaves: bool = False
    protocol: int | None = None


@frozen
class Statements:
    """Makes the actions of one table's rules.

    `helpers`: of the copy of the table raw that stands behind connection tracking, where helpers are given to connections and
    nothing else is done.
    """

    declared: Declared
    sets: Sets
    table: str
    helpers: bool = False

    def of(self, target: Target, effects: tuple[Effect, ...], proto: int | None, hooks: frozenset[Hook]) -> Action:
        """Return what effects do. Raises NoForm."""
        lines: list[str] = []
        for effect in effects:
            match effect:
                case Verdict():
                    return self._verdict(effect, target, lines, proto)
                case Reject():
                    lines.append(_reject(effect))
                    return Action(tuple(lines), ends=True, protocol=TCP if effect.answer == "tcp-reset" else None)
                case Rewrite():
                    rules = translated(effect, target, self.declared.family, hooks)
                    return Action((*lines, *rules), ends=True, protocol=proto if effect.ports else None)
                case Divert():
                    return Action((*lines, *self._divert(effect)), ends=True, protocol=proto)
                case Handshake():
                    lines += _handshake(target)
                case _:
                    lines += self._goes_on(effect, target, proto)
        return Action(tuple(lines))

    def _verdict(self, verdict: Verdict, target: Target, lines: list[str], proto: int | None) -> Action:
        match verdict.kind:
            case "jump" | "goto":
                text = f"{verdict.kind} {identifier(self.table, verdict.chain)}"
                gone = verdict.kind == "goto"
                return Action((*lines, text), ends=gone, leaves=gone)
            case "return":
                return Action((*lines, "return"), ends=True, leaves=True)
            case "queue":
                return Action((*lines, _queue(target)), ends=True)
        return Action((*lines, verdict.kind), ends=True, protocol=proto if lines else None)

    def _goes_on(self, effect: Effect, target: Target, proto: int | None) -> list[str]:
        """Return the rules of an effect behind which the packet goes on."""
        match effect:
            case Assign():
                return assigned(effect, self.declared)
            case Shift():
                return shifted(effect, self.declared)
            case _ if self.helpers and not isinstance(effect, Track):
                return []
            case Track():
                return self._helper(effect, proto) if self.helpers else _track(effect)
            case Mutate():
                return self._mutate(effect)
            case Note():
                return [] if effect.kind == "queue" else [self._note(effect, target)]
        raise NoForm(f"`{target.text}`")

    def _helper(self, track: Track, of: int | None) -> list[str]:
        if not track.helper or of is None:
            return []
        name = identifier("helper", f"{track.helper}-{protocol(of)}")
        self.declared.objects.setdefault(
            f"ct helper {name}", [f"type {quoted(track.helper, 'helper name')} protocol {protocol(of)}"]
        )
        return [f'ct helper set "{name}"']

    def _note(self, note: Note, target: Target) -> str:
        match note.kind:
            case "log":
                return _log(target)
            case "nflog":
                return _nflog(target)
            case "trace":
                return "meta nftrace set 1"
            case "copy":
                device = f" device {quoted(target.options['oif'], 'interface name')}" if "oif" in target.options else ""
                return f"dup to {note.detail}{device}"
            case "set":
                return self._set(note, target)
        raise NoForm(_NO_FORM.get(note.kind, f"`{target.name}`"))

    def _set(self, note: Note, target: Target) -> str:
        verb, name, directions = note.detail.split(" ")
        if verb == "del":
            return self.sets.changed(name, directions, verb="delete")
        timeout = f" timeout {target.options['timeout']}s" if "timeout" in target.options else ""
        return self.sets.changed(
            name, directions, verb="update" if "exist" in target.options else "add", timeout=timeout
        )

    def _mutate(self, change: Mutate) -> list[str]:
        match change.what:
            case "tcp-mss":
                return [f"tcp option maxseg size set {'rt mtu' if change.detail == 'path MTU' else change.detail}"]
            case "tcp-options":
                return [f"reset tcp option {number}" for number in change.detail.split(",")]
            case "class":
                major, minor = (int(part, 16) for part in change.detail.split(":"))
                return [f"meta priority set {major:x}:{minor:x}"]
        raise NoForm(_NO_FORM.get(change.what, f"the change of {change.what}"))

    def _divert(self, divert: Divert) -> tuple[str, ...]:
        """Where no socket takes the packet it is dropped, as by TPROXY."""
        family = self.declared.family
        address = format_address(divert.address, family) if divert.address else ""
        to = f"[{address}]:{divert.port}" if family == 6 and address else f"{address}:{divert.port}"
        marks = [] if not (divert.mask or divert.mark) else assigned(_mark(divert), self.declared)
        return " ".join([f"tproxy to {to}", *marks, "accept"]), "drop"


def _mark(divert: Divert) -> Assign:
    return Assign(fields.MARK, divert.mask, divert.mark)


def _reject(reject: Reject) -> str:
    if reject.answer == "tcp-reset":
        return "reject with tcp reset"
    family, _, rest = reject.answer.partition("-")
    return f"reject with {'icmpv6' if family == 'icmp6' else family} {_ANSWERS.get(reject.answer, rest)}"


def _handshake(target: Target) -> list[str]:
    """Return the answers to a bare SYN and a bare ACK; nft itself would take every SYN (net/netfilter/nft_synproxy.c)."""
    words = ["synproxy"]
    words += [f"mss {target.options['mss']}"] if "mss" in target.options else []
    words += [f"wscale {target.options['wscale']}"] if "wscale" in target.options else []
    words += ["timestamp"] if "timestamp" in target.options else []
    words += ["sack-perm"] if "sack-perm" in target.options else []
    if "ecn" in target.options:
        raise NoForm("`SYNPROXY --ecn`")
    text = " ".join(words)
    return [f"{_BARE_SYN} {text}", f"{_BARE_ACK} {text}"]


def _track(track: Track) -> list[str]:
    if not track.entry:
        return ["notrack"]
    if track.timeout:
        raise NoForm("`CT --timeout`, a policy of timeouts that is the host's")
    if track.events:
        raise NoForm("`CT --ctevents`")
    if "mark" in track.zone:
        raise NoForm("`CT --zone mark`")
    if not track.zone:
        return []
    way, _, number = track.zone.rpartition(" ")
    return [f"ct {way + ' ' if way else ''}zone set {number}"]


def _prefixed(text: str) -> str:
    if "$" in text:
        raise NoForm(f"the log prefix {text!r}; nft takes what follows a `$` for a variable")
    return f" prefix {quoted(text, 'log prefix')}"


def _log(target: Target) -> str:
    options = target.options
    prefix = _prefixed(options["log-prefix"]) if "log-prefix" in options else ""
    level = f" level {_LEVELS[options['log-level']]}" if "log-level" in options else ""
    flags = "".join(f" flags {word}" for name, word in _LOG_FLAGS.items() if name in options)
    flags = flags.replace("flags tcp sequence flags tcp options", "flags tcp sequence,options")
    return f"log{prefix}{level}{flags}"


def _nflog(target: Target) -> str:
    options = target.options
    if "nflog-range" in options:
        raise NoForm("`NFLOG --nflog-range`, which has no effect; write `--nflog-size`")
    prefix = _prefixed(options["nflog-prefix"]) if "nflog-prefix" in options else ""
    size = f" snaplen {options['nflog-size']}" if "nflog-size" in options else ""
    threshold = f" queue-threshold {options['nflog-threshold']}" if "nflog-threshold" in options else ""
    return f"log{prefix} group {options.get('nflog-group', 0)}{size}{threshold}"


def _queue(target: Target) -> str:
    options = target.options
    flags = [word for name, word in (("queue-bypass", "bypass"), ("queue-cpu-fanout", "fanout")) if name in options]
    if "queue-balance" in options:
        low, high = options["queue-balance"]
        where = f"{low}-{high}"
    else:
        where = str(options.get("queue-num", 0))
    shown = f" flags {','.join(flags)}" if flags else ""
    return f"queue{shown} to {where}"
