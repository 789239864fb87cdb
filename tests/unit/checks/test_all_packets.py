"""What a finding about all packets carries: the causes with their shares, a packet that shows it, what it assumes."""

from __future__ import annotations

from policyc import api

HEAD = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"


def found(rules: str, code: str) -> dict:
    report = api.check(f"{HEAD}{rules}COMMIT\n", select=[code]).to_dict()
    (one,) = report["diagnostics"]
    return one


def test_a_union_is_told_in_order_with_shares_and_a_packet() -> None:
    told = found(
        "-A INPUT -s 10.0.0.0/10 -p tcp -m tcp --dport 22 -j DROP\n-A INPUT -s 10.64.0.0/10 -p tcp -m tcp --dport 22 -j DROP\n"
        "-A INPUT -s 10.128.0.0/9 -p tcp -j DROP\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n",
        "PC101",
    )
    assert [(other["rule"]["number"], other["message"]) for other in told["related"]] == [
        (3, "takes 25 % of them"),
        (4, "takes 25 % of them"),
        (5, "takes 50 % of them"),
    ]
    packet = told["witness"]["packet"]
    assert (packet["src"], packet["dport"], packet["proto"], packet["ctstate"]) == ("10.0.0.0", 22, "tcp", "NEW")


def test_a_rule_that_can_be_spared_is_no_cause() -> None:
    told = found(
        "-A INPUT -s 10.1.0.0/16 -p tcp -j DROP\n-A INPUT -s 10.0.0.0/9 -p tcp -j DROP\n-A INPUT -s 10.128.0.0/9 -p tcp -j DROP\n"
        "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT\n",
        "PC101",
    )
    assert [other["rule"]["number"] for other in told["related"]] == [4, 5]


def test_a_rule_that_one_other_takes_has_a_packet_too() -> None:
    told = found("-A INPUT -s 10.0.0.0/8 -j DROP\n-A INPUT -s 10.1.2.0/24 -p udp -j ACCEPT\n", "PC101")
    packet = told["witness"]["packet"]
    assert (packet["src"], packet["proto"]) == ("10.1.2.0", "udp")


def test_a_packet_says_what_it_assumes() -> None:
    match = '-m string --string "x" --algo bm --to 65535'
    told = found(f"-A INPUT -p tcp -j DROP\n-A INPUT -p tcp {match} -j ACCEPT\n", "PC101")
    (condition,) = told["witness"]["assumes"]
    assert condition.endswith("` holds")
    assert "string" in condition


def test_a_rule_behind_a_limit_is_not_taken_by_it() -> None:
    rules = "-A INPUT -p tcp -m limit --limit 1/sec -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j DROP\n"
    assert not api.check(f"{HEAD}{rules}COMMIT\n", select=["PC101", "PC102"]).diagnostics


def test_a_long_chain_is_said_to_be_looked_at_by_itself() -> None:
    many = "".join(
        f"-A INPUT -s 10.0.{n // 256}.{n % 256}/32 -p tcp -m tcp --dport {n + 1} -j ACCEPT\n" for n in range(3000)
    )
    last = "-A INPUT -s 10.0.0.7/32 -p tcp -m tcp --dport 8 -j DROP\n"
    report = api.check(f"{HEAD}{many}{last}COMMIT\n", select=["PC101", "PC103", "PC904"])
    assert {one.code for one in report.diagnostics} == {"PC103", "PC904"}
