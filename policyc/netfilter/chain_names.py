"""Names of the chains that policies make: `edge.wan.self`, cut with a hash where the kernel's 28 characters do not hold them."""

from __future__ import annotations

from hashlib import blake2b

from policyc.netfilter.hooks import MAX_CHAIN_NAME, Hook

_LETTERS = bytes(97 + number % 26 for number in range(256))
_HASH = 6


def letters(text: str, count: int) -> str:
    """Return `count` small letters (at most 64) that stand for a text."""
    return blake2b(text.encode(), digest_size=count).digest().translate(_LETTERS).decode("ascii")


def chain_name(*parts: str) -> str:
    """Return the parts joined by dots; a name of more than 28 bytes is cut and ends in six letters of its hash."""
    whole = ".".join(parts)
    encoded = whole.encode()
    if len(encoded) <= MAX_CHAIN_NAME:
        return whole
    head = encoded[: MAX_CHAIN_NAME - _HASH - 1].decode(errors="ignore").rstrip(".-")
    return f"{head}.{letters(whole, _HASH)}"


def entry_name(policy: str, hook: Hook) -> str:
    """Return the name of the chain that the one jump from a hook's base chain leads to, with shared ownership."""
    return chain_name(policy, hook.value.lower())
