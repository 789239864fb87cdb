"""Tables of lines back to the text of iptables-save, beside `save`, which writes rules that were understood."""

from __future__ import annotations

from policyc.netfilter.goal import base_chains
from policyc.netfilter.quoting import quote_word
from policyc.netfilter.saved import Saved, SavedTable


def saved_text(saved: Saved, family: int) -> str:
    """Return the text of a family's tables, "" where it has none."""
    return "".join(_table(table) for key, table in sorted(saved.items()) if key[0] == family)


def _table(table: SavedTable) -> str:
    names = [*(name for name in base_chains(table.name) if name in table.chains)]
    names += [name for name in table.chains if name not in names]
    lines = [f"*{table.name}", *(f":{quote_word(name)} {table.chains[name].policy or '-'} [0:0]" for name in names)]
    lines += [f"-A {quote_word(name)} {rule}".rstrip() for name in names for rule in table.chains[name].rules]
    return "\n".join((*lines, "COMMIT\n"))
