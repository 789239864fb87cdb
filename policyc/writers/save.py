"""Ruleset to iptables-save text: what `iptables-restore` loads, in the canonical order and spelling of iptables 1.8.9."""

from __future__ import annotations

from policyc.netfilter.hooks import BASE_CHAINS
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.ruleset import Chain, Ruleset, Table


def iptables_save(ruleset: Ruleset, family: int, *, counters: bool = False) -> str:
    """Return the canonical text of a family's tables, "" where it has none; `counters` writes each rule's `[packets:bytes]`.

    A shared ruleset comes as text for `--noflush` that inserts the jumps to our chains; `writers.shared` has the others.
    """
    if ruleset.shared:
        from policyc.writers.shared import Jumps, shared_text

        return shared_text(ruleset, family, Jumps.INSERT)
    return "".join(table_text(table, counters=counters) for table in ruleset.family(family))


def table_text(table: Table, *, counters: bool = False) -> str:
    """Return one table from `*name` to `COMMIT`."""
    lines = [f"*{table.name}"]
    chains = sorted(table.chains, key=lambda chain: _order(table.name, chain))
    lines.extend(_declaration(table.name, chain) for chain in chains)
    for chain in chains:
        head = f"-A {quote_word(chain.name)} "
        if counters:
            for rule in chain.rules:
                count = rule.counters or (0, 0)
                lines.append(f"[{count[0]}:{count[1]}] {head}{rule.text}".rstrip())
        else:
            lines.extend([(head + " ".join([part.text for part in rule.parts])).rstrip() for rule in chain.rules])
    lines.append("COMMIT\n")
    return "\n".join(lines)


def _order(table: str, chain: Chain) -> int:
    base = BASE_CHAINS.get(table, ())
    return base.index(chain.name) if chain.name in base else len(base)


def _declaration(table: str, chain: Chain) -> str:
    base = chain.name in BASE_CHAINS.get(table, ())
    packets, size = chain.counters or (0, 0)
    policy = (chain.policy or "ACCEPT") if base else "-"
    return f":{quote_word(chain.name)} {policy} [{packets}:{size}]"
