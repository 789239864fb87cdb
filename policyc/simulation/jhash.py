"""Which address of a range the kernel's NAT takes: Bob Jenkins' hash of source and destination. Part of `policyc.simulation`.

Sources: include/linux/jhash.h (jhash2), net/netfilter/nf_nat_core.c (find_best_ips_proto). The same client gets the same address
every time, also after a restart.
"""

from __future__ import annotations

from policyc.simulation.connection import FlowTuple

_WORD = 0xFFFFFFFF
_START = 0xDEADBEEF  # JHASH_INITVAL


def _rotated(word: int, bits: int) -> int:
    return (word << bits | word >> (32 - bits)) & _WORD


def jhash2(words: tuple[int, ...], initial: int) -> int:
    """Return the hash of 32-bit words."""
    a = b = c = (_START + (len(words) << 2) + initial) & _WORD
    left = list(words)
    while len(left) > 3:
        a, b, c = (a + left[0]) & _WORD, (b + left[1]) & _WORD, (c + left[2]) & _WORD
        a = (a - c & _WORD) ^ _rotated(c, 4)
        c = c + b & _WORD
        b = (b - a & _WORD) ^ _rotated(a, 6)
        a = a + c & _WORD
        c = (c - b & _WORD) ^ _rotated(b, 8)
        b = b + a & _WORD
        a = (a - c & _WORD) ^ _rotated(c, 16)
        c = c + b & _WORD
        b = (b - a & _WORD) ^ _rotated(a, 19)
        a = a + c & _WORD
        c = (c - b & _WORD) ^ _rotated(b, 4)
        b = b + a & _WORD
        del left[:3]
    if left:
        a, b, c = (word + (left[at] if at < len(left) else 0) & _WORD for at, word in enumerate((a, b, c)))
        c = ((c ^ b) - _rotated(b, 14)) & _WORD
        a = ((a ^ c) - _rotated(c, 11)) & _WORD
        b = ((b ^ a) - _rotated(a, 25)) & _WORD
        c = ((c ^ b) - _rotated(b, 16)) & _WORD
        a = ((a ^ c) - _rotated(c, 4)) & _WORD
        b = ((b ^ a) - _rotated(a, 14)) & _WORD
        c = ((c ^ b) - _rotated(b, 24)) & _WORD
    return c


def choice_of_address(wanted: FlowTuple, addresses: tuple[int, int], *, of_source: bool, persistent: bool) -> int:
    """Return the address from `addresses`, both ends included, that a connection's source or destination becomes."""
    low, high = addresses
    if low == high:
        return low
    source, target = _words(wanted.src, wanted.family), _words(wanted.dst, wanted.family)
    last = 3 if wanted.family == 6 else 0
    hashed = jhash2(source, 0 if persistent else target[last])
    lows, highs = _words(low, wanted.family), _words(high, wanted.family)
    chosen, whole = 0, False
    for at in range(last + 1):
        least = 0 if whole else _swapped(lows[at])
        span = _WORD if whole else _swapped(highs[at]) - least + 1
        word = least + (hashed * span >> 32)
        chosen = chosen << 32 | word
        if _swapped(word) != highs[at]:
            whole = True
        if not persistent:
            hashed ^= target[at] if of_source else _swapped(word)  # the kernel has written the new word by then
    return chosen


def _words(address: int, family: int) -> tuple[int, ...]:
    """Return the four words of the kernel's union of addresses, as a little-endian machine reads them."""
    if family == 4:
        return _swapped(address), 0, 0, 0
    return tuple(_swapped(address >> shift & _WORD) for shift in (96, 64, 32, 0))


def _swapped(word: int) -> int:
    return int.from_bytes(word.to_bytes(4, "big"), "little")
