"""CPU seconds of whole processes: user and system time together, the smallest of several runs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# An installed program has its compiled files; a variable of the developer's shell must not take them away.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu(words: Sequence[str], runs: int = 3, text: str = "") -> float:
    """Return the CPU seconds of a command that reads `text`; raises CalledProcessError when it fails."""
    return min(_once(words, text) for _ in range(runs))


def _once(words: Sequence[str], text: str) -> float:
    with tempfile.TemporaryFile("w+") as given:
        given.write(text)
        given.seek(0)
        process = subprocess.Popen(
            words, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
        assert process.stderr is not None
        said = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(words), stderr=said)
    return usage.ru_utime + usage.ru_stime


def python(code: str, *arguments: str, runs: int = 3) -> float:
    """Return the CPU seconds of Python code with arguments, in this interpreter and from any folder."""
    return cpu([sys.executable, "-c", code, *arguments], runs)


def inside(code: str, *arguments: str, runs: int = 2) -> list[float]:
    """Return the numbers that Python code prints, each the smallest of several runs: times of steps inside a process."""
    best: list[float] = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        numbers = [float(word) for word in done.stdout.split()]
        best = [min(pair) for pair in zip(best, numbers, strict=True)] if best else numbers
    return best


def program(name: str) -> str | None:
    """Return the path of a program, sbin included."""
    folders = [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin"]
    return next((str(Path(folder) / name) for folder in folders if (Path(folder) / name).is_file()), None)
