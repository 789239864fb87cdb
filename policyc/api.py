"""What a Python user imports: every question as a function of a source or a Ruleset. The contract is in docs/api.md.

from policyc import api
print(api.compile("edge.pol", 4))
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from policyc.diagnostics import Diagnostic, InputError
from policyc.netfilter.ruleset import Ruleset
from policyc.source import Source

if TYPE_CHECKING:
    from policyc.analysis.difference import Difference
    from policyc.checks.run import Report
    from policyc.checks.tests import Results
    from policyc.explanation.answer import Explanation
    from policyc.explanation.entry_paths import PublishedPort
    from policyc.explanation.reaching import Reach
    from policyc.host.host import Host
    from policyc.net.headers import Headers

__all__ = [
    "Diagnostic",
    "InputError",
    "Ruleset",
    "check",
    "compile",
    "diff",
    "entry_paths",
    "explain",
    "iptables_save",
    "load",
    "preview",
    "reach",
    "replay",
    "test",
]


def load(source: str | Path, *, family: int | None = None, name: str | None = None) -> Ruleset:
    """Return the Ruleset of a path, or of a text when the string holds a line end; a Path is always a path.

    `family` 4 or 6 decides how a dump is read, `name` is what diagnostics call a text. Of a snapshot, and of `live`, which is
    this host, the Ruleset has a `host`. Raises InputError, whose `.diagnostics` are all problems found; for `live` also
    NotPrivileged and MissingProgram of policyc.kernel.processes.
    """
    return _loaded(source, family, name)


def _loaded(source: str | Path, family: int | None = None, name: str | None = None, *, ids: bool = True) -> Ruleset:
    from policyc.loading import Given, given_at, rulesets_of
    from policyc.readers.kinds import Kind

    kind = Kind.DUMP if family else None
    if isinstance(source, str) and "\n" in source:
        given = [Given(Source(name or "<text>", source), family, kind)]
    else:
        given = given_at(source, family, kind, name)
    found = rulesets_of(given, ids=ids)
    if len(found) != 1:
        from policyc.readers.files import refusal

        raise refusal(str(source), f"`{source}` names {len(found)} policies; load them one by one")
    return found[0]


def check(
    source: str | Path | Ruleset, *, select: Collection[str] | None = None, ignore: Collection[str] | None = None
) -> Report:
    """Return the findings about a source or a Ruleset: `select` and `ignore` are codes or names, None for all and none.

    Raises InputError where the source cannot be read.
    """
    from policyc.checks.run import run_checks

    ruleset = source if isinstance(source, Ruleset) else load(source)
    return run_checks(ruleset, select=select, ignore=ignore)


def compile(  # noqa: A001 - the contract's name; here nothing needs the builtin
    source: str | Path | Ruleset,
    family: int,
    *,
    ids: bool = True,
    jumps: Literal["insert", "keep", "renew"] = "insert",
) -> str:
    """Return the text that iptables-restore (family 4) or ip6tables-restore (6) loads, "" where the family has no tables.

    `ids` False leaves out the comments that lead back to the policy's lines; they are given while a policy is read, so that
    a Ruleset has them or not. `jumps` is about shared policies: insert the jumps to their chains (the first load), keep
    those that are there, or renew them. Raises InputError where the source cannot be read or has errors, ValueError where
    `ids` or `jumps` cannot mean anything.
    """
    from policyc.diagnostics import Severity
    from policyc.writers.loadable import loadable_text
    from policyc.writers.shared import Jumps

    if isinstance(source, Ruleset) and not ids:
        raise ValueError("a Ruleset has its ids already; give the policy to leave them out")
    ruleset = source if isinstance(source, Ruleset) else _loaded(source, ids=ids)
    how = Jumps(jumps)
    if how is not Jumps.INSERT and not ruleset.shared:
        raise ValueError("`jumps` is about shared policies; this source owns its tables")
    from policyc.checks.run import SLOW

    if errors := [found for found in check(ruleset, ignore=SLOW).diagnostics if found.severity is Severity.ERROR]:
        raise InputError(errors)
    return loadable_text(ruleset, family, how)


def iptables_save(ruleset: Ruleset, family: int) -> str:
    """Return the canonical iptables-save text of a family, "" where it has no tables."""
    from policyc.writers.save import iptables_save as write

    return write(ruleset, family)


def reach(
    ruleset: str | Path | Ruleset,
    *,
    packet: str | Headers | Mapping[str, Any] | None = None,
    source: str = "any",
    target: str = "any",
    services: Sequence[str] = (),
    any_packet: bool = False,
    host: Host | Mapping[str, Any] | None = None,
) -> Reach:
    """Return whether packets get from `source` to `target`: `.reachable`, `.exact`, `.because`, `.witness`, `.path`.

    Both are a zone, a name of addresses, an address or network, an interface, `self` or `any`; `services` (`tcp/443`, `ssh`)
    narrow what arrives. It is about first packets of connections; with `any_packet` also about answers and related ones. With
    `packet`, as `explain` takes it, the question is whether that one gets anywhere. `host` is as of `explain`. A witness was
    sent through the simulator; no packet gets there where `.reachable` is False. Raises InputError with all that is wrong.
    """
    from policyc.explanation.between import Between
    from policyc.explanation.reaching import Reaching, of_explained
    from policyc.readers.topology import host_of_topology

    rules = ruleset if isinstance(ruleset, Ruleset) else load(ruleset)
    if packet is not None:
        return of_explained(explain(rules, packet, host=host))
    known = host_of_topology(dict(host)) if isinstance(host, Mapping) else host
    known = known or rules.host
    pairs = Between(rules, known).pairs(source, target, services)
    asked = Reaching(rules, known)
    return asked.arriving_later(pairs) if any_packet else asked.arriving(pairs)


def test(source: str | Path | Ruleset) -> Results:
    """Return the answers to the `test` blocks of a policy: `.packets`, `.proofs`, `.coverage`, `.passed`.

    Raises InputError where the source cannot be read, or a packet must say where it comes in or leaves.
    """
    from policyc.checks.tests import run_tests

    return run_tests(source if isinstance(source, Ruleset) else load(source))


def diff(a: str | Path | Ruleset, b: str | Path | Ruleset) -> Difference:
    """Return which packets meet another fate in `b` than in `a`: `.equal`, `.exact`, `.changes`, `.conditions`.

    Each is a source or a Ruleset. Where one is a shared policy, only its chains and the jumps to them are compared. Raises
    InputError where a source cannot be read; for `live` what `load` raises.
    """
    from policyc.analysis.difference import difference

    return difference(*(each if isinstance(each, Ruleset) else load(each) for each in (a, b)))


def explain(
    source: str | Path | Ruleset,
    packet: str | Headers | Mapping[str, Any],
    *,
    host: Host | Mapping[str, Any] | None = None,
    after: Sequence[str] = (),
) -> Explanation:
    """Return what happens to one packet, step by step; its `to_dict()` is the JSON form of docs/api.md.

    `packet` is a sentence (`tcp 203.0.113.9 -> 198.51.100.1:443 in eth0`), a line of the kernel log, `Headers`, or a packet of
    a recorded case. `host` is where the ruleset runs, a Host or a case's topology; without it, the ruleset's own, or one
    that is assumed from it. `after` are sentences about packets that passed before. Raises InputError with all that is wrong,
    also where a name in the sentence stands for several addresses.
    """
    from policyc.explanation.ask import ask
    from policyc.readers.files import refusal
    from policyc.readers.topology import host_of_topology

    ruleset = source if isinstance(source, Ruleset) else load(source)
    known = host_of_topology(dict(host)) if isinstance(host, Mapping) else host
    found = ask(ruleset, packet, known, after).explanations
    if len(found) > 1:
        raise refusal("PACKET", f"the packet stands for {len(found)} packets; ask about one address of each name")
    return found[0]


def replay(case: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the kernel does with each packet of a recorded case, in order; docs/api.md has both forms.

    Raises InputError where its rules, ipsets or topology cannot be read.
    """
    from policyc.simulation.replay import replay as answers

    return answers(case)


def preview(engine: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None = None) -> Ruleset:
    """Return what a container engine installs: `engine` is `docker@28.5`, any prefix of a release, the newest without one.

    `scenario` is the JSON form of docs/api.md: networks, containers, and the steps that follow; `resolved` is what the engine
    drew (names of bridges, addresses, ports), None where nobody knows. Raises InputError with all that is wrong.
    """
    from policyc.engines.preview import preview as installed

    return installed(engine, scenario, resolved)


def entry_paths(
    engine: str, scenario: Mapping[str, Any], resolved: Mapping[str, Any] | None = None
) -> tuple[PublishedPort, ...]:
    """Return every published port of a scenario of Docker with the ways into it; `to_dict()` is their JSON form.

    Arguments as of `preview`, but `engine` is `docker@…`. Raises InputError with all that is wrong.
    """
    from policyc.explanation.previewed import entry_paths_of

    return entry_paths_of(engine, scenario, resolved)
