"""What `policyc preview` says beyond the rules: the entry paths of published ports, and what will change on a host."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from policyc.cli.exit import Exit
from policyc.cli.output import style_for
from policyc.frozen import frozen
from policyc.netfilter.ipset import IpSet
from policyc.netfilter.ruleset import Ruleset

if TYPE_CHECKING:
    from policyc.cli.preview import Installed
    from policyc.host.host import Host

_DOCKER = frozenset({"docker", "compose"})


@frozen
class Wanted:
    """What is wanted: `explained` the entry paths, `compared` what changes; `form` None is the usual one for people."""

    explained: bool
    compared: bool
    form: str | None
    family: str | None

    @property
    def is_question(self) -> bool:
        """Whether it is anything else than the rules."""
        return self.explained or self.compared


def asked_for(wanted: Wanted, word: str, *, on_host: bool) -> None:
    """Raise UsageError for what is not to be had together, or not of the engine that the first word is about."""
    if wanted.explained and wanted.compared:
        raise click.UsageError("--explain and --diff are two questions: ask one of them")
    if wanted.is_question and wanted.form not in {None, "json"}:
        raise click.UsageError(f"--explain and --diff are for people, or --format json, not {wanted.form}")
    if wanted.form == "json" and not wanted.is_question:
        raise click.UsageError("--format json is about --explain and --diff; rules are text")
    if (wanted.is_question or on_host) and word not in _DOCKER:
        raise click.UsageError(f"--explain, --diff, --on and --host are about Docker, not about `preview {word}`")


def host_and_rules(host_file: str | None, sources: Sequence[str]) -> tuple[Host | None, Ruleset | None]:
    """Return the host that was named, else that of a snapshot, and the rules that stand there. Raises InputError."""
    before = None
    if sources:
        from policyc.cli.options import Asked, one_ruleset
        from policyc.config import Config

        before = one_ruleset(Asked(tuple(sources), (), None, None).given(Config()))
    if host_file is not None:
        from policyc.cli.question import host_in

        return host_in(host_file), before
    return None if before is None else before.host, before


def answer_to(wanted: Wanted, installed: Installed, before: Ruleset | None) -> tuple[str, int]:
    """Return the answer as text, and the exit code: 1 where something changes, as of every comparison."""
    if wanted.compared:
        assert before is not None, "--diff names what is compared with"
        return _difference(wanted, before, installed.ruleset)
    return _paths(wanted, installed), Exit.FINE


def _paths(wanted: Wanted, installed: Installed) -> str:
    from policyc.explanation.connecting import World
    from policyc.explanation.entry_paths import entry_paths

    around, host = installed.around, installed.ruleset.host
    assert around is not None, "only engines that say it come so far"
    assert host is not None, "a preview of Docker has its host"
    if installed.nft:
        raise click.UsageError("entry paths are followed through rules of iptables; this daemon uses nftables")
    ports = entry_paths(World(installed.ruleset, host, around))
    if wanted.family is not None:
        ports = tuple(one for one in ports if one.publication.outer.family == int(wanted.family))
    modes = installed.modes or {}
    if wanted.form == "json":
        from policyc.engines.docker.network_modes import MODES
        from policyc.report.json import json_text

        rows = [one.to_dict(modes.get(one.name, ())) for one in MODES]
        said = list(around.assumptions)
        return json_text({"ports": [one.to_dict() for one in ports], "modes": rows, "assumptions": said})
    from policyc.report.entry_paths_text import entry_paths_text
    from policyc.report.network_modes_text import modes_text

    style = style_for(sys.stdout, "auto")
    return entry_paths_text(ports, around.assumptions, style) + "\n" + modes_text(modes, style)


def _difference(wanted: Wanted, before: Ruleset, after: Ruleset) -> tuple[str, int]:
    from policyc.netfilter.ruleset_changes import changes

    # A dump of one family says nothing about the other; a snapshot has both.
    families = (4, 6) if before.host is not None else before.families or (4, 6)
    if wanted.family is not None:
        families = (int(wanted.family),)
    was, now = (
        replace(one, tables=tuple(table for table in one.tables if table.family in families)) for one in (before, after)
    )
    found = changes(was, replace(now, sets=(*_kept(before, after), *after.sets)))
    code = Exit.BAD_NEWS if found else Exit.FINE
    if wanted.form == "json":
        from policyc.report.json import json_text

        notes = [one.to_dict() for one in after.notes]
        return json_text({**found.to_dict(), "diagnostics": notes}), code
    from policyc.report.changes_text import changes_text

    return changes_text(found, style_for(sys.stdout, "auto")), code


def _kept(before: Ruleset, after: Ruleset) -> tuple[IpSet, ...]:
    """Return the sets of the host that the engine leaves alone."""
    names = {one.name for one in after.sets}
    return tuple(one for one in before.sets if one.name not in names)
