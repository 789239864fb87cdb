"""SOURCE to Ruleset: files are read, told apart by content and handed to their reader. `policyc.api` and the commands ask.

Several dumps become one Ruleset; every policy file is one of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from policyc.config import FILE, display, read_config
from policyc.diagnostics import Diagnostic, InputError
from policyc.netfilter.ruleset import Ruleset
from policyc.readers.files import read_file, refusal
from policyc.readers.kinds import Kind, kind_of
from policyc.source import Source

LIVE = "live"
"""The word that stands for the running kernel where a path is expected; a file of that name is `./live`."""


class Given(NamedTuple):
    """A text to read: `family` 4 or 6 where the user said it, `kind` where `--as` did.

    `backend` is the kind of iptables whose rules are read of a snapshot, `nft` or `legacy`, where the user said it.
    """

    source: Source
    family: int | None = None
    kind: Kind | None = None
    backend: str | None = None


def given_at(
    path: str | Path, family: int | None = None, kind: Kind | None = None, name: str | None = None
) -> list[Given]:
    """Return the texts at a path: of a file its own, of a folder those that its policyc.toml names.

    `name` is what diagnostics call the file. Raises InputError; for `live` policyc.kernel's NotPrivileged and MissingProgram.
    """
    if path == LIVE:
        from policyc.kernel.snapshot import take

        return [Given(Source(LIVE, take()), None, Kind.SNAPSHOT)]
    place = Path(path)
    try:
        is_folder = place.is_dir()
    except ValueError:  # a NUL in the path; the reader says so
        is_folder = False
    if not is_folder:
        return [Given(read_file(place, name or str(path)), family, kind)]
    if not (place / FILE).is_file():
        raise refusal(str(path), f"`{path}` is a folder without `{FILE}`", f"name its files, or put `{FILE}` into it")
    return [Given(read_file(item, display(item)), family, kind) for item in read_config(place / FILE).files()]


def rulesets_of(given: Iterable[Given], *, ids: bool = True) -> tuple[Ruleset, ...]:
    """Return the Rulesets of texts: all dumps together are one, in the place of the first; `ids` False leaves comments out.

    Raises InputError with the errors of all texts.
    """
    found: list[Ruleset] = []
    dumps: list[Ruleset] = []
    problems: list[Diagnostic] = []
    at: int | None = None
    for item in given:
        try:
            kind = item.kind or kind_of(item.source)
            if kind is Kind.DUMP:
                at = len(found) if at is None else at
                dumps.append(_dump(item))
            elif kind is Kind.POLICY:
                found.append(_policy(item.source, ids=ids))
            else:
                found.append(_snapshot(item))
        except InputError as error:
            problems.extend(error.diagnostics)
    if problems:
        raise InputError(problems)
    return (*found[:at], _joined(dumps), *found[at:]) if at is not None else tuple(found)


def _dump(item: Given) -> Ruleset:
    from policyc.readers.save import read_save

    return read_save(item.source, item.family)


def _snapshot(item: Given) -> Ruleset:
    from policyc.readers.snapshot import read_snapshot

    return read_snapshot(item.source, item.backend)


def _joined(dumps: Sequence[Ruleset]) -> Ruleset:
    from policyc.readers.joining import joined

    return joined(dumps)


def _policy(source: Source, *, ids: bool) -> Ruleset:
    from policyc.lowering import lower_source

    return lower_source(source, ids=ids)
