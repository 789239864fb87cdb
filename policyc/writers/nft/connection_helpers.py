"""`CT --helper`: in iptables the table raw names the helper before the connection is known, in nft it is given to the connection.

So the chains of raw are written twice where they name helpers: as they stand, and behind connection tracking, where a copy
of their tests gives helpers and does nothing else. Used by `text`.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.diagnostics import Diagnostic, diagnose
from policyc.diagnostics.diagnostic import Place
from policyc.netfilter import fields
from policyc.netfilter.effect import Assign, Track
from policyc.netfilter.parts import Target, Unknown
from policyc.netfilter.predicate import Bits, In, May, nodes
from policyc.netfilter.rule import Rule
from policyc.netfilter.ruleset import Table
from policyc.writers.nft.rules import NO_FORM

HELPERS = "helpers"
BEHIND_TRACKING = -180  # connection tracking is at -200, mangle at -150


def _tracks(rule: Rule, family: int) -> Iterator[Track]:
    target = rule.target
    if target is not None:
        yield from (effect for effect in target.effects(rule.around(family)) if isinstance(effect, Track))


def gives_helpers(table: Table) -> bool:
    """Whether a rule of the table names a helper."""
    return any(
        track.helper for chain in table.chains for rule in chain.rules for track in _tracks(rule, table.family)
    )  # fmt: skip


def unfit_for_helpers(table: Table) -> Iterator[Diagnostic]:
    """Yield a finding for each rule whose copy would say something else behind connection tracking than before it."""
    for chain in table.chains:
        for number, rule in enumerate(chain.rules, 1):
            why = next(_reasons(rule, table.family), "")
            if why:
                place = Place(table.family, table.name, chain.name, number)
                message = f"nftables has no form for {why} beside `CT --helper` in the table raw"
                yield diagnose(
                    NO_FORM, message, rule.span, place=place, help="helpers are given behind connection tracking there"
                )


def _reasons(rule: Rule, family: int) -> Iterator[str]:
    around = rule.around(family)
    for part in rule.parts:
        if isinstance(part, Target):
            effects = part.effects(around)
            if any(isinstance(effect, Assign) for effect in effects):
                yield "a change of marks"
            if any(isinstance(effect, Track) and effect.zone for effect in effects):
                yield "`CT --zone`"
        elif not isinstance(part, Unknown):
            for node in nodes(part.meaning(around)):
                if isinstance(node, May):
                    yield "a match that counts"
                elif (
                    isinstance(node, In | Bits)
                    and node.field.name.startswith("ct.")
                    and node.field is not fields.CT_LABEL
                ):
                    yield "a test of the connection"
