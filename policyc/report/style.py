"""Colour and alphabet of what is printed for people: decided once from the terminal, asked by every format.

Meaning never rests on colour alone. The escape sequences are the eight colours that every terminal has (ECMA-48, SGR).
"""

from __future__ import annotations

from collections.abc import Mapping

from policyc.frozen import frozen
from policyc.report.printable import printable, to_ascii

_SGR = {
    "error": "1;31", "warning": "1;33", "info": "1;36", "bold": "1", "faint": "2", "gutter": "34",
    "added": "32", "removed": "31", "good": "32",
}  # fmt: skip


@frozen
class Style:
    """`colour`: escape sequences may be used; `ascii_only`: the output cannot take more than ASCII."""

    colour: bool = False
    ascii_only: bool = False

    def paint(self, role: str, text: str) -> str:
        """Return the text in the colour of that role (a severity, `bold`, `faint` …)."""
        return f"\x1b[{_SGR[role]}m{text}\x1b[0m" if self.colour and text else text

    def foreign(self, text: str) -> str:
        """Return text that came from outside, harmless and in this alphabet."""
        return printable(text, ascii_only=self.ascii_only)

    def own(self, text: str) -> str:
        """Return our own typography in this alphabet."""
        return to_ascii(text) if self.ascii_only else text


PLAIN = Style()


def wants_colour(choice: str, *, terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether to colour: `choice` is always, never or auto; auto asks NO_COLOR, FORCE_COLOR, TERM and the terminal.

    NO_COLOR counts when it is not empty (no-color.org).
    """
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return terminal and environment.get("TERM") != "dumb"
