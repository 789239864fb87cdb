"""What `check` hands to a format: the findings with what they were found in, ready to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from policyc.diagnostics import Diagnostic
from policyc.frozen import frozen


@frozen
class Answer:
    """`files` are the names of the sources asked about; `exactness` counts rules, None where nothing could be read.

    `complete` is False where the input was invalid, so that the findings are its errors and no more was asked.
    """

    diagnostics: tuple[Diagnostic, ...]
    files: tuple[str, ...] = ()
    exactness: Mapping[str, int] | None = None
    complete: bool = field(default=True)
