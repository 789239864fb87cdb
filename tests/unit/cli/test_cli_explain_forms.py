"""Options of `explain` that a form of the answer cannot show are refused, never left out; exit codes say what was asked."""

from __future__ import annotations

import json

import pytest

PACKET = "tcp 198.51.100.7 -> self:22 in eth0"
TRACED = (
    "TRACE: filter:INPUT:{} IN=eth0 OUT= SRC=198.51.100.7 DST=192.0.2.1 LEN=60 TOS=0x00 PREC=0x00 TTL=64 ID=1 DF PROTO=TCP "
    "SPT=40000 DPT={} WINDOW=64240 RES=0x00 SYN URGP=0"
)
POLICY = """
zone wan = interface eth0
address both = 192.0.2.7, 192.0.2.8
filter any -> self { use baseline }
filter wan -> self { accept ssh; otherwise drop }
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "html", "--flow"], "--flow: not shown by --format html"),
        (
            ["--format", "html", "--symptom", "refused", "--verify"],
            "--symptom and --verify: not shown by --format html",
        ),
        (["--format", "concise", "--filter"], "--filter: not shown by --format concise"),
        (["-o", "x.html", "--filter"], "--filter: not shown by --format html"),
    ],
)
def test_what_a_form_cannot_show_is_refused(policyc, folder, options, said) -> None:
    outcome = policyc("explain", "rules.v4", PACKET, *options)
    assert outcome.code == 2
    assert said in outcome.err
    assert not (folder / "x.html").exists()


def test_a_page_shows_one_packet(policyc, folder) -> None:
    (folder / "two.pol").write_text(POLICY)
    outcome = policyc("explain", "two.pol", "tcp both -> self:22 in wan", "-o", "x.html")
    assert outcome.code == 2
    assert "a page shows one packet; these are 2" in outcome.err
    assert not (folder / "x.html").exists()


def test_packets_before_a_line_of_the_log_are_refused(policyc) -> None:
    outcome = policyc("explain", "rules.v4", TRACED.format("rule:3", 22), "--after", PACKET)
    assert outcome.code == 2
    assert "packets that passed before cannot be added to a line of the log" in outcome.err


@pytest.mark.parametrize(
    ("point", "port", "said"),
    [
        ("rule:3", 22, "The line is about filter/INPUT #3 (rules.v4:9)"),
        ("policy:4", 23, "The line is about filter/INPUT policy (rules.v4:3)"),
        ("rule:7", 22, "does not pass what the line of TRACE names"),
    ],
)
def test_a_line_of_trace_names_its_rule(policyc, point, port, said) -> None:
    outcome = policyc("explain", "rules.v4", TRACED.format(point, port))
    assert outcome.code == 0
    assert said in outcome.out


def test_words_of_a_line_that_nobody_prints_are_named(policyc) -> None:
    outcome = policyc("explain", "rules.v4", TRACED.format("rule:3", 22) + " COLOUR=red")
    assert "left out: COLOUR=red" in outcome.out


def test_an_expected_answer_must_be_there(policyc) -> None:
    dropped = "tcp 198.51.100.7 -> self:23 in eth0"
    outcome = policyc("explain", "rules.v4", dropped, "--reply", "--expect", "drop", "--format", "json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["verdict"] == "DROPPED"
    assert "there is no answer whose way could be judged" in outcome.err
