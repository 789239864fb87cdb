"""What is said of a packet beside what the kernel did: a port that is drawn at random may be any."""

from __future__ import annotations

from policyc.explanation.verification import compare

OURS = {
    "verdict": "FORWARDED",
    "trace": [],
    "final": {"src": "192.0.2.1", "sport": 40000, "dst": "198.51.100.80", "dport": 443},
}


def drawn(**final: object) -> dict[str, object]:
    return {**OURS, "final": {**OURS["final"], **final}}


def test_another_port_is_a_difference_where_none_was_drawn() -> None:
    assert [one.field for one in compare(OURS, drawn(sport=1590))] == ["final"]
    assert compare(OURS, drawn(sport=1590), drawn=True) == ()


def test_another_address_is_a_difference_in_any_case() -> None:
    assert [one.field for one in compare(OURS, drawn(src="192.0.2.2"), drawn=True)] == ["final"]
    assert compare({"verdict": "DROPPED", "trace": []}, {"verdict": "DROPPED", "trace": []}, drawn=True) == ()
