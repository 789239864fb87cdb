"""Statements of the policy: recorded once for `show` and for the way back from a kernel rule to its line."""

from __future__ import annotations

from typing import Protocol

from policyc.lowering.draft import Draft
from policyc.netfilter.intent import Statement
from policyc.source import Span


class Stated(Protocol):
    """A rule of a block or an intent."""

    @property
    def id(self) -> str:
        """Its eight letters."""

    @property
    def name(self) -> str:
        """Its name, "" without one."""

    @property
    def span(self) -> Span:
        """Its line."""

    @property
    def description(self) -> str:
        """The comment beside or above it."""


def state(draft: Draft, stated: Stated) -> None:
    """Record a statement."""
    draft.statements[stated.id] = Statement(stated.id, stated.name, stated.span, stated.description)
