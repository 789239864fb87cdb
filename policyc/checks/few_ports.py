"""few-ports: a translation of many senders that has too few ports to give each connection its own.

A port is taken until its connection is forgotten, 120 seconds behind the end of a TCP connection; measured, with two ports the
third connection to a server hangs.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.checks.survey import Survey
from policyc.checks.translations import translations
from policyc.diagnostics import Diagnostic, diagnose
from policyc.netfilter import fields
from policyc.netfilter.hooks import Hook

ENOUGH = 512


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield the translations of sources to fewer ports; one port for one sender is meant so."""
    for name in ("MASQUERADE", "SNAT"):
        for one in translations(survey, name, Hook.POSTROUTING):
            ports = one.rewrite.ports
            if ports is None or fields.SPORT in survey.tested(one.standing):
                continue
            addresses = 1 if one.rewrite.addresses is None else one.rewrite.addresses.size
            count = ports.size * addresses
            if count < ENOUGH:
                yield diagnose(
                    "few-ports", f"only {count} connections to one server fit at a time, and a port is kept for two minutes",
                    one.standing.span, place=one.standing.place, help="give a larger range, or more addresses",
                )  # fmt: skip
