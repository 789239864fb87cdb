"""Build hook: the grammar's finished tables travel in the wheel, because building them costs more than a small check."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GrammarTables(BuildHookInterface[Any]):
    """Writes `policyc/language/grammar.tables` before a wheel or an editable install is made."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's signature
        """Write the tables and let them into the wheel, though git does not track them."""
        sys.path.insert(0, self.root)
        from policyc.language.tables import write_tables

        write_tables(Path(self.root, "policyc/language/grammar.tables"))
        build_data["artifacts"].append("policyc/language/grammar.tables")
