"""What may stand where: the verbs of each table, what their packets have been through, and the words that go with them."""

from __future__ import annotations

from policyc.language import words as w
from policyc.netfilter.hooks import Hook

VERBS: dict[str, tuple[str, ...]] = {
    "filter": ("accept", "drop", "reject", "return", "log", "jump"),
    "nat": ("masquerade", "snat", "dnat", "redirect", "accept", "return", "log", "jump"),
    "mangle": ("mark", "save-mark", "restore-mark", "accept", "drop", "return", "log", "jump"),
    "raw": ("drop", "accept", "return", "helper", "log", "jump"),
}

MATCH_WORDS = frozenset(w.WORDS[:14])
"""The words that say which packets are meant. They stand before all others in the canonical order of a tree."""

VERDICTS = frozenset(("accept", "drop", "reject", "return"))
"""The verbs that decide: without services and match they would decide everything, which `otherwise` says."""

BEFORE_ROUTING = frozenset(("dnat", "redirect"))
AFTER_ROUTING = frozenset(("masquerade", "snat"))

NO_ARGUMENT = frozenset((*VERDICTS, *BEFORE_ROUTING, *AFTER_ROUTING))
"""The verbs that stand alone."""

NEEDS_ENDPOINT = frozenset(("dnat", "snat"))
"""The verbs that mean nothing without `becomes`."""

EFFECT_VERBS: dict[type[w.Word], tuple[str, ...]] = {
    w.Becomes: ("dnat", "snat", "redirect", "masquerade"),
    w.Balance: ("dnat", "snat"),
    w.SourcePorts: ("snat", "masquerade"),
    w.With: ("reject",),
    w.Hairpin: (),
    w.Mark: (),
}
"""The words that only some verbs of blocks take."""

INTENT_WORDS: dict[str, tuple[type[w.Word], ...]] = {
    "publish": (w.From, w.To, w.Becomes, w.Hairpin, w.Balance, w.Family, w.As),
    "notrack": (w.From, w.To, w.Family, w.As),
    "synproxy": (w.From, w.To, w.Family, w.As),
    "tproxy": (w.From, w.To, w.Becomes, w.Mark, w.Family, w.As),
    "netmap": (w.Family, w.As),
    "clamp": (w.Family, w.As),
}

NO_INTERFACE: dict[type[w.Word], tuple[frozenset[Hook], str]] = {
    w.In: (frozenset((Hook.OUTPUT, Hook.POSTROUTING)), "an incoming interface"),
    w.Out: (frozenset((Hook.PREROUTING, Hook.INPUT)), "an outgoing interface"),
}
"""Hooks where a rule cannot test an interface, as iptables(8) says."""

NOT_IN_RAW: tuple[type[w.Word], ...] = (w.State, w.Published)
"""Words about connections, which raw comes before."""
