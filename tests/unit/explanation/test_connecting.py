"""Connections around a host that runs containers: what stops them, who answers, what the server sees of its client."""

from __future__ import annotations

import pytest

from policyc.engines.docker.engine import installed, play
from policyc.engines.docker.host import surroundings_of
from policyc.engines.docker.scenario import Drawn
from policyc.engines.docker.session import read_session
from policyc.engines.docker.versions import RELEASES, behaviour_of
from policyc.engines.surroundings import Socket
from policyc.explanation.connecting import Client, Here, Inside, Outcome, Outside, World, connect
from policyc.net.addresses import format_address, parse_address
from policyc.net.protocols import TCP, UDP
from policyc.source import Source

NEIGHBOUR = Outside("eth0", {4: parse_address("192.0.2.1", 4), 6: parse_address("2001:db8:ffff::1", 6)})
TWO = "docker run --name c1 -p 8080:80 web\ndocker run --name c2 web\n"
NEWEST = RELEASES[-1]


def world(session: str, release: str = NEWEST) -> World:
    scenario, notes = read_session(Source("session", session), behaviour_of(release))
    daemon = play(release, scenario, Drawn())
    ruleset = installed(daemon, notes)
    assert ruleset.host is not None
    return World(ruleset, ruleset.host, surroundings_of(daemon))


def ask(where: World, client: Client, target: str, protocol: int = TCP) -> tuple[str, str]:
    """The outcome, and the source that the server saw or what was said instead."""
    address, _, port = target.rpartition(":")
    family = 6 if ":" in address else 4
    found = connect(where, client, Socket(family, parse_address(address.strip("[]"), family), protocol, int(port)))
    if found.source is None:
        assert found.outcome is not Outcome.OPEN
        return found.outcome.value, found.because
    assert found.because == "" or found.outcome is not Outcome.OPEN
    return found.outcome.value, format_address(found.source.address, found.source.family)


@pytest.mark.parametrize("release", ["20.10.24", "27.5.1", NEWEST])
def test_input_drop_stops_what_the_host_itself_takes_part_in_and_nothing_else(release: str) -> None:
    where = world(f"{TWO}iptables -P INPUT DROP", release)
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080") == ("open", "192.0.2.1")
    assert ask(where, Here(), "127.0.0.1:8080") == ("timeout", "the policy of filter/INPUT drops it")
    assert ask(where, Here(), "192.0.2.10:8080")[0] == "timeout"
    assert "answer is lost: by the policy of filter/INPUT" in ask(where, Here(), "172.17.0.2:80")[1]
    assert ask(where, Inside("c2"), "192.0.2.10:8080")[0] == "timeout"
    assert ask(where, Inside("c2"), "172.17.0.2:80") == ("open", "172.17.0.3")


@pytest.mark.parametrize("release", ["20.10.24", NEWEST])
def test_without_iptables_all_goes_by_docker_proxy_and_hides_the_client(release: str) -> None:
    where = world(f"dockerd --iptables=false &\n{TWO}", release)
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080") == ("open", "172.17.0.1")
    assert ask(where, Inside("c2"), "192.0.2.10:8080") == ("open", "172.17.0.1")
    assert ask(where, NEIGHBOUR, "172.17.0.2:80") == ("open", "192.0.2.1")


def test_a_port_published_on_loopback_is_open_to_neighbours_before_28() -> None:
    session = "docker run --name c1 -p 127.0.0.1:8080:80 web"
    assert ask(world(session, "27.5.1"), NEIGHBOUR, "127.0.0.1:8080") == ("open", "192.0.2.1")
    assert ask(world(session), NEIGHBOUR, "127.0.0.1:8080") == ("timeout", "rule 2 of raw/PREROUTING drops it")


def test_an_original_port_closes_the_published_port_and_leaves_the_rest() -> None:
    rule = "iptables -I DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 8080 --ctdir ORIGINAL -j DROP"
    where = world(f"{TWO}{rule}", "27.5.1")
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080")[0] == "timeout"
    assert ask(where, NEIGHBOUR, "172.17.0.2:80")[0] == "open"
    assert ask(where, Here(), "192.0.2.10:8080")[0] == "open"


def test_an_internal_network_has_no_way_out_of_its_containers() -> None:
    where = world(
        "docker network create --internal --subnet 172.30.0.0/24 inner\n"
        "docker run --name c1 --network inner -p 8080:80 web\ndocker run --name c2 web"
    )
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080") == ("refused", "nobody listens on 192.0.2.10:8080")
    assert ask(where, Here(), "172.30.0.2:80") == ("open", "172.30.0.1")
    assert ask(where, Inside("c1"), "192.0.2.10:8080")[0] == "unreachable"
    assert ask(where, Inside("c2"), "172.30.0.2:80")[0] == "timeout"


def test_docker_proxy_takes_a_connection_and_closes_it_when_its_own_fails() -> None:
    where = world(f"{TWO}iptables -I OUTPUT -d 172.17.0.2 -j REJECT")
    outcome, because = ask(where, Here(), "127.0.0.1:8080")
    assert outcome == "closed"
    assert because.startswith("docker-proxy takes it, and its own connection fails: rule 1 of filter/OUTPUT rejects it")
    assert ask(where, Here(), "192.0.2.10:8080")[0] == "refused"


def test_a_connection_that_stands_and_carries_nothing_hangs() -> None:
    where = world(f"{TWO}iptables -I DOCKER-USER -p tcp --tcp-flags PSH PSH -j DROP")
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080") == ("hangs", "rule 1 of filter/DOCKER-USER drops it")


def test_rejecting_tells_the_client() -> None:
    where = world(f"{TWO}iptables -I DOCKER-USER -i eth0 -p tcp -j REJECT --reject-with tcp-reset")
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080")[0] == "refused"
    where = world(f"{TWO}iptables -I DOCKER-USER -i eth0 -j REJECT --reject-with icmp-host-unreachable")
    assert ask(where, NEIGHBOUR, "192.0.2.10:8080")[0] == "unreachable"


def test_nobody_listens_and_the_reset_is_dropped() -> None:
    where = world("docker run --name c1 web\niptables -I OUTPUT -p tcp --tcp-flags RST RST -j DROP")
    assert ask(where, NEIGHBOUR, "192.0.2.10:81")[0] == "timeout"
    assert ask(world("docker run --name c1 web"), NEIGHBOUR, "192.0.2.10:81")[0] == "refused"


def test_nobody_has_the_address_on_the_bridge() -> None:
    where = world(TWO, "27.5.1")
    assert ask(where, Here(), "172.17.0.9:80") == ("unreachable", "nobody on docker0 has the address 172.17.0.9")
    assert ask(where, Inside("c2"), "172.17.0.9:80") == ("unreachable", "nobody on docker0 has the address 172.17.0.9")


def test_without_docker_proxy_a_container_reaches_itself_by_the_host_masked() -> None:
    where = world(f"dockerd --userland-proxy=false &\n{TWO}")
    assert ask(where, Inside("c1"), "192.0.2.10:8080") == ("open", "172.17.0.1")
    assert ask(where, Inside("c2"), "192.0.2.10:8080") == ("open", "172.17.0.3")
    assert ask(where, Here(), "127.0.0.1:8080") == ("open", "172.17.0.1")


def test_bridged_answers_that_iptables_does_not_see_are_taken_for_none() -> None:
    session = f"sysctl -w net.bridge.bridge-nf-call-iptables=0\ndockerd --userland-proxy=false &\n{TWO}"
    outcome, because = ask(world(session), Inside("c2"), "192.0.2.10:8080")
    assert outcome == "timeout"
    assert because.startswith("the answer comes from 172.17.0.2 instead of 192.0.2.10")


def test_containers_kept_apart_are_not_where_iptables_does_not_see_bridges() -> None:
    apart = f"dockerd --icc=false &\n{TWO}"
    assert ask(world(apart), Inside("c2"), "172.17.0.2:80")[0] == "timeout"
    unseen = f"{apart}sysctl -w net.bridge.bridge-nf-call-iptables=0"
    assert ask(world(unseen), Inside("c2"), "172.17.0.2:80") == ("open", "172.17.0.3")


def test_a_bridge_sends_no_frame_back_where_it_came_from() -> None:
    rule = "iptables -t nat -I DOCKER -p tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80"
    masked = "iptables -t nat -I POSTROUTING -s 172.17.0.2 -d 172.17.0.2 -j MASQUERADE"
    outcome, because = ask(world(f"{TWO}{rule}\n{masked}"), Inside("c1"), "192.0.2.10:8080")
    assert (outcome, because) == ("timeout", "docker0 sends no frame back to the port that it came in by")


def test_ipv6_is_carried_to_a_container_without_ipv6_by_docker_proxy() -> None:
    where = world(TWO)
    assert ask(where, NEIGHBOUR, "[2001:db8:ffff::10]:8080") == ("open", "172.17.0.1")
    assert ask(where, Here(), "[::1]:8080") == ("open", "172.17.0.1")
    without = world(f"dockerd --userland-proxy=false &\n{TWO}")
    assert ask(without, NEIGHBOUR, "[2001:db8:ffff::10]:8080")[0] == "refused"


def test_ipv6_is_translated_where_the_network_has_it() -> None:
    session = "docker network create --ipv6 --subnet fd00:1::/64 --subnet 172.30.0.0/24 six\ndocker run --name c1 --network six -p 8080:80 web"
    assert ask(world(session), NEIGHBOUR, "[2001:db8:ffff::10]:8080") == ("open", "2001:db8:ffff::1")
    assert ask(world(session), NEIGHBOUR, "[fd00:1::2]:80")[0] == "timeout"
    assert ask(world(session), Here(), "[::1]:8080") == ("open", "fd00:1::1")


def test_udp_is_asked_and_answered() -> None:
    where = world("docker run --name c1 -p 53:53/udp dns")
    assert ask(where, NEIGHBOUR, "192.0.2.10:53", UDP) == ("open", "192.0.2.1")
    assert ask(where, Here(), "127.0.0.1:53", UDP) == ("open", "172.17.0.1")
    assert ask(where, NEIGHBOUR, "192.0.2.10:54", UDP)[0] == "refused"


def test_a_container_in_the_network_of_the_host_is_behind_input() -> None:
    session = "docker run --name c1 --network host --expose 9000 web\n"
    assert ask(world(session), NEIGHBOUR, "192.0.2.10:9000") == ("open", "192.0.2.1")
    assert ask(world(f"{session}iptables -P INPUT DROP"), NEIGHBOUR, "192.0.2.10:9000")[0] == "timeout"


def test_a_container_in_the_namespace_of_another_is_at_home_there() -> None:
    where = world(f"{TWO}docker run --name side --network container:c1 web")
    assert ask(where, Inside("side"), "172.17.0.2:80") == ("open", "172.17.0.2")
    assert ask(where, Inside("side"), "192.0.2.10:8080") == ("open", "172.17.0.1")


def test_conditions_that_nobody_knows_are_named() -> None:
    where = world(f"{TWO}iptables -I DOCKER-USER -m string --algo bm --string x -j DROP")
    found = connect(where, NEIGHBOUR, Socket(4, parse_address("192.0.2.10", 4), TCP, 8080))
    assert found.outcome is Outcome.OPEN
    assert found.assumptions
