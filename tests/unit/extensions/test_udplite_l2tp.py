"""The two matches that the kernel has and Debian's iptables has not."""

from __future__ import annotations

import pytest
from reading import matches, printed, refusals


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("-p udplite -m udplite --sport 1:1023 ! --dport 53", "-p udplite -m udplite --sport 1:1023 ! --dport 53"),
        ("-p 136 -m udplite --dport :", "-p udplite -m udplite"),
        (
            "-p udp -m l2tp --pversion 2 --type data --tid 42 --sid 7",
            "-p udp -m l2tp --tid 42 --sid 7 --pversion 2 --type data",
        ),
        ("-p l2tp -m l2tp --type control", "-p l2tp -m l2tp --type control"),
    ],
)
def test_printing(rule: str, text: str) -> None:
    assert printed(rule) == text
    assert printed(text) == text


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("-m udplite --dport 53", "`udplite` needs `-p udplite` in the same rule"),
        ("-p tcp -m l2tp --tid 1", "`l2tp` needs `-p udp` or `-p l2tp` in the same rule"),
        ("-p udp -m l2tp", "`l2tp` needs `--tid`, `--sid`, `--pversion` or `--type`"),
        ("-p udp -m l2tp --sid 1 --type control", "`--sid` asks for a session, which control packets do not have"),
        ("-p udp -m l2tp --pversion 4", "--pversion: `4` is not between 2 and 3"),
    ],
)
def test_refusals(rule: str, message: str) -> None:
    assert refusals(rule) == [message]


def test_meanings() -> None:
    packet = {"proto": 136, "frag": "whole", "sport": 1, "dport": 53}
    assert matches("-p udplite -m udplite --dport 53", packet)
    assert not matches("-p udplite -m udplite ! --dport 53", packet)
    assert not matches("-p udplite -m udplite ! --dport 53", {"proto": 17, "frag": "whole", "sport": 1, "dport": 9})
    tunnel = {"-m l2tp --tid 1": True}
    assert matches("-p udp -m l2tp --tid 1", {"proto": 17}, assume=tunnel)
    assert not matches("-p udp -m l2tp --tid 1", {"proto": 17}, assume={"-m l2tp --tid 1": False})
