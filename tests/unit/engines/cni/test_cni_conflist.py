"""A network's configuration for one container: capabilities, what is drawn, mistakes at their line with the path of the key."""

from __future__ import annotations

import json

import pytest

from policyc import api
from policyc.diagnostics import Diagnostic, InputError
from policyc.engines.cni.engine import installed, play
from policyc.engines.cni.scenario_file import read_drawn, read_network
from policyc.engines.cni.versions import behaviour_of
from policyc.engines.given import Given
from policyc.readers.json_places import read_json
from policyc.source import Source

CONFLIST = """\
{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [
    {"type": "bridge", "bridge": "cni0", "ipMasq": true,
     "ipam": {"type": "host-local", "subnet": "10.22.0.0/24"}},
    {"type": "portmap", "capabilities": {"portMappings": true}},
    {"type": "tuning", "sysctl": {"net.core.somaxconn": "500"}}
  ],
  "runtimeConfig": {
    "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]
  }
}
"""


def preview(text: str, resolved: str = "null", release: str = "1.9.1") -> tuple[str, list[Diagnostic]]:
    source = Source("net.conflist", text)
    drawn = Given.json(json.loads(resolved), name="resolved")
    scenario, notes = read_network(Given.json(read_json(source), source), drawn, behaviour_of(release))
    ruleset = installed(play(release, scenario, read_drawn(drawn)), notes)
    return api.iptables_save(ruleset, 4), list(ruleset.notes)


def problems(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        preview(text)
    found = caught.value.diagnostics
    return [f"{each.span.line}:{each.span.column} {each.message}" for each in found if each.span is not None]


def test_the_runtime_passes_ports_to_the_plugin_that_can() -> None:
    text, notes = preview(CONFLIST)
    assert "--dport 8080 -j DNAT --to-destination 10.22.0.2:80" in text
    assert [note.code for note in notes] == ["PC521"]


def test_without_the_capability_it_passes_none_and_says_so() -> None:
    text, notes = preview(CONFLIST.replace('"portMappings": true', '"bandwidth": true'))
    assert "DNAT" not in text
    assert notes[0].message == "no plugin has the capability `portMappings`: the runtime passes it to none"


def test_the_container_and_its_addresses_can_be_given() -> None:
    text, notes = preview(CONFLIST, '{"containerID": "c0ffee", "containers": {"c0ffee": {"pods": ["10.22.0.9/24"]}}}')
    assert 'id: \\"c0ffee\\"' in text
    assert "10.22.0.9:80" in text
    assert notes == []


def test_a_single_plugin_is_a_network_too() -> None:
    text, _ = preview(
        '{"type": "bridge", "name": "one", "ipMasq": true, "ipam": {"type": "host-local", "subnet": "10.1.0.0/16"}}'
    )
    assert "-s 10.1.0.2/32" in text


def test_all_mistakes_at_once() -> None:
    text = CONFLIST.replace("10.22.0.0/24", "10.22.0.0/33").replace("8080", "0").replace('"tcp"', '"icmp"')
    text = text.replace('"name": "pods"', '"name": "po ds"')
    assert problems(text) == [
        "3:11 `name` must be a name of letters, digits, `_`, `.` and `-`, not `po ds`",
        "6:47 `plugins[0].ipam.subnet` must be a network, as 192.0.2.0/24, not `10.22.0.0/33`",
        "11:35 `runtimeConfig.portMappings[0].hostPort` must be a number from 1 to 65535, not `0`",
        "11:71 `runtimeConfig.portMappings[0].protocol` must be tcp, udp or sctp, not `icmp`",
    ]


def test_an_unknown_key_is_told_where_it_stands() -> None:
    assert problems(CONFLIST.replace('"runtimeConfig"', '"runtimeconfig"')) == [
        "10:3 the key `runtimeconfig` is not known"
    ]
    _, notes = preview(CONFLIST.replace('"ipMasq"', '"ipMask"'))
    assert (notes[0].code, notes[0].message, notes[0].help) == (
        "PC522",
        "the plugin `bridge` ignores the key `plugins[0].ipMask`",
        "did you mean `ipMasq`?",
    )


def test_what_is_not_shown_is_said() -> None:
    _, notes = preview(CONFLIST.replace('"type": "tuning"', '"type": "cilium-cni"'))
    assert notes[0].message == "what the plugin `cilium-cni` installs is not known here"
    _, notes = preview(CONFLIST.replace('"ipMasq": true', '"ipMasq": true, "macspoofchk": true'))
    assert "bridge family" in notes[0].message


def test_a_range_must_have_room() -> None:
    assert "there is no room" in problems(CONFLIST.replace("10.22.0.0/24", "10.22.0.0/31"))[0]
