"""The `policy` block: name, families, who owns the tables, base policies, and where our jumps stand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from policyc.diagnostics import Related
from policyc.language import tree as t
from policyc.policy.findings import Findings
from policyc.policy.values import BOTH, Families
from policyc.source import Source, Span

CHAINS = ("input", "forward", "output")


@dataclass(slots=True)
class Header:
    """What the block says, and what holds where it says nothing."""

    name: str
    span: Span
    families: Families = BOTH
    exclusive: bool = False
    place_last: bool = False
    defaults: dict[str, str] = field(default_factory=dict)


def resolve_header(blocks: Sequence[t.PolicyBlock], main: Source, findings: Findings) -> Header:
    """Return the header of a policy that has these blocks, of which one is meant; report the others."""
    if not blocks:
        stem = re.sub(r"[^A-Za-z0-9_]+", "-", PurePath(main.name).stem).strip("-")
        return Header(stem or "policy", Span(main, 0, 0))
    block = blocks[0]
    for other in blocks[1:]:
        related = [Related("the first one stands here", block.head)]
        findings.report("duplicate-name", "a policy has one `policy` block", other.head, related=related)
    header = Header(block.name.text, block.head)
    ownership: t.OwnershipLine | None = None
    default: t.DefaultLine | None = None
    place: t.PlaceLine | None = None
    for line in block.lines:
        match line:
            case t.FamilyLine(families=families):
                header.families = families if families != BOTH else BOTH
            case t.OwnershipLine():
                ownership = line
                header.exclusive = line.exclusive
            case t.DefaultLine():
                default = line
                header.defaults = {one.chain: one.verdict for one in line.defaults}
            case t.PlaceLine():
                place = line
                header.place_last = line.last
    _check_defaults(header, ownership, default, findings)
    if place and header.exclusive:
        message = "`place` is about jumps among the rules of others, and with `ownership exclusive` there are none"
        findings.report("misplaced-word", message, place.span)
    return header


def _check_defaults(
    header: Header, ownership: t.OwnershipLine | None, default: t.DefaultLine | None, findings: Findings
) -> None:
    missing = [chain for chain in CHAINS if chain not in header.defaults]
    if default and not header.exclusive:
        message = "base policies are the host's where the ownership is shared"
        hint = "leave `default` out, or write `ownership exclusive`"
        findings.report("wrong-default", message, default.span, hint)
    elif header.exclusive and missing and ownership:
        message = f"no default for {', '.join(missing)}, which `ownership exclusive` decides"
        span = default.span if default else ownership.span
        findings.report("wrong-default", message, span, "write `default input drop, forward drop, output accept`")
