"""The table of fragments is a short cut: it must say what the reader of words says, for every rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policyc.readers.fragments import Fragments, read_text

PIECES = st.sampled_from(
    [
        "-s 10.1.2.3/32", "-s 10.1.2.3/8", "! -s 10.0.0.0/8", "-s 10.1.2.3", "-d 192.168.0.0/16", "-d 300.1.1.1/32",
        "-i eth0", "! -i eth+", "-i +", "-o lo", "-p tcp", "-p udp", "! -p tcp", "-p 6", "-f",
        "-m tcp --dport 80", "-m tcp ! --dport 80:90", "-m tcp --dport ! 80", "-m tcp --syn", "-m tcp --dpo 80",
        "-m tcp --sport 1 --dport 2", "-m tcp --dport 99999", "--dport 80", "-p tcp --dport 80",
        "-m comment --comment hi", '-m comment --comment "two words"', '-m comment --comment "-j DROP"', "-m comment",
        "-m nosuch --x 1", "-j ACCEPT", "-j LOG --log-prefix x", '-j LOG --log-prefix "a b " --log-level 6', "-j mine",
        "-g mine", "-j NOSUCH --y", "", "!", "-c 1 2", "-m", "stray",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=7), st.sampled_from([4, 6]))
def test_the_short_cut_agrees_with_the_reader_of_words(pieces: list[str], family: int) -> None:
    text = " ".join(pieces)
    parts = Fragments(family).parts(text)
    if parts is not None:
        reading = read_text(text, family)
        assert not reading.problems
        assert reading.rules == (parts,)
