"""The answers of plan and status, made of values written by hand: their JSON keeps its schema, their text says what is so."""

from __future__ import annotations

import json

import jsonschema
import pytest

from policyc.netfilter.saved import Saved
from policyc.netfilter.saved_changes import saved_changes
from policyc.readers.saved import saved_tables
from policyc.report.json import json_text
from policyc.report.plan import PlanView, Requirement, plan_text
from policyc.report.schemas import CHANGING, schema_text
from policyc.report.status import AppliedView, PendingView, StatusView, status_text
from policyc.report.style import Style


def tables(*rules: str, policy: str = "ACCEPT") -> Saved:
    chains = f":INPUT {policy} [0:0]\n:DOCKER - [0:0]\n:edge.input - [0:0]\n"
    return saved_tables(f"*filter\n{chains}{''.join(f'-A {rule}{chr(10)}' for rule in rules)}COMMIT\n", 4)


BEFORE = tables("INPUT -i lo -j ACCEPT", "INPUT -s 192.0.2.1/32 -j DROP", "INPUT -j edge.input", "DOCKER -j RETURN")
AFTER = tables(
    "INPUT -j edge.input",
    "INPUT -i lo -j ACCEPT",
    "DOCKER -j RETURN",
    "DOCKER -p tcp -j DROP",
    "edge.input -p udp -j DROP",
    policy="DROP",
)
PLAN = PlanView(
    "edge.pol",
    "this host",
    "iptables-nft",
    tuple(saved_changes(BEFORE, AFTER, [(4, "filter", "edge.input")])),
    (Requirement("sysctl", "net.ipv4.ip_forward", "is 0", "set to 1", "`accept`"),),
    ("to be known\x1b[2J",),
    ("not unasked",),
)
APPLIED = AppliedView("edge", "edge.pol", "iptables-nft", "shared", loaded=True)
LAST = {"when": "2026-01-02T03:04:05+00:00", "action": "apply", "user": "ann", "outcome": "confirmed"}
STATUSES = {
    "nothing": StatusView("this host", None, None, (), {}),
    "applied": StatusView("this host", APPLIED, None, ("the table filter of IPv4 is not as it was applied",), LAST),
    "waiting": StatusView("netns lab", APPLIED, PendingView("more.pol", "waiting", 12.3), (), LAST),
    "working": StatusView("netns lab", APPLIED, PendingView("more.pol", "working"), (), LAST),
    "left": StatusView("netns lab", None, PendingView(None, "left", reason="the disk is gone"), (), LAST),
}


def test_a_plan_as_text() -> None:
    assert (
        plan_text(PLAN)
        == """\
edge.pol on this host, with iptables-nft
filter of IPv4
  ~ policy of INPUT: ACCEPT -> DROP  (not ours)
  - INPUT 2: -s 192.0.2.1/32 -j DROP  (not ours)
  ~ INPUT 3 -> 1: -j edge.input
  + DOCKER 2: -p tcp -j DROP  (docker)
  + edge.input 1: -p udp -j DROP
sysctl net.ipv4.ip_forward: is 0; set to 1, for `accept`
note: to be known\\x1b[2J
warning: not unasked
rules: 2 added, 1 removed, 1 moved
"""
    )


def test_a_long_plan_is_cut() -> None:
    shown = plan_text(PLAN, Style(ascii_only=True), most=2)
    assert "  ... and 3 lines more; `policyc plan` shows all\n" in shown
    assert "edge.input 1" not in shown


def test_a_plan_that_changes_nothing() -> None:
    assert plan_text(PlanView("a", "b", "nft", ())).endswith("nothing changes: the kernel holds all of it already\n")


@pytest.mark.parametrize(
    ("which", "line"),
    [
        ("nothing", "nothing of policyc is applied to this host"),
        ("applied", "edge (edge.pol) is applied to this host: iptables-nft, ownership shared"),
        ("waiting", "the change to more.pol waits: it is taken back in 12 seconds unless `policyc confirm` is called"),
        ("working", "the change to more.pol is being made or taken back at this moment"),
        ("left", "a change was left in the middle (the disk is gone): `policyc rollback` takes it back"),
    ],
)
def test_a_status_as_text(which: str, line: str) -> None:
    assert line in status_text(STATUSES[which]).splitlines()


@pytest.mark.parametrize(
    "answer", [PLAN.to_dict(), *(one.to_dict() for one in STATUSES.values())], ids=["plan", *STATUSES]
)
def test_an_answer_fits_its_schema(answer: dict[str, object]) -> None:
    command = "plan" if "changes" in answer else "status"
    text = json.loads(json_text(answer))
    jsonschema.validate(text, json.loads(schema_text(command)))
    found = CHANGING[command].model_validate(text)
    assert found.model_extra == {}
