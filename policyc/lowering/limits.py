"""Third pass: who asks which limit, because one that several lines ask needs a counter with a name."""

from __future__ import annotations

from policyc.diagnostics import Related
from policyc.lowering.draft import Draft
from policyc.policy.defined import Limit
from policyc.policy.model import Block, Rule


def limits(draft: Draft) -> None:
    """Count the uses of each limit; warn of connections that are counted once under a limit and once above it."""
    under: dict[Limit, Rule] = {}
    above: dict[Limit, Rule] = {}
    for item in draft.policy.items:
        if not isinstance(item, Block):
            continue
        for rule in item.rules:
            for limit, seen in ((rule.matches.limit, under), (rule.matches.over, above)):
                if limit:
                    seen.setdefault(limit, rule)
                    draft.limit_uses[limit.name] += len(item.pairs)
    for limit, rule in under.items():
        if limit.connections is not None and limit in above:
            message = f"`limit {limit.name}` and `over {limit.name}` count connections apart, each those that it sees"
            related = (Related("the other count is here", rule.span),)
            hint = "let one rule decide what is over the limit, and the rules behind it the rest"
            draft.report("separate-counts", message, above[limit].span, related=related, help=hint)
