"""The presets of policyc, written in its own language: what `use` may name besides the policy's own `define`s.

A preset says something else in each hook. Its rules leave out what the policy or a pair has no family for.
"""

from __future__ import annotations

from functools import cache

from policyc.language.rules import Rule
from policyc.language.tree import RuleBlock
from policyc.netfilter.hooks import Hook
from policyc.source import Source

_BASELINE = {
    # The order matters: what is known to be wanted first, then what conntrack cannot make sense of. Neighbour discovery
    # and multicast listener packets are untracked (never invalid, never established), so they need rules of their own.
    Hook.INPUT: """\
accept in lo as lo                               # this host talks to itself
accept state established, related as replies     # answers to what was accepted before
accept icmp-errors as icmp-errors                # path MTU discovery and unreachable destinations
accept ping as ping
accept nd as nd                                  # without it IPv6 neighbours do not find each other
accept mld as mld                                # and switches forget the groups that nd needs
drop state invalid as invalid
""",
    Hook.FORWARD: """\
accept state established, related as replies     # answers to what was accepted before, ICMP errors among them
drop state invalid as invalid
""",
    Hook.OUTPUT: """\
accept out lo as lo                              # this host talks to itself
accept state established, related as replies     # answers to what was accepted before
accept nd as nd                                  # without it IPv6 neighbours do not find each other
accept mld as mld                                # and switches forget the groups that nd needs
""",
}

PRESETS: dict[str, dict[Hook, str]] = {"baseline": _BASELINE}


def _source_name(name: str, hook: Hook) -> str:
    return f"{name} ({hook.value})"


def is_preset(source: Source) -> bool:
    """Whether a source is the text of a preset, no file of a user."""
    return any(source.name == _source_name(name, hook) for name, hooks in PRESETS.items() for hook in hooks)


@cache
def preset_rules(name: str, hook: Hook) -> tuple[Rule, ...]:
    """Return the rules of a preset in a hook of filter."""
    from policyc.language.parser import parse  # lark is loaded for policies only

    source = Source(_source_name(name, hook), f"filter any -> any {{\n{PRESETS[name][hook]}}}\n")
    file, problems = parse(source)
    assert not problems, problems
    return tuple(
        line
        for block in file.statements
        if isinstance(block, RuleBlock)
        for line in block.lines
        if isinstance(line, Rule)
    )
