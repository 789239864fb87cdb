"""Where text goes: results to standard output or, atomically, to a file; talk to standard error."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from policyc.diagnostics import InputError
from policyc.readers.files import refusal
from policyc.report.style import Style, wants_colour


def open_missing() -> None:
    """Open what the caller has closed (`>&-`): nothing comes from there, results go nowhere, the exit code stays the answer."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the program


def style_for(stream: TextIO, color: str) -> Style:
    """Return how to print for people there; `color` is auto, always or never."""
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    colour = wants_colour(color, terminal=stream.isatty(), environment=os.environ)
    return Style(colour=colour, ascii_only=not encoding.startswith("utf"))


def emit(text: str, path: str | None = None) -> None:
    """Write a result to standard output, or to a file as a whole or not at all. Raises InputError where it cannot."""
    data = text.encode("utf-8", "surrogateescape")
    if path is None or path == "-":
        _to_stdout(data)
        return
    try:
        _to_file(data, Path(path))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise refusal(path, f"`{path}` cannot be written: {reason}") from None


def tell(text: str) -> None:
    """Write a line for people to standard error, whatever it quotes."""
    style = style_for(sys.stderr, "never")
    tell_raw("".join(f"{style.foreign(line)}\n" for line in text.split("\n")))


def complain(error: InputError, color: str = "auto") -> None:
    """Write what is wrong with the input to standard error."""
    from policyc.report.full import findings

    tell_raw(findings(error.diagnostics, style_for(sys.stderr, color)))


def tell_raw(text: str) -> None:
    """Write a text that is already made for this stream to standard error."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BrokenPipeError:
        _close(sys.stderr)


def _to_stdout(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # the reader has seen enough: no error, and the exit code stays the answer's
        _close(sys.stdout)
    except OSError as error:
        _close(sys.stdout)
        reason = (error.strerror or str(error)).lower()
        raise refusal("standard output", f"standard output cannot be written: {reason}") from None


def _close(stream: TextIO) -> None:
    """Let what is still buffered go nowhere, so that the interpreter's last flush is quiet too."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a descriptor is wanted
        os.dup2(nowhere.fileno(), stream.fileno())


def _to_file(data: bytes, path: Path) -> None:
    """Replace the file in one step: another process sees the old text or the new one. Devices and pipes are written to."""
    path = path.resolve()
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG | 0o666 & ~_umask()
    if not stat.S_ISREG(mode):
        path.write_bytes(data)
        return
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
