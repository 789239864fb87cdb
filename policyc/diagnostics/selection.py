"""Which codes a person means: a code, a name, the beginning of codes, or `all`. `--select`, `--ignore` and the config ask.

`PC1` and `PC1xx` stand for every code that begins so; a name is that of the catalogue (`unreachable-chain`).
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.diagnostics.catalogue import CATALOGUE


class UnknownCodeError(ValueError):
    """Nothing in the catalogue has that code or name; the message says what was meant, if something is near."""


def codes_of(word: str) -> tuple[str, ...]:
    """Return the codes that a word stands for, in the catalogue's order; raise UnknownCodeError where there are none."""
    wanted = word.strip()
    if wanted.lower() == "all":
        return tuple(item.code for item in CATALOGUE)
    named = tuple(item.code for item in CATALOGUE if item.name == wanted.lower())
    if named:
        return named
    start = wanted.upper().rstrip("X")
    found = tuple(item.code for item in CATALOGUE if start.startswith("PC") and item.code.startswith(start))
    if found:
        return found
    raise UnknownCodeError(f"no code or name `{word}`{_nearest(wanted)}")


def all_codes_of(words: Iterable[str]) -> frozenset[str]:
    """Return the codes of several words; a comma separates words too."""
    return frozenset(code for word in words for piece in word.split(",") if piece.strip() for code in codes_of(piece))


def _nearest(word: str) -> str:
    from difflib import get_close_matches

    known = [item.name for item in CATALOGUE] + [item.code for item in CATALOGUE]
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.6) or get_close_matches(word.upper(), known, n=1)
    return f"; did you mean `{near[0]}`?" if near else "; `policyc rule --all` lists them"
