"""A measurement, alone or with an earlier one, becomes symptoms. Last step of `doctor` before its report."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from policyc.frozen import frozen
from policyc.observation.doctor.addresses import doubled
from policyc.observation.doctor.counters import COUNTERS, Counted
from policyc.observation.doctor.finding import Level, Symptom
from policyc.observation.doctor.measured import Measurement
from policyc.observation.doctor.settings import SETTINGS


@frozen
class Examination:
    """The symptoms, the worst first. `seconds` is the time between both measurements, None where there is only one.

    `checks` is how many checks there were, `namespaces` how many network namespaces were looked into for addresses.
    """

    symptoms: tuple[Symptom, ...]
    measured: Measurement
    seconds: float | None
    checks: int
    namespaces: int

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "seconds": self.seconds, "symptoms": [symptom.to_dict() for symptom in self.symptoms], "checks": self.checks,
            "namespaces": self.namespaces, "counters": dict(sorted(self.measured.counters.items())),
        }  # fmt: skip


def examine(now: Measurement, before: Measurement | None = None) -> Examination:
    """Return what is wrong; with an earlier measurement of the same namespace, counters are judged by what they grew.

    Alone, a counter that is not 0 is only worth knowing: it may have counted at any time since the machine was started.
    """
    found = [symptom for check in COUNTERS for symptom in _counted(check, now, before)]
    found += [
        Symptom(check.check, check.level, check.title, check.means, check.advice, subject)
        for check in SETTINGS
        for subject in check.look(now)
    ]
    found += doubled(now.seen)
    found.sort(key=lambda one: (-one.level.rank, one.counter != "", -(one.grown or 0)))
    seconds = None if before is None else round(now.at - before.at, 2)
    namespaces = len({one.namespace for one in now.seen})
    return Examination(tuple(found), now, seconds, len(COUNTERS) + len(SETTINGS) + 1, namespaces)


def _counted(check: Counted, now: Measurement, before: Measurement | None) -> Iterator[Symptom]:
    for name in _names(check.counter, now):
        value = now.counters[name]
        grown = None if before is None else value - before.counters.get(name, 0)
        if not (value if grown is None else grown > 0):
            continue
        level = Level.INFO if grown is None else Level.ERROR if check.loses else Level.WARNING
        if check.everywhere and level is Level.ERROR:
            level = Level.WARNING  # it may have been another namespace's packet
        symptom = Symptom(check.check, level, check.title, check.means, check.advice, "", name, value, grown)
        yield replace(symptom, subject="of the whole machine") if check.everywhere else symptom


def _names(pattern: str, measured: Measurement) -> list[str]:
    if "*" not in pattern:
        return [pattern] if pattern in measured.counters else []
    fitting = re.compile(re.escape(pattern).replace(r"\*", ".+"))
    return sorted(name for name in measured.counters if fitting.fullmatch(name))
