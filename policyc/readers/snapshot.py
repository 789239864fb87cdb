"""A snapshot, the JSON of `policyc snapshot`, becomes a Ruleset with its host. A reader beside `save`, which reads its rules.

Malformed JSON, unknown keys and wrong values are errors at their line and column, all of them at once. The kernel walks the
rules of both kinds of iptables; a Ruleset holds one of them, and a note says so where both have rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from policyc.diagnostics import Diagnostic, InputError, Severity, diagnose
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.quoting import split_words
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.ipset import read_ipsets
from policyc.readers.joining import joined
from policyc.readers.json_places import Path, key_of, place_of, read_json, spelled
from policyc.readers.save import read_save
from policyc.source import Source

if TYPE_CHECKING:
    from policyc.host.set_values import MemberSet
    from policyc.readers.snapshot_model import Snapshot, Texts

BACKENDS = ("nft", "legacy")
_DOES_SOMETHING = re.compile(r"(?:\[\d+:\d+\] )?-A |:\S+ DROP |:\S+ - ")
_INCOMPATIBLE = re.compile(r"# Table `(\S+)' ")


def read_snapshot(source: Source, backend: str | None = None) -> Ruleset:
    """Return the Ruleset of a snapshot, with `host`; `backend` is the kind of iptables whose rules are read, `nft` or `legacy`.

    Without it those are read that do something, nft's where both do. Raises InputError with everything that is wrong.
    """
    from policyc.readers.snapshot_form import snapshot_of
    from policyc.readers.snapshot_host import host_of_snapshot

    snapshot, notes = snapshot_of(read_json(source), source)
    problems: list[Diagnostic] = []
    try:
        sets = read_ipsets(_embedded(source, ("sets",), snapshot.sets))
    except InputError as error:
        sets = {}
        problems += error.diagnostics
    host, wrong, simplified = host_of_snapshot(snapshot, sets, source)
    problems += wrong
    chosen, said = _chosen(snapshot, source, backend)
    ruleset = Ruleset()
    try:
        ruleset = _rules(source, snapshot, chosen)
    except InputError as error:
        problems += error.diagnostics
    if problems:
        raise InputError(problems)
    notes += [*simplified, *said, *_other_tables(snapshot, source, chosen)]
    return replace(ruleset, sets=_ipsets(snapshot.sets, sets), notes=(*ruleset.notes, *notes), host=host)


def _chosen(snapshot: Snapshot, source: Source, backend: str | None) -> tuple[str, list[Diagnostic]]:
    """Return whose rules are read, and what is to be said about the others."""
    texts = {name: found for name in BACKENDS if (found := _texts(snapshot, name)) is not None}
    at_work = [name for name, found in texts.items() if any(map(_DOES_SOMETHING.match, (*found.ipv4, *found.ipv6)))]
    if backend is not None and backend not in texts:
        there = f"it has those of {' and '.join(texts)}" if texts else "it has none at all"
        where = key_of(source, ("iptables",))
        raise InputError([diagnose("bad-host", f"the snapshot has no rules of iptables-{backend}; {there}", where)])
    chosen = backend or next(iter(at_work or texts), "nft")
    others = [name for name in at_work if name != chosen]
    if not others:
        return chosen, []
    message = f"both kinds of iptables have rules, and a packet meets both; only those of iptables-{chosen} are read"
    finding = diagnose(
        "two-backends", message, key_of(source, ("iptables", others[0])), label="these are not",
        help=f"say which is meant: `--rules-of {others[0]}` reads the others; better, move all rules to one of them",
        severity_override=Severity.INFO if backend else None,
    )  # fmt: skip
    return chosen, [finding]


def _texts(snapshot: Snapshot, backend: str) -> Texts | None:
    return snapshot.iptables.nft if backend == "nft" else snapshot.iptables.legacy


def _rules(source: Source, snapshot: Snapshot, backend: str) -> Ruleset:
    """Return the tables of a backend; raises InputError with what cannot be read of both families."""
    found: list[Ruleset] = []
    problems: list[Diagnostic] = []
    texts = _texts(snapshot, backend)
    for family, lines in ((4, texts.ipv4), (6, texts.ipv6)) if texts is not None else ():
        if lines:
            try:
                found.append(read_save(_embedded(source, ("iptables", backend, f"ipv{family}"), lines), family))
            except InputError as error:
                problems += error.diagnostics
    if problems:
        raise InputError(problems)
    return joined(found) if found else Ruleset()


def _embedded(source: Source, path: Path, lines: list[str]) -> Source:
    """Return the text whose lines are the members of a list in a JSON text.

    Where each member has a line of its own there, as `policyc snapshot` writes it, the text's lines have the same numbers and
    its name is that of the JSON; else its name says where in the JSON it stands.
    """
    broken = [number for number, line in enumerate(lines) if "\n" in line or "\r" in line]
    if broken:
        raise InputError([
            diagnose("control-character", f"`{spelled((*path, number))}` holds a line end; each line is a text of its own",
                     place_of(source, (*path, number)))
            for number in broken
        ])  # fmt: skip
    text = "".join(f"{line}\n" for line in lines)
    if not lines:
        return Source(source.name, text)
    first = place_of(source, (*path, 0)).line
    last = source.line(first + len(lines) - 1).strip().removesuffix(",")
    if _is_text(last, lines[-1]) and source.line(first).strip().startswith('"'):
        return Source(source.name, "\n" * (first - 1) + text)
    return Source(f"{source.name} ({spelled(path)})", text)


def _is_text(written: str, text: str) -> bool:
    try:
        return bool(json.loads(written) == text)
    except ValueError:
        return False


def _other_tables(snapshot: Snapshot, source: Source, backend: str) -> Iterator[Diagnostic]:
    """Yield what is to be said of the rules that iptables does not show."""
    if snapshot.nftables:
        names = ", ".join(f"`{name}`" for name in snapshot.nftables)
        where = place_of(source, ("nftables",))
        yield _unseen(f"the nftables tables {names} have rules of their own, which are not read", where)
    texts = _texts(snapshot, "nft") if backend == "nft" else None
    for key, lines in (("ipv4", texts.ipv4), ("ipv6", texts.ipv6)) if texts else ():
        for number, line in enumerate(lines):
            if found := _INCOMPATIBLE.match(line):
                where = place_of(source, ("iptables", backend, key, number))
                yield _unseen(
                    f"the table `{found[1]}` has chains or rules that only `nft` shows; they are not read", where
                )


def _unseen(message: str, where: Any) -> Diagnostic:
    hint = "a packet meets them too: `nft list ruleset` shows them; what is said here holds only as far as they let it pass"
    return diagnose("unseen-rules", message, where, help=hint)


def _ipsets(lines: list[str], sets: dict[str, MemberSet]) -> tuple[IpSet, ...]:
    """Return the sets as a ruleset declares them, with their options and members as `ipset save` spells them."""
    options: dict[str, str] = {}
    members: dict[str, list[str]] = {name: [] for name in sets}
    for line in lines:
        words = split_words(line)
        if not words or words[0][0].startswith("#"):
            continue
        rest = line[words[2][1] :] if len(words) > 2 else ""
        if words[0][0] == "create":
            options[words[1][0]] = line[words[2][2] :].strip()
        elif words[0][0] == "add":
            members[words[1][0]].append(rest)
    return tuple(
        IpSet(name, one.kind, one.family, one.timeout, tuple(members[name]), options=options.get(name, ""))
        for name, one in sets.items()
    )
