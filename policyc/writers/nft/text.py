"""A Ruleset to native nftables: one text for `nft -f`, a table `policyc` for each family, replaced as one transaction.

The meaning of the rules is translated, not their text: predicates to expressions, effects to statements. The chains have the
hooks and priorities of iptables' own tables, so that connection tracking and translations stand where they stand there.
docs/nft.md says what is done how, and what has no form.
"""

from __future__ import annotations

from collections.abc import Iterator

from policyc.diagnostics import Diagnostic, InputError, Severity, diagnose
from policyc.diagnostics.diagnostic import Place
from policyc.frozen import frozen
from policyc.host.set_values import MemberSet
from policyc.netfilter.hooks import HOOK_OF, VISITS, is_base_chain
from policyc.netfilter.jumps import FOREIGN_HOOKS
from policyc.netfilter.ruleset import Chain, Ruleset, Table
from policyc.readers.ipset import member_set
from policyc.writers.nft.conditions import NoForm
from policyc.writers.nft.connection_helpers import BEHIND_TRACKING, HELPERS, gives_helpers, unfit_for_helpers
from policyc.writers.nft.counting import Shared
from policyc.writers.nft.declared import Declared
from policyc.writers.nft.layout import Layout
from policyc.writers.nft.predicates import Conditions
from policyc.writers.nft.rules import DIFFERS, NO_FORM, TableWriter
from policyc.writers.nft.set_tests import Sets
from policyc.writers.nft.statements import Statements

NAME = "policyc"
FAMILIES = {4: "ip", 6: "ip6"}


@frozen
class Translation:
    """The text, and what was found: errors for what has no form, warnings for what is not quite the same."""

    text: str
    findings: tuple[Diagnostic, ...] = ()


def nft_text(ruleset: Ruleset, family: int | None = None) -> str:
    """Return what `nft -f` loads for one family or for all that the ruleset has, "" where there are no tables.

    Raises InputError with every rule that nftables has no form for.
    """
    made = nft_translation(ruleset, family)
    if errors := [found for found in made.findings if found.severity is Severity.ERROR]:
        raise InputError(errors)
    return made.text


def nft_translation(ruleset: Ruleset, family: int | None = None) -> Translation:
    """Return the text with its findings; where there are errors the text is not whole."""
    texts, findings = [], []
    for each in ruleset.families if family is None else (family,):
        tables = ruleset.family(each)
        if tables:
            text, found = _Family(ruleset, each, tables).write()
            texts.append(text)
            findings += found
    if ruleset.shared and texts:
        findings += _not_the_last_word(ruleset)
    heading = "# by policyc, for nft -f\n" if texts else ""
    once = {(found.code, found.span, found.message): found for found in reversed(findings)}
    return Translation(heading + "\n".join(texts), tuple(sorted(once.values(), key=lambda found: found.sort_key)))


class _Family:
    """One family's table."""

    def __init__(self, ruleset: Ruleset, family: int, tables: tuple[Table, ...]) -> None:
        self.ruleset, self.family, self.tables = ruleset, family, tables
        self.declared = Declared(family)
        self.sets = Sets(_members(ruleset, family), _filled(tables), self.declared)
        self.conditions = Conditions(self.declared, Shared.of(ruleset, family), self.sets)
        self.layout = Layout()
        self.findings: list[Diagnostic] = []

    def write(self) -> tuple[str, list[Diagnostic]]:
        """Return the table's text and what was found."""
        for table in self.tables:
            self._write(table, Statements(self.declared, self.sets, table.name))
            if table.name == "raw" and gives_helpers(table):
                self.findings += unfit_for_helpers(table)
                self._write(table, Statements(self.declared, self.sets, HELPERS, helpers=True))
        self._declare_sets()
        name = f"table {FAMILIES[self.family]} {NAME}"
        lines = [name, f"delete {name}", f"{name} {{", *self._inside(), "}", ""]
        return "\n".join(lines), self.findings

    def _write(self, table: Table, statements: Statements) -> None:
        writer = TableWriter(table, self.conditions, statements, self.layout)
        for chain in table.chains:
            hook = _hook(table, chain, statements)
            if chain.owner and not hook:
                self.findings += _foreign(chain)
                continue
            writer.chain(chain, hook)
        if not statements.helpers:
            self.findings += writer.findings

    def _declare_sets(self) -> None:
        """Declare the policy's sets that no rule asks, too: their members come and go at run time."""
        for one in self.ruleset.sets:
            if not one.owner and one.serves(self.family) and (found := self.sets.members.get(one.name)) is not None:
                try:
                    self.sets.reference(found)
                except NoForm as error:
                    self.findings.append(diagnose(NO_FORM, f"nftables has no form for {error}", one.span))

    def _inside(self) -> Iterator[str]:
        blocks: list[tuple[str, list[str]]] = [
            *((name, lines) for name, lines in self.declared.objects.items()),
            *((f"set {name}", lines) for name, lines in self.declared.sets.items()),
            *((f"chain {name}", lines) for name, lines in self.declared.chains.items()),
            *((f"chain {name}", lines) for name, lines in self.layout.chains.items()),
        ]
        for number, (name, lines) in enumerate(blocks):
            if number:
                yield ""
            yield f"  {name} {{"
            yield from (f"    {line}" for line in lines)
            yield "  }"


def _not_the_last_word(ruleset: Ruleset) -> Iterator[Diagnostic]:
    """Yield the finding that others still judge what a shared policy accepts, at its first rule that accepts."""
    for table, chain, number, rule in ruleset.rules():
        if table.name == "filter" and not rule.owner and rule.target is not None and rule.target.name == "ACCEPT":
            yield diagnose(
                DIFFERS, "what a shared policy accepts in nftables may still be dropped by the rules of others", rule.span,
                place=Place(table.family, table.name, chain.name, number), severity_override=Severity.WARNING,
                help="in a table of its own an accept ends that table only; in iptables it ends the chain that both share",
            )  # fmt: skip
            return


def _hook(table: Table, chain: Chain, statements: Statements) -> str:
    """Return the first line of a base chain, "" for the others.

    A chain that another tool enters, which our rules stand in, is a base chain here: nobody else would enter it.
    """
    hook = HOOK_OF.get(chain.name) if is_base_chain(table.name, chain.name) else None
    if chain.owner:
        hook = FOREIGN_HOOKS.get((table.name, chain.name))
    if hook is None:
        return ""
    stage = next(visit.priority for visit in VISITS if visit.hook is hook and visit.stage == table.name)
    priority = BEHIND_TRACKING if statements.helpers else stage
    kind = "nat" if table.name == "nat" else "route" if (table.name, chain.name) == ("mangle", "OUTPUT") else "filter"
    policy = "accept" if statements.helpers or chain.owner else (chain.policy or "ACCEPT").lower()
    return f"type {kind} hook {hook.value.lower()} priority {priority}; policy {policy};"


def _members(ruleset: Ruleset, family: int) -> dict[str, MemberSet]:
    """Return the sets whose members are known: of the host, and those that the policy declares."""
    known = dict(ruleset.host.sets) if ruleset.host is not None else {}
    for one in ruleset.sets:
        if not one.owner and one.name not in known and one.serves(family):
            known[one.name] = member_set(one)
    return known


def _filled(tables: tuple[Table, ...]) -> frozenset[str]:
    """Return the names of the sets that SET targets change."""
    found = set()
    for table in tables:
        for chain in table.chains:
            for rule in chain.rules:
                if rule.target is not None and rule.target.name == "SET":
                    for name in ("add-set", "del-set"):
                        if name in rule.target.options:
                            found.add(str(rule.target.options[name][0]))
    return frozenset(found)


def _foreign(chain: Chain) -> Iterator[Diagnostic]:
    """Yield the finding that a chain of another tool cannot hold a jump of nft's."""
    for rule in chain.rules:
        if not rule.owner:
            yield diagnose(
                NO_FORM, f"nftables has no form for a rule in `{chain.name}`, a chain of {chain.owner}", rule.span or chain.span,
                help="tables of nft cannot reach into those of iptables; compile for iptables",
            )  # fmt: skip
