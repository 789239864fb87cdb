"""A path becomes a Source: the first step of reading anything. Every way in which that fails is an InputError that says why.

Bytes that are not UTF-8 are kept as they are (surrogateescape): a comment in another encoding must come out unchanged.
"""

from __future__ import annotations

import errno
from pathlib import Path

from policyc.diagnostics import InputError, diagnose
from policyc.source import Source

STANDARD_INPUT = "<stdin>"

_REASONS = {
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a directory",
    errno.EACCES: "permission denied",
    errno.ENOTDIR: "a part of its path is no directory",
    errno.ELOOP: "its symbolic links go in a circle",
    errno.ENAMETOOLONG: "its name is too long",
}


def read_file(path: Path, name: str | None = None) -> Source:
    """Return the text of a file; `name` is what diagnostics call it, else the path. Raises InputError."""
    shown = name or str(path)
    return text_of(bytes_of(path, shown), shown)


def bytes_of(path: Path, shown: str) -> bytes:
    """Return what a file holds; `shown` is what diagnostics call it. Raises InputError."""
    try:
        return path.read_bytes()
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error)).lower()
        raise refusal(shown, f"`{shown}` cannot be read: {reason}", _neighbour(path, error.errno)) from None
    except ValueError:  # a NUL in the path
        raise refusal(shown, f"`{shown}` cannot be read: it is no path") from None


def text_of(data: bytes, name: str) -> Source:
    """Return the text of a file's bytes; raise InputError for what is no text, or none at all."""
    if b"\0" in data:
        hint = "policyc reads policy files and iptables-save dumps, which are text"
        raise refusal(name, f"`{name}` is not text: it holds a NUL byte at offset {data.index(0)}", hint)
    text = data.decode("utf-8", "surrogateescape")
    if not text.strip():
        raise refusal(name, f"`{name}` is empty", "an empty ruleset is a dump too: `*filter`, `COMMIT`")
    return Source(name, text)


def refusal(name: str, message: str, hint: str = "") -> InputError:
    """Return the error for a whole source, which has no line to point at."""
    return InputError([diagnose("unreadable-source", message, Source(name, "").span(0, 0), help=hint)])


def _neighbour(path: Path, number: int | None) -> str:
    """Return a hint that names the file beside a missing one whose name is nearest."""
    if number != errno.ENOENT:
        return ""
    from difflib import get_close_matches

    try:
        beside = {item.name for item in path.parent.iterdir()} - {
            path.name
        }  # a link that leads nowhere is there itself
        near = get_close_matches(path.name, sorted(beside), n=1)
    except OSError:
        return ""
    return f"did you mean `{path.parent / near[0]}`?" if near else ""
