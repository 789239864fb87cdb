"""A measurement in a file, to compare with a later one: `doctor --save` and `--before`. Only what is compared is kept."""

from __future__ import annotations

import json
from typing import Any

from policyc.observation.doctor.measured import Measurement
from policyc.readers.files import refusal
from policyc.source import Source

FORMAT_VERSION = "1.0"
_MAKE_ONE = "make one with `policyc doctor --save FILE`"


def saved_text(measured: Measurement) -> str:
    """Return the file's text: the same measurement gives the same bytes."""
    found = {
        "format_version": FORMAT_VERSION, "boot": measured.boot, "namespace": measured.namespace, "at": measured.at,
        "counters": dict(sorted(measured.counters.items())),
    }  # fmt: skip
    return json.dumps(found, indent=2) + "\n"


def read_saved(source: Source) -> Measurement:
    """Return the measurement in a file; raises InputError where it holds none."""
    try:
        value: Any = json.loads(source.text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not _is_measurement(value):
        raise refusal(source.name, f"`{source.name}` is no measurement of `policyc doctor`", _MAKE_ONE)
    if str(value["format_version"]).partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
        raise refusal(source.name, f"`{source.name}` has a format of version {value['format_version']}", _MAKE_ONE)
    return Measurement(value["boot"], value["namespace"], float(value["at"]), value["counters"])


def _is_measurement(value: dict[str, Any]) -> bool:
    counters = value.get("counters")
    return (
        isinstance(value.get("format_version"), str)
        and isinstance(value.get("boot"), str)
        and type(value.get("namespace")) is int
        and type(value.get("at")) in {int, float}
        and isinstance(counters, dict)
        and all(type(number) is int for number in counters.values())
    )


def comparable(before: Measurement, now: Measurement, name: str) -> None:
    """Raise InputError where two measurements have not counted from the same start: the machine or the namespace is another."""
    if before.boot != now.boot:
        raise refusal(
            name, f"`{name}` was measured before this machine was last started; its counters began again", _MAKE_ONE
        )
    if before.namespace != now.namespace:
        raise refusal(name, f"`{name}` was measured in another network namespace", _MAKE_ONE)
