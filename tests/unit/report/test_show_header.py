"""`show` names the place of rules that no statement wrote."""

from __future__ import annotations

from policyc import api
from policyc.report.show import show_text


def test_the_jumps_of_a_policy_without_its_block() -> None:
    shown = show_text(api.load("filter any -> self {\n  accept ssh\n}\n", name="edge.pol"))
    assert shown.startswith("edge.pol:1  (the policy, which has no `policy` block)\n")
    assert "-j edge.input" in shown


def test_the_jumps_of_a_policy_with_its_block() -> None:
    shown = show_text(
        api.load("policy edge { ownership shared }\nfilter any -> self { accept ssh }\n", name="edge.pol")
    )
    assert shown.startswith("edge.pol:1  policy edge\n")
