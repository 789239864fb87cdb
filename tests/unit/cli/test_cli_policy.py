"""Policies on the command line: checked, compiled, shown and drawn, with their mistakes and accepted findings."""

from __future__ import annotations

import json

import pytest

POLICY = """\
policy edge {
  family ip, ip6
  ownership exclusive
  default input drop, forward drop, output accept
}
zone wan = interface eth0
set banned = address timeout 1h
filter wan -> self {
  drop from banned              # they know why
  accept ssh as admin-ssh
  otherwise drop
}
test "ssh" {
  accept tcp 198.51.100.9 -> self:22 in wan by admin-ssh
}
"""
SHARED = POLICY.replace("ownership exclusive", "ownership shared").replace(
    "  default input drop, forward drop, output accept\n", ""
)


@pytest.fixture
def edge(folder):
    path = folder / "edge.pol"
    path.write_text(POLICY)
    return path


def findings(outcome) -> list[tuple[str, int]]:
    return [(found["code"], found["location"]["line"]) for found in json.loads(outcome.out)["diagnostics"]]


def test_tests_and_proofs_are_run(policyc, edge) -> None:
    edge.write_text(POLICY.replace('test "ssh" {', 'test "ssh" {\n  never wan -> self ssh'))
    outcome = policyc("check", "edge.pol", "--format", "json", "--select", "PC20")
    assert outcome.code == 1
    assert findings(outcome) == [("PC203", 14)]


def test_all_mistakes_at_once_and_exit_2(policyc, edge) -> None:
    edge.write_text(
        POLICY.replace("banned  ", "baned  ").replace("otherwise drop", "otherwise drp").replace("eth0", "a/b")
    )
    outcome = policyc("check", "edge.pol", "--format", "json")
    assert outcome.code == 2
    assert [line for _, line in findings(outcome)] == [6, 9, 11]


def test_an_accepted_finding_is_not_shown_and_an_unused_comment_is(policyc, edge) -> None:
    words = ("check", "edge.pol", "--format", "json", "--select", "PC203,PC901")
    breach = POLICY.replace('test "ssh" {', 'test "ssh" {\n  never wan -> self ssh')
    edge.write_text(breach.replace("  never", "  # policyc: allow refuted-proof -- for now\n  never"))
    assert findings(policyc(*words)) == []
    words = (*words[:-1], "PC104,PC203,PC901")
    edge.write_text(breach.replace("zone wan", "# policyc: allow unreachable-chain -- for later\nzone wan"))
    assert findings(policyc(*words)) == [("PC901", 6), ("PC203", 15)]


def test_compile_asks_for_the_family(policyc, edge) -> None:
    assert policyc("compile", "edge.pol").code == 2
    for family, program in (("4", "iptables-restore"), ("6", "ip6tables-restore")):
        code, out, err = policyc("compile", "edge.pol", "--family", family)
        assert (code, err) == (0, "")
        assert out.startswith(f"# by policyc, for {program}\n*filter\n")
        assert f"--match-set banned.{family} src" in out
        assert '--comment "pc:' in out


def test_without_ids_nothing_leads_back(policyc, edge) -> None:
    out = policyc("compile", "edge.pol", "--family", "4", "--no-ids").out
    assert "--dport 22" in out
    assert "pc:" not in out


@pytest.mark.parametrize(("words", "families"), [((), "46"), (("--family", "4"), "4"), (("--family", "6"), "6")])
def test_the_sets(policyc, edge, words, families) -> None:
    lines = policyc("compile", "edge.pol", "--ipset", *words).out.splitlines()
    assert [line.split()[:3] for line in lines] == [["create", f"banned.{family}", "hash:ip"] for family in families]


def test_a_shared_policy_says_how_it_is_loaded(policyc, edge) -> None:
    edge.write_text(SHARED)
    texts = {
        jumps: policyc("compile", "edge.pol", "--family", "4", "--jumps", jumps).out
        for jumps in ("insert", "keep", "renew")
    }
    assert all(text.startswith("# by policyc, for iptables-restore --noflush\n") for text in texts.values())
    assert policyc("compile", "edge.pol", "--family", "4").out == texts["insert"]
    assert [text.count("-I INPUT ") for text in texts.values()] == [1, 0, 1]
    assert [text.count("-D INPUT ") for text in texts.values()] == [0, 0, 1]


def test_an_exclusive_policy_has_no_such_choice(policyc, edge) -> None:
    code, _, err = policyc("compile", "edge.pol", "--family", "4", "--jumps", "keep")
    assert code == 2
    assert "--jumps is about shared policies" in err


def test_nothing_is_written_where_the_policy_is_wrong(policyc, folder, edge) -> None:
    edge.write_text(POLICY.replace("wan ->", "lan ->"))
    assert policyc("compile", "edge.pol", "--family", "4", "-o", "out").code == 2
    assert not (folder / "out").exists()


def test_show_gives_each_statement_its_line_and_rules(policyc, edge) -> None:
    answer = json.loads(policyc("show", "edge.pol", "--format", "json").out)
    [ssh] = [one for one in answer["statements"] if one["name"] == "admin-ssh"]
    assert (ssh["location"]["line"], ssh["text"]) == (10, "accept ssh as admin-ssh")
    assert [rule["family"] for rule in ssh["rules"]] == [4, 6]
    [drop] = [one for one in answer["statements"] if one["text"] == "drop from banned"]
    assert drop["description"] == "they know why"
    assert [one["name"] for one in answer["sets"]] == ["banned.4", "banned.6"]
    out = policyc("show", "edge.pol").out
    assert "edge.pol:10  accept ssh as admin-ssh\n" in out
    assert "  # they know why\n" in out


def test_policies_are_checked_one_by_one(policyc, folder, edge) -> None:
    breach = POLICY.replace('test "ssh" {', 'test "ssh" {\n  never wan -> self ssh')
    for name in ("edge.pol", "other.pol"):
        (folder / name).write_text(breach)
    out = policyc("check", "edge.pol", "other.pol", "rules.v6", "--format", "json", "--select", "PC203,PC803").out
    assert [found["location"]["file"] for found in json.loads(out)["diagnostics"]] == ["edge.pol", "other.pol"]


def test_a_folder_with_several_policies_is_no_single_source(policyc, folder, edge) -> None:
    (folder / "other.pol").write_text(POLICY)
    (folder / "policyc.toml").write_text("")
    assert policyc("check", ".").code == 0
    assert policyc("show", ".").code == 2


def test_the_graph_of_a_policy(policyc, edge) -> None:
    assert "edge.wan.self" in policyc("graph", "edge.pol", "--family", "6").out
