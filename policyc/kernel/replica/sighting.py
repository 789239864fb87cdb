"""What was seen of one packet becomes its verdict: the trace of rules, where it came out, what the kernel answered.

Used by `observe`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policyc.kernel.replica import watching
from policyc.kernel.replica.seen import Seen, read_ip
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Ruleset
from policyc.simulation.packet import Packet
from policyc.simulation.trace import DELIVERED, DROPPED, FORWARDED, KERNEL_DROP, LOCAL, REJECTED, SENT, Step

_DEFAULT_ANSWER = {4: "icmp-port-unreachable", 6: "icmp6-port-unreachable"}
_BUILT_IN = frozenset(("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"))
_LEGACY = "TRACE: "


class RuleNames:
    """The rules of the namespace by what its traces call them: handles of nf_tables, names and numbers of legacy tables."""

    def __init__(self, rulesets: Mapping[int, Ruleset], handles: Iterable[Sequence[Any]], *, of_legacy: bool) -> None:
        self.of_legacy = of_legacy
        self._rulesets = rulesets
        self._numbers: dict[tuple[Any, ...], int] = {tuple(key): number for *key, number in handles}

    def number(self, family: int, table: str, chain: str, handle: int) -> int:
        """Return the number of a rule in its chain, from 1."""
        return self._numbers[family, table, chain, handle]

    def rule(self, family: int, step: Step) -> Rule | None:
        """Return the rule of a step, None for a policy."""
        table = self._rulesets[family].table(family, step.table) if family in self._rulesets else None
        chain = table.chain(step.chain) if table else None
        return chain.rules[step.rule - 1] if chain and isinstance(step.rule, int) else None

    def legacy_step(self, family: int, prefix: str) -> Step | None:
        """Return the step that a legacy table's trace names: `TRACE: filter:INPUT:rule:3`; None for a user chain's end.

        An unconditional verdict is called `policy` or `return` there, as the end of the chain is.
        """
        table, name, kind, number = prefix.removeprefix(_LEGACY).strip().rsplit(":", 3)
        of_name = self._rulesets[family].table(family, table) if family in self._rulesets else None
        chain = of_name.chain(name) if of_name else None
        if int(number) > (len(chain.rules) if chain else 0):
            policy = (chain.policy if chain else None) or "ACCEPT"
            return Step(table, name, "policy", policy.lower()) if kind == "policy" else None
        step = Step(table, name, int(number), "")
        rule = self.rule(family, step)
        return step._replace(verdict=_word(rule)) if rule is not None else step


def _word(rule: Rule) -> str:
    """Return what a rule's target does, in the words of a trace; legacy tables do not say."""
    target = rule.target
    if target is None:
        return "continue"
    if target.chain:
        return f"{'goto' if target.goto else 'jump'}:{target.chain}"
    if target.extension is None:
        return target.name.lower()
    if target.name == "REJECT":
        return "drop"
    return "accept" if target.extension.terminal else "continue"


class Sighting:
    """One packet as it was sent, and all that the replica saw until nothing more happened."""

    def __init__(self, packet: Packet, mark: int, found: Mapping[str, Any], names: RuleNames) -> None:
        self.packet, self.mark, self.names = packet, mark, names
        self.error: str = found["error"]
        self.steps: list[Step] = []
        self.state, self.is_reply = "", False
        self.marks: dict[int, int] = {}  # by trace: a broadcast's copy has its own
        self.states: dict[int, str] = {}
        self.first = 0  # the trace of the packet as it was sent
        self.last_mark, self.left_mark, self.stopped = 0, 0, False
        self.delivered: tuple[str, Seen, int] | None = None
        self.frames: list[tuple[str, Seen]] = []
        self.answers: list[Seen] = []
        self.answer_frames: list[str] = []
        self._of_id: dict[int, bool] = {}
        for one in found["seen"]:
            getattr(self, f"_{one['what']}")(one)

    def _is_ours(self, seen: Seen | None) -> bool:
        if seen is None or (seen.mark, seen.family, seen.proto) != (self.mark, self.packet.family, self.packet.proto):
            return False
        # An answer of the kernel's has an identification that may be the same by chance, but never the same type.
        return seen.icmp is None or seen.icmp[0] == (self.packet.icmp or 0) >> 8

    # ------------------------------------------------------------------ what was seen
    def _event(self, event: Mapping[str, Any]) -> None:
        if event["packet"]:
            self._of_id[event["id"]] = self._is_ours(read_ip(bytes.fromhex(event["packet"])))
        if not self._of_id.get(event["id"], False):
            return
        self.first = self.first or event["id"]
        self.marks[event["id"]] = event["mark"]
        if not self.names.of_legacy:
            self.last_mark = event["mark"]
        if event["table"] == watching.TABLE:
            self._watched(event)
        elif not self.names.of_legacy and (event["kind"] == "policy" or event["handle"]):  # else: the end of a chain
            self.steps.append(self._step(event))

    def _watched(self, event: Mapping[str, Any]) -> None:
        if not event["chain"].startswith(watching.STATE) or not event["handle"]:
            return
        number = self.names.number(event["family"], event["table"], event["chain"], event["handle"])
        if number == watching.REPLY:
            self.is_reply = True
        else:
            self.state = self.states[event["id"]] = watching.STATES[number - 1].upper()

    def _step(self, event: Mapping[str, Any]) -> Step:
        table, chain, verdict = event["table"], event["chain"], event["verdict"]
        if event["target"]:
            verdict = f"{verdict}:{event['target']}"
        if event["kind"] == "policy":
            return Step(table, chain, "policy", verdict)
        return Step(table, chain, self.names.number(event["family"], table, chain, event["handle"]), verdict)

    def _copy(self, copy: Mapping[str, Any]) -> None:
        seen = read_ip(bytes.fromhex(copy["packet"]))
        if seen is None:
            return
        ours = self._is_ours(seen)
        if ours and self.names.of_legacy:
            self.last_mark, self.stopped = copy["mark"], copy["prefix"].startswith(_LEGACY)
            if copy["prefix"] == watching.LEFT:
                self.left_mark = copy["mark"]
        prefix = copy["prefix"]
        if prefix == watching.ARRIVED and ours:
            self.delivered = copy["iif"], seen, copy["mark"]
        elif prefix == watching.SENT and not ours and not seen.is_chatter:
            self.answers.append(seen)
        elif prefix.startswith(_LEGACY) and ours and self.names.of_legacy:
            step = self.names.legacy_step(self.packet.family, prefix)
            if step is not None:
                self.steps.append(step)

    def _frame(self, frame: Mapping[str, Any]) -> None:
        seen = read_ip(bytes.fromhex(frame["packet"]))
        if seen is None or (seen.is_chatter and not self._is_ours(seen)):
            return
        if self._is_ours(seen):
            self.frames.append((frame["name"], seen))
        else:
            self.answer_frames.append(frame["name"])

    # ------------------------------------------------------------------ what it means
    def verdict(self, number: int) -> dict[str, Any]:
        """Return the verdict about packet `number`."""
        if self._was_refused():
            self.steps[-1] = self.steps[-1]._replace(verdict="drop")
        dropped = next((step for step in self.steps if step.verdict == "drop"), None)
        found: dict[str, Any] = {"n": number, "verdict": self._verdict(dropped)}
        end: Seen | None = None
        if found["verdict"] in {FORWARDED, SENT}:
            found["out_iface"], end = self.frames[0]
        elif found["verdict"] == LOCAL and self.delivered is not None:
            found["in_iface"], end, _ = self.delivered
        if self.delivered is not None and found["verdict"] != LOCAL:
            found["also_local"] = self.delivered[0]
        if end is not None:
            found |= {"final": end.final(), "fields": self._fields(end)}
        if mark := self._mark(found["verdict"]):
            found["mark"] = mark
        if self.state:
            found["ctstate"] = self.states[self.first] if found["verdict"] == SENT else self.state
            if self.state in {"ESTABLISHED", "RELATED"}:
                found["ctdir"] = "reply" if self.is_reply else "original"
        if (step := self._deciding(found["verdict"])) is not None:
            found["deciding"] = {"table": step.table, "chain": step.chain, "rule": step.rule}
            if found["verdict"] == REJECTED:
                found["reject_with"] = self._reject_with(step)
        if self.answers:
            found["kernel_replies"] = [one.answer() for one in self.answers]
            found["reply_left_via"] = self.answer_frames
        if found["verdict"] == KERNEL_DROP:
            found["stage"] = self._stage()
        if self.error:
            found["send_error"] = self.error
        return found | {"trace": [list(step) for step in self.steps]}

    def _was_refused(self) -> bool:
        """Whether a target of a legacy nat table dropped the packet, as MASQUERADE does without an address.

        Its trace does not tell; where the way was lost afterwards, the sender's error is another one.
        """
        if not self.stopped or not self.steps or self.error not in {"", "EPERM"}:
            return False
        last = self.steps[-1]
        return (last.table, last.verdict) == ("nat", "accept") and last.rule != "policy"

    def _mark(self, verdict: str) -> int:
        """Return the mark at the packet's end, which of a broadcast is not that of the copy that comes back."""
        if verdict not in {SENT, FORWARDED}:
            return self.last_mark
        return self.left_mark if self.names.of_legacy else self.marks[self.first] if verdict == SENT else self.last_mark

    def _verdict(self, dropped: Step | None) -> str:
        if self.frames:
            return SENT if self.packet.outgoing else FORWARDED
        if dropped is None:
            return KERNEL_DROP if self.delivered is None else LOCAL
        rule = self.names.rule(self.packet.family, dropped)
        return REJECTED if rule is not None and rule.target is not None and rule.target.name == "REJECT" else DROPPED

    def _deciding(self, verdict: str) -> Step | None:
        if verdict in {DROPPED, REJECTED}:
            return next(step for step in reversed(self.steps) if step.verdict == "drop")
        if verdict not in DELIVERED:
            return None
        final = (step for step in reversed(self.steps) if step.table == "filter" and step.verdict in {"accept", "drop"})
        return next(final, None)

    def _reject_with(self, step: Step) -> str:
        rule = self.names.rule(self.packet.family, step)
        words = rule.text.split() if rule is not None else []
        if "--reject-with" in words:
            return words[words.index("--reject-with") + 1]
        return _DEFAULT_ANSWER[self.packet.family]

    def _fields(self, end: Seen) -> dict[str, int]:
        found = {"ttl": end.ttl}
        if end.tos != self.packet.tos:
            found["tos"] = end.tos
        if end.mss is not None and end.mss != self.packet.tcp_mss:
            found["mss"] = end.mss
        return found

    def _stage(self) -> str | None:
        """Table and hook of the last chain that let the packet pass."""
        passed = [step for step in self.steps if step.chain in _BUILT_IN]
        return f"{passed[-1].table}/{passed[-1].chain}" if passed else None
