"""Every outcome of a packet where conditions are unknown."""

from __future__ import annotations

from router import filter_table, walked

from policyc.explanation.outcomes import differing


def test_what_is_known_has_one_outcome() -> None:
    found = walked(filter_table("FORWARD -p tcp -m tcp --dport 443 -j ACCEPT"))
    assert (found.first.trace.verdict, found.others, found.complete) == ("FORWARDED", (), True)
    assert found.first.choices == ()


def test_an_unknown_condition_has_two() -> None:
    found = walked(filter_table('FORWARD -m string --string "x" --algo bm -j ACCEPT'))
    assert [way.trace.verdict for way in (found.first, *found.others)] == ["DROPPED", "FORWARDED"]
    (choice,) = differing(found.first, found.others[0])
    assert (choice.text, choice.value) == ('-m string --string "x" --algo bm', True)


def test_a_condition_that_changes_nothing_is_no_outcome() -> None:
    found = walked(filter_table('FORWARD -m string --string "x" --algo bm -j DROP'))
    verdicts = {
        (way.trace.verdict, way.trace.deciding and way.trace.deciding.rule) for way in (found.first, *found.others)
    }
    assert verdicts == {("DROPPED", "policy"), ("DROPPED", 1)}


def test_a_failed_test_beside_an_unknown_one_decides() -> None:
    found = walked(filter_table('FORWARD -p udp -m string --string "x" --algo bm -j ACCEPT'))
    assert found.first.choices == ()


def test_a_full_bucket_is_the_first_outcome_and_an_empty_one_the_second() -> None:
    found = walked(filter_table("FORWARD -m limit --limit 1/min -j ACCEPT"))
    assert [way.trace.verdict for way in (found.first, *found.others)] == ["FORWARDED", "DROPPED"]
    assert found.first.choices[0].counted


def test_the_same_condition_twice_has_one_value() -> None:
    condition = '-m string --string "x" --algo bm'
    found = walked(filter_table(f"FORWARD {condition} -j MARK --set-mark 1", f"FORWARD {condition} -j ACCEPT"))
    assert len(found.others) == 1
    assert len(found.first.choices) == 1


def test_a_rate_is_asked_anew_by_each_rule() -> None:
    rate = "-m limit --limit 1/min"
    found = walked(filter_table(f"FORWARD {rate} -j MARK --set-mark 1", f"FORWARD {rate} -j ACCEPT"))
    marks = {(way.trace.verdict, way.packet.mark) for way in (found.first, *found.others)}
    assert marks == {("FORWARDED", 1), ("DROPPED", 1), ("FORWARDED", 0), ("DROPPED", 0)}


def test_more_conditions_than_walks_are_said() -> None:
    rules = [f'FORWARD -m string --string "{word}" --algo bm -j MARK --set-xmark {1 << word}' for word in range(12)]
    assert not walked(filter_table(*rules)).complete


def test_a_program_behind_a_queue_decides_either_way() -> None:
    found = walked(filter_table("FORWARD -j NFQUEUE --queue-num 1"))
    assert [way.trace.verdict for way in (found.first, *found.others)] == ["FORWARDED", "DROPPED"]


def test_a_random_port_is_noted() -> None:
    nat = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o w0 -j MASQUERADE --random-fully\nCOMMIT\n"
    found = walked(nat, iface="d0", src="10.0.2.15", dst="198.51.100.7")
    assert found.first.trace.verdict == "FORWARDED"
    assert found.first.noted == ("the kernel chooses the port at random, from 1024 to 65535",)
