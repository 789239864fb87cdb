"""The JSON answers of `preview --explain` and `preview --diff` as pydantic models. Used by `schemas`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from policyc.report.explain_schema import ExplainedPlace
from policyc.report.schema_parts import Answer, Finding, Model

Family = Literal[4, 6]


class TriedPath(Model):
    """A way into a published port; source is the address that the server sees, null where it sees nobody."""

    path: Literal[
        "outside", "outside-direct", "outside-loopback", "host", "host-loopback", "host-direct", "same-network",
        "same-network-direct", "other-network", "other-network-direct", "itself",
    ]  # fmt: skip
    client: str
    target: str
    outcome: Literal["open", "closed", "hangs", "refused", "timeout", "unreachable", "unknown"]
    source: str | None
    destination_translated_by: ExplainedPlace | None
    source_translated_by: ExplainedPlace | None
    bridge: str | None
    proxy: str | None
    stopped_by: ExplainedPlace | None
    because: str | None
    assumptions: list[str]


class PublishedPort(Model):
    """A published port with the ways in; proxy is the program that listens on it, null where none does."""

    container: str
    network: str
    protocol: str
    published: str
    leads_to: str
    proxy: str | None
    paths: list[TriedPath]


class NetworkMode(Model):
    """A way for a container to be on the network, the host's hooks that see its traffic, the containers that are in it."""

    mode: str
    hooks_in: list[str]
    hooks_out: list[str]
    publishes: str
    server_sees: str
    remark: str
    containers: list[str]


class PathsAnswer(Answer):
    """`policyc preview … --explain --format json`."""

    ports: list[PublishedPort]
    modes: list[NetworkMode]
    assumptions: list[str]


class ChangedRule(Model):
    """A rule with its numbers in its chain, null where it is not there."""

    change: Literal["added", "removed", "moved"]
    rule: str
    owner: str | None
    number_before: int | None
    number_after: int | None


class ChangedChain(Model):
    """A chain that differs; policy is before and after, null where it stays."""

    family: Family
    table: str
    chain: str
    owner: str | None
    change: Literal["added", "removed", "changed"]
    policy: list[str] | None = Field(min_length=2, max_length=2)
    rules: list[ChangedRule]


class ChangedSet(Model):
    """A set that differs, with the members that come and go."""

    set: str
    kind: str
    change: Literal["added", "removed", "changed"]
    added: list[str]
    removed: list[str]


class DifferenceAnswer(Answer):
    """`policyc preview … --diff SOURCE --format json`; diagnostics say which names stand in for drawn ones."""

    chains: list[ChangedChain]
    sets: list[ChangedSet]
    diagnostics: list[Finding]
