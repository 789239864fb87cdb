"""The JSON contract: what scripts rely on. `format_version` counts up its minor part when keys are added.

Everything beyond ASCII is escaped, so that the bytes are the same whatever the terminal's encoding.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policyc import FORMAT_VERSION
from policyc.report.answer import Answer
from policyc.report.summary import counts, exactness_counts


def check_json(answer: Answer) -> str:
    """Return the answer of `check --format json`."""
    return json_text(
        {
            "diagnostics": [diagnostic.to_dict() for diagnostic in answer.diagnostics],
            "exactness": exactness_counts(answer.exactness),
            "summary": counts(answer.diagnostics),
        }
    )


def json_text(value: Mapping[str, Any]) -> str:
    """Return a JSON object that begins with `format_version`, with a line end."""
    return json.dumps({"format_version": FORMAT_VERSION, **value}, indent=2) + "\n"
