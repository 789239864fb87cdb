"""A rule on its way into a block: the line, what its names mean there, and the calls it came by."""

from __future__ import annotations

from collections.abc import Mapping

from policyc.frozen import frozen
from policyc.language.rules import Rule
from policyc.netfilter.hooks import Hook
from policyc.policy.model import Call
from policyc.policy.namespace import Parameter


@frozen
class Line:
    """One rule of a block after every `use` was opened.

    `hooks` limits a preset's rule to pairs of that hook. A preset's rule is `lenient`: where a pair lacks its family, the
    pair does without it. `text` are the calls as written, for the id.
    """

    rule: Rule
    scope: Mapping[str, Parameter]
    call: Call | None
    text: str
    hooks: tuple[Hook, ...] = ()
    lenient: bool = False
