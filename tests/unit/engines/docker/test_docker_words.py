"""The words of docker run and docker network create."""

from __future__ import annotations

import pytest

from policyc.diagnostics import InputError
from policyc.engines.docker.typed import read_command


def test_short_long_and_joined_options() -> None:
    line = "run -itd -p8080:80 --publish=53:53/udp -e A=B --network name=app,ip=172.30.0.9,gw-priority=2 --name=web nginx -p 1:1"
    scenario, notes = read_command(line.split())
    (web,) = scenario.containers
    assert (web.name, web.networks, str(web.ip), web.priorities) == ("web", ("app",), "172.30.0.9", {"app": 2})
    assert [str(one.port) for one in web.publish] == ["80/tcp", "53/udp"]
    assert ([one.name for one in scenario.networks], [note.code for note in notes]) == (["app"], ["PC521"])


def test_flags_and_links_and_exposed_ports() -> None:
    scenario, _ = read_command(
        [
            "run",
            "-dP",
            "--expose",
            "80-81",
            "--link",
            "db:data",
            "--ip6",
            "fd00::5",
            "-p",
            "target=80,published=8080",
            "x",
        ]
    )
    other, web = scenario.containers
    assert (other.name, web.publish_all, len(web.expose), web.links) == ("db", True, 2, (("db", "data"),))
    assert (str(web.ip6), web.publish[0].first) == ("fd00::5", 8080)


def test_a_network() -> None:
    line = "network create -d bridge --subnet 10.0.0.0/24 --gateway 10.0.0.9 --internal --ipv6 -o a.b=c=d app"
    scenario, _ = read_command(line.split())
    (app,) = scenario.networks
    assert (app.name, app.internal, app.ipv6, app.options) == ("app", True, True, {"a.b": "c=d"})
    assert ([str(one) for one in app.subnets], [str(one) for one in app.gateways]) == (["10.0.0.0/24"], ["10.0.0.9"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("run --netwok app", "docker:1:12: .*`--netwok` is no option"),
        ("run -p", "docker:1:12: .*`-p` needs a value"),
        ("run -p 80:80 -p x:80", "docker:1:24: .*`x` is no port"),
        ("run --ip 1.2.3", "docker:1:17: "),
        ("network create", "needs the name"),
        ("network create --subnet 10.0.0.1/24 a", "has host bits set"),
        ("ps", "docker:1:8: .*no command of docker that makes rules"),
    ],
)
def test_words_that_are_wrong_are_pointed_at(line: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_command(line.split())
