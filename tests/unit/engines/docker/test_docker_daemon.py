"""The daemon played: what comes, goes, moves, comes back, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from policyc import api

APP = {"name": "app", "subnets": ["172.30.0.0/24"], "options": {"com.docker.network.bridge.name": "br-app"}}
WEB = {"name": "web", "networks": ["app"], "publish": ["8080:80"]}


def after(*steps: str, release: str = "docker@28.5", **scenario: Any) -> dict[str, list[str]]:
    """The rules of IPv4 after a scenario and its steps, by `table/chain`."""
    ruleset = api.preview(release, {"networks": [APP], "containers": [WEB], "post": list(steps), **scenario})
    return {
        f"{table.name}/{chain.name}": [rule.text for rule in chain.rules]
        for table in ruleset.family(4)
        for chain in table.chains
    }


def test_what_is_removed_leaves_nothing() -> None:
    empty = after(networks=[], containers=[])
    gone = after("docker rm -f web", "docker network rm app")
    assert gone.pop("raw/PREROUTING") == gone.pop("raw/OUTPUT") == []
    assert gone == empty


def test_a_container_that_stops_and_starts_stands_last() -> None:
    other = {"name": "other", "networks": ["app"], "publish": ["9090:90"]}
    rules = after("docker stop -t 0 web", "docker start web", containers=[WEB, other])
    assert [rule.rpartition(" ")[2] for rule in rules["nat/DOCKER"][2:]] == ["172.30.0.3:90", "172.30.0.2:80"]


def test_ports_move_to_the_network_whose_name_comes_first() -> None:
    first = {"name": "aaa", "subnets": ["172.31.0.0/24"], "options": {"com.docker.network.bridge.name": "br-aaa"}}
    rules = after("docker network connect aaa web", networks=[APP, first])
    assert rules["nat/DOCKER"][-1] == "! -i br-aaa -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.31.0.2:80"
    back = after("docker network connect aaa web", "docker network disconnect aaa web", networks=[APP, first])
    assert back["nat/DOCKER"][-1].endswith("172.30.0.2:80")


def test_a_priority_decides_before_the_name() -> None:
    first = {"name": "aaa", "subnets": ["172.31.0.0/24"]}
    both = {**WEB, "networks": ["app", "aaa"], "gw_priority": {"app": 1}}
    assert after(networks=[APP, first], containers=[both])["nat/DOCKER"][-1].endswith("172.30.0.2:80")


@pytest.mark.parametrize("release", ["docker@20.10", "docker@27", "docker@28", "docker@29"])
def test_a_restart_puts_the_default_bridge_last_and_loses_nothing(release: str) -> None:
    before, behind = after(release=release), after("@restart", release=release)
    assert {chain: sorted(rules) for chain, rules in before.items()} == {
        chain: sorted(rules) for chain, rules in behind.items()
    }
    assert behind["nat/POSTROUTING"][0] == "-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE"


def test_containers_go_on_beneath_a_restart_with_live_restore() -> None:
    live = {"daemon": {"live-restore": True}}
    assert after("@restart", **live)["nat/DOCKER"][-1] == after(**live)["nat/DOCKER"][-1]


def test_rules_of_the_user_stay_before_those_of_docker() -> None:
    rules = after("iptables -I DOCKER-USER -i eth0 -p tcp --dport 80 -j DROP", "@restart")
    assert rules["filter/DOCKER-USER"] == ["-i eth0 -p tcp -m tcp --dport 80 -j DROP"]


def test_a_rule_of_docker_can_be_deleted_by_its_user() -> None:
    assert after("iptables -D DOCKER-USER -j RETURN", release="docker@27")["filter/DOCKER-USER"] == []


def test_forwarding_that_was_on_before_leaves_the_policy() -> None:
    def policy(host: dict[str, Any], release: str) -> str | None:
        chain = api.preview(release, {"host": host}).table(4, "filter")
        assert chain is not None
        forward = chain.chain("FORWARD")
        assert forward is not None
        return forward.policy

    for release in ("docker@20.10", "docker@29"):
        assert policy({}, release) == "DROP"
        assert policy({"ip_forward_before": True}, release) == "ACCEPT"
        assert policy({"pre_commands": ["sysctl -qw net.ipv4.ip_forward=1"]}, release) == "ACCEPT"


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ({"containers": [WEB, {**WEB, "name": "two"}]}, "the port 8080/tcp of the host is taken by `web`"),
        ({"containers": [WEB, WEB]}, "the name `web` is in use already"),
        ({"networks": [APP, {**APP, "name": "b"}], "containers": []}, "overlaps 172.30.0.0/24"),
        ({"networks": [], "containers": [WEB]}, "no network `app`"),
        ({"containers": [{**WEB, "ip": "172.31.0.9"}]}, "cannot give the address 172.31.0.9"),
        ({"post": ["docker rm web"]}, "the container `web` runs"),
        ({"post": ["docker network rm app"]}, "in use by `web`"),
        ({"post": ["docker stop nobody"]}, "no container `nobody`"),
        ({"post": ["ufw allow 80"]}, "`ufw` is no step"),
        ({"post": ["iptables -A NOWHERE -j DROP"]}, "no chain `NOWHERE`"),
        (
            {"networks": [{**APP, "options": {"com.docker.network.bridge.gateway_mode_ipv4": "open"}}]},
            "no gateway mode",
        ),
    ],
)
def test_what_docker_refuses(scenario: dict[str, Any], says: str) -> None:
    with pytest.raises(api.InputError, match=says):
        after(**scenario)


def test_ipv6_is_an_experiment_before_27() -> None:
    with pytest.raises(api.InputError, match="refuse to start"):
        api.preview("docker@24", {"daemon": {"ip6tables": True}})
    assert api.preview("docker@24", {"daemon": {"ip6tables": True, "experimental": True}}).families == (4, 6)
    assert api.preview("docker@24", {}).families == (4,)
    assert api.preview("docker@27", {}).families == (4, 6)


def test_all_that_is_wrong_with_a_scenario_is_said_at_its_place() -> None:
    with pytest.raises(api.InputError) as raised:
        api.preview(
            "docker", {"networks": [{"subnets": ["x"]}], "containers": [{"publish": ["0:80"], "imag": 1}], "posts": []}
        )
    messages = [found.message for found in raised.value.diagnostics]
    assert messages == [
        "`networks[0]` needs a `name`",
        "`networks[0].subnets[0]` must be a network, as 172.30.0.0/24, not `x`",
        "`containers[0].publish[0]` cannot be read: `0` is no port or range of ports from 1 to 65535",
        "the key `containers[0].imag` is not known",
        "the key `posts` is not known",
    ]


@pytest.mark.parametrize(
    ("name", "says"), [("dokker", "no engine `dokker`"), ("docker@19", "no release `19` of docker")]
)
def test_engines_that_are_not_there(name: str, says: str) -> None:
    with pytest.raises(api.InputError, match=says):
        api.preview(name, {})
