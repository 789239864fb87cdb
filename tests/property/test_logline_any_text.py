"""Whatever is pasted as a log line is read or refused with a diagnostic that has a place, never a traceback."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policyc.diagnostics import InputError
from policyc.readers.logline import read_logline
from policyc.source import Source

WORDS = st.sampled_from(
    [
        "IN=eth0",
        "OUT=",
        "OUT=e1",
        "MAC=",
        "MAC=52:54:00:aa:00:01:52:54:00:bb:00:02:08:00",
        "MACSRC=1",
        "SRC=1.2.3.4",
        "[SRC=1.2.3.4",
        "DST=1.2.3.4",
        "SRC=::1",
        "DST=::1",
        "LEN=60",
        "LEN=x",
        "TOS=0x1",
        "PREC=0x00",
        "TTL=5",
        "HOPLIMIT=1",
        "TC=1",
        "ID=1",
        "ID:00",
        "DF",
        "MF",
        "FRAG:1",
        "FRAG:x",
        "OPT",
        "(",
        ")",
        "AB",
        "ABC",
        "02040578",
        "PROTO=TCP",
        "PROTO=UDP",
        "PROTO=ICMP",
        "PROTO=50",
        "PROTO=x",
        "SPT=1",
        "DPT=2",
        "SEQ=1",
        "ACK=1",
        "ACK",
        "SYN",
        "WINDOW=1",
        "TYPE=3",
        "CODE=1",
        "SPI=0x",
        "MARK=0x1",
        "]",
        "INCOMPLETE",
        "TRUNCATED",
        "ARP",
        "UID=1",
        "²",
        "LEN=²",
    ]
)


@given(st.lists(WORDS | st.text(max_size=6), max_size=25))
def test_any_words(words: list[str]) -> None:
    for text in (" ".join(words), "IN=eth0 OUT= SRC=1.2.3.4 DST=4.3.2.1 " + " ".join(words)):
        try:
            read_logline(Source("line", text))
        except InputError as error:
            assert error.diagnostics
            assert all(one.span is not None for one in error.diagnostics)
