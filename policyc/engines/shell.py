"""Lines of a shell, as far as the steps of a scenario need them: split into the words of their commands.

Expansions, loops and pipes mean nothing here; whoever runs the commands refuses what it does not understand.
"""

from __future__ import annotations

import re
import shlex

from policyc.diagnostics import InputError, diagnose
from policyc.engines.tables import Tables
from policyc.source import Source

_SILENCED = re.compile(r"\s\d?>{1,2}\s*(?:&\d|/dev/null)")
_IPTABLES = re.compile(r"ip6?tables(-nft|-legacy)?")
_WITHOUT_EFFECT = frozenset({"sleep", "true", "modprobe", "echo", "ip", "sysctl", ":"})


def commands_of(text: str) -> list[list[str]]:
    """Split lines at `;`, `&&`, `||` and line ends into the words of their commands. Raises InputError where that fails."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        lexer = shlex.shlex(_SILENCED.sub("", line), posix=True, punctuation_chars=";&|")
        lexer.whitespace_split = True
        try:
            words = list(lexer)
        except ValueError as error:
            raise refused_step(line, line, f"the step cannot be split into words: {error}") from None
        for word in words:
            if set(word) <= set(";&|"):
                found.append([])
            else:
                found[-1].append(word)
        found.append([])
    return [words for words in found if words]


def run_on_tables(tables: Tables, text: str) -> None:
    """Carry out commands of iptables; others change no rules, or are refused. Raises InputError at the first that is."""
    for words in commands_of(text):
        program = words[0].rpartition("/")[2]
        if _IPTABLES.fullmatch(program):
            tables.run(shlex.join(words))
        elif program not in _WITHOUT_EFFECT:
            raise refused_step(text, words[0], f"`{program}` is no step that is known here")


def refused_step(line: str, word: str, message: str) -> InputError:
    """Return the error about a word of a step."""
    at = max(line.find(word), 0)
    return InputError([diagnose("unreadable-line", message, Source("scenario", line).span(at, at + len(word)))])
