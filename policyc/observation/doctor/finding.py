"""What `doctor` finds: one symptom with what it means and what to do about it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from policyc.frozen import frozen


class Level(Enum):
    """How bad a symptom is: packets are lost now, packets may be lost, only worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """A number that grows with how bad it is."""
        return ("info", "warning", "error").index(self.value)


@frozen
class Symptom:
    """`subject` says what of the host it is about. `counter` is a counter's name, with `value` and how much it has `grown`.

    `counter` is "" for what is no counter; `grown` is None where nothing was compared.
    """

    check: str
    level: Level
    title: str
    means: str
    advice: str
    subject: str = ""
    counter: str = ""
    value: int | None = None
    grown: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return its JSON form."""
        return {
            "check": self.check, "level": self.level.value, "title": self.title, "subject": self.subject or None,
            "counter": self.counter or None, "value": self.value, "grown": self.grown, "means": self.means,
            "advice": self.advice,
        }  # fmt: skip
