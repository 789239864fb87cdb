"""Opening a page in the user's browser: a process outside, so it stands in this room."""

from __future__ import annotations

from pathlib import Path


def open_page(path: Path) -> bool:
    """Open a file in the browser; False where there is none."""
    import webbrowser

    return webbrowser.open(path.resolve().as_uri())
