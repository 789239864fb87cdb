"""A scenario on a host whose rules are known: what a daemon that runs there has taken, and what it leaves alone."""

from __future__ import annotations

import pytest

from policyc.api import InputError, Ruleset
from policyc.engines.docker.engine import installed, play
from policyc.engines.docker.running import running_in
from policyc.engines.docker.scenario import Drawn
from policyc.engines.docker.session import read_session
from policyc.engines.docker.versions import behaviour_of
from policyc.netfilter.ruleset_changes import Change, changes
from policyc.source import Source

LAYOUTS = ["20.10.24", "27.5.1", "28.0.0", "28.1.1", "29.7.2"]
FIRST = "docker network create --subnet 172.30.0.0/24 -o com.docker.network.bridge.name=br-a a\ndocker run -p 8080:80 --network a web\n"


def rules(session: str, release: str, before: Ruleset | None = None) -> Ruleset:
    scenario, notes = read_session(Source("session", session), behaviour_of(release))
    return installed(play(release, scenario, Drawn(), before), notes)


@pytest.mark.parametrize("release", LAYOUTS)
def test_one_more_container_changes_the_same_whether_the_daemon_is_followed_or_found(release: str) -> None:
    before = rules(FIRST, release)
    other = "docker run --name other -p 8081:80 web\n"
    found = changes(before, rules(other, release, before))
    assert found == changes(before, rules(FIRST + other, release))
    assert found.count(Change.ADDED) > 1
    assert found.count(Change.REMOVED) == found.count(Change.MOVED) == 0


@pytest.mark.parametrize("release", LAYOUTS)
def test_one_more_network_changes_the_same_whether_the_daemon_is_followed_or_found(release: str) -> None:
    before = rules(FIRST, release)
    other = "docker network create -o com.docker.network.bridge.name=br-b b\n"
    found = changes(before, rules(other, release, before))
    assert found == changes(before, rules(FIRST + other, release))
    assert any("172.18.0.0/16" in rule.text for chain in found.chains for rule in chain.rules)


@pytest.mark.parametrize("release", LAYOUTS)
def test_a_container_of_a_known_network_gets_the_next_address(release: str) -> None:
    before = rules(FIRST, release)
    again = (
        "docker network create -o com.docker.network.bridge.name=br-a a\ndocker run --name b --network a -p 81:80 web\n"
    )
    found = changes(before, rules(again, release, before))
    added = [rule.text for chain in found.chains for rule in chain.rules if rule.change is Change.ADDED]
    assert next(text for text in added if "DNAT" in text).endswith("--to-destination 172.30.0.3:80")
    assert not [text for text in added if "172.30.0.0/24" in text]


def test_what_is_taken_is_read_from_the_rules() -> None:
    running = running_in(rules(f"{FIRST}docker network create --internal --subnet 172.31.0.0/24 in", "29.7.2"))
    assert running is not None
    assert {str(each) for each in running.external(4)} == {"172.17.0.0/16", "172.30.0.0/24"}
    assert {str(each) for each in running.internal} == {"172.31.0.0/24"}
    assert {str(each) for each in running.addresses} == {"172.30.0.2"}
    assert [(held.protocol, str(held.host), held.port) for held in running.ports] == [("tcp", "0.0.0.0", 8080)]
    assert running_in(Ruleset()) is None


def test_a_port_that_is_taken_is_refused() -> None:
    before = rules(FIRST, "29.7.2")
    with pytest.raises(InputError, match="8080/tcp of the host is taken"):
        rules("docker run --name other -p 8080:80 web\n", "29.7.2", before)


@pytest.mark.parametrize(("there", "asked"), [("29.7.2", "27.5.1"), ("27.5.1", "29.7.2"), ("28.1.1", "20.10.24")])
def test_a_daemon_of_another_release_is_not_taken_for_this_one(there: str, asked: str) -> None:
    with pytest.raises(InputError, match="is of another release"):
        rules("docker run --name other web\n", asked, rules(FIRST, there))


def test_rules_of_the_user_stay_where_they_are() -> None:
    before = rules("iptables -A FORWARD -i tun0 -j ACCEPT\niptables -P INPUT DROP\n", "29.7.2")
    found = changes(before, rules("docker run --name web -p 80:80 web\n", "29.7.2", before))
    assert all(rule.change is Change.ADDED and rule.owner == "docker" for chain in found.chains for rule in chain.rules)
    assert all(chain.policy is None for chain in found.chains)
