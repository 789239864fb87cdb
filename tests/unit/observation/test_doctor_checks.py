"""Measurements written by hand: each check of settings finds its fault and nothing in a healthy host; counters are judged by growth."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from policyc.diagnostics import InputError
from policyc.observation.doctor.addresses import doubled
from policyc.observation.doctor.counters import COUNTERS
from policyc.observation.doctor.examine import examine
from policyc.observation.doctor.finding import Level
from policyc.observation.doctor.measured import Device, Listener, Measurement, Seen
from policyc.observation.doctor.saved import comparable, read_saved, saved_text
from policyc.observation.doctor.settings import SETTINGS
from policyc.report.doctor import doctor_text
from policyc.report.style import Style
from policyc.source import Source

HEALTHY = Measurement(
    "boot-one", 4026531840, 1000.0,
    counters={"IpInReceives": 12},
    settings={
        "net.ipv4.conf.eth0.forwarding": "1", "net.ipv4.tcp_syncookies": "1", "net.ipv4.tcp_timestamps": "1", "net.ipv4.tcp_tw_reuse": "2",
        "net.ipv4.tcp_abort_on_overflow": "0", "net.ipv4.ip_local_port_range": "32768\t60999", "net.core.somaxconn": "4096",
        "net.netfilter.nf_conntrack_max": "1000", "net.netfilter.nf_conntrack_tcp_loose": "1",
        "net.netfilter.nf_log_all_netns": "0", "net.bridge.bridge-nf-call-iptables": "1",
        "net.ipv4.neigh.default.gc_thresh3": "1024", "net.ipv6.neigh.default.gc_thresh3": "1024",
        "net.ipv4.conf.all.rp_filter": "0", "net.ipv4.conf.eth0.rp_filter": "2", "net.ipv4.conf.eth0/5.rp_filter": "0",
    },
    rules={("nft", 4): ("*filter", ":FORWARD ACCEPT [0:0]", "-A FORWARD -i eth0 -j ACCEPT", "-A INPUT -j LOG", "COMMIT")},
    devices=(Device("lo"), Device("eth0"), Device("eth0.5"), Device("br0", "bridge")),
    listeners=(Listener("0.0.0.0", 80, 1, 128),),
    connections=100, neighbours=(3, 3), time_wait=10,
)  # fmt: skip


def with_settings(**values: str) -> Measurement:
    return replace(
        HEALTHY, settings=HEALTHY.settings | {f"net.{name.replace('__', '.')}": value for name, value in values.items()}
    )


def with_rules(*lines: str, **more: tuple[str, ...]) -> Measurement:
    return replace(HEALTHY, rules={("nft", 4): lines} | {(name, 4): found for name, found in more.items()})


FAULTS = {
    "two-backends": with_rules("-A INPUT -j ACCEPT", legacy=("-A INPUT -j DROP",)),
    "no-forwarding": with_settings(ipv4__conf__eth0__forwarding="0"),
    "conntrack-full": replace(HEALTHY, connections=1000),
    "conntrack-almost-full": replace(HEALTHY, connections=950),
    "neighbours-full": replace(HEALTHY, neighbours=(3, 1000)),
    "accept-queue-full": replace(HEALTHY, listeners=(Listener("::", 443, 6, 5),)),
    "bridge-filtered": with_rules(":FORWARD DROP [0:0]"),
    "bridge-unfiltered": replace(
        with_settings(**{"bridge__bridge-nf-call-iptables": "0"}),
        rules={("nft", 4): ("-A FORWARD -i br0 -o br0 -j DROP",)},
    ),
    "synproxy-unready": with_rules("-A INPUT -p tcp -j SYNPROXY --mss 1460"),
    "time-wait-recycling": with_settings(ipv4__tcp_tw_recycle="1"),
    "few-ports-left": replace(HEALTHY, time_wait=27000),
    "reuse-without-timestamps": with_settings(ipv4__tcp_tw_reuse="1", ipv4__tcp_timestamps="0"),
    "no-syn-cookies": with_settings(ipv4__tcp_syncookies="0"),
    "short-accept-queues": with_settings(core__somaxconn="128"),
    "aborts-on-overflow": with_settings(ipv4__tcp_abort_on_overflow="1"),
    "strict-reverse-path": with_settings(ipv4__conf__all__rp_filter="1"),
    "silent-logs": replace(HEALTHY, is_first=False),
}


def found(measured: Measurement) -> list[str]:
    return [one.check for one in examine(measured).symptoms]


def test_a_healthy_host() -> None:
    assert found(HEALTHY) == []


def test_a_host_of_which_nothing_is_known() -> None:
    assert found(Measurement("", 0, 0.0)) == []


@pytest.mark.parametrize("check", [one.check for one in SETTINGS])
def test_each_fault_is_found_and_no_other(check: str) -> None:
    assert set(found(FAULTS[check])) == {check}


def test_the_effective_reverse_path_filter_is_the_larger_one() -> None:
    subjects = [one.subject for one in examine(FAULTS["strict-reverse-path"]).symptoms]
    assert subjects == ["eth0.5", "br0"]  # eth0 has 2, loose


def test_every_check_has_a_name_of_its_own() -> None:
    names = [one.check for one in (*COUNTERS, *SETTINGS)]
    assert len(names) == len(set(names))
    assert len({one.counter for one in COUNTERS}) == len(COUNTERS)


# ---------------------------------------------------------------------- counters
LATER = replace(
    HEALTHY, at=1010.0,
    counters={"IpInReceives": 99, "conntrack.drop": 7, "UdpNoPorts": 3, "link.eth0.rx_errors": 4, "softnet.dropped": 2,
              "TcpExtListenDrops": 5},
)  # fmt: skip


def test_alone_a_counter_is_only_worth_knowing() -> None:
    assert {one.level for one in examine(LATER).symptoms} == {Level.INFO}
    assert set(found(LATER)) == {"conntrack-drop", "udp-no-port", "link-rx-errors", "softnet-dropped", "listen-drop"}


def test_what_grew_is_judged() -> None:
    before = replace(HEALTHY, counters={"conntrack.drop": 4, "TcpExtListenDrops": 5})
    result = examine(LATER, before)
    assert result.seconds == 10.0
    assert [(one.check, one.level.value, one.grown) for one in result.symptoms] == [
        ("link-rx-errors", "error", 4),
        ("conntrack-drop", "error", 3),
        ("udp-no-port", "warning", 3),
        ("softnet-dropped", "warning", 2),  # of the whole machine
    ]


def test_the_report_tells_what_grew_what_it_means_and_what_to_do() -> None:
    text = doctor_text(examine(LATER, replace(HEALTHY, counters={"conntrack.drop": 4})), Style(), verbose=False)
    assert (
        "error[conntrack-drop]: packets that connection tracking dropped\n  conntrack.drop +3, 7 since the start\n"
        in text
    )
    assert "table full" in text
    assert "  → compare net.netfilter.nf_conntrack_count" in text
    assert text.endswith("checks in 10 s: 3 errors, 2 warnings\n")


def test_old_counts_are_one_line_each() -> None:
    text = doctor_text(examine(LATER), Style(), verbose=False)
    assert "  7  conntrack-drop  conntrack.drop\n" in text
    assert "→" not in text
    assert doctor_text(examine(LATER), Style(), verbose=True).count("→") == 5


# ---------------------------------------------------------------------- doubled addresses
ONE = Seen(1, "nginx, process 10", "eth0", "172.17.0.5", "02:42:00:00:00:05", "docker0")


def test_an_address_in_two_namespaces_of_one_bridge() -> None:
    (symptom,) = doubled([ONE, replace(ONE, namespace=2, owner="old, process 4")])
    assert symptom.level is Level.ERROR
    assert symptom.title == "several have the address 172.17.0.5 at docker0"
    assert "same MAC" in symptom.means
    (symptom,) = doubled([ONE, replace(ONE, namespace=2, mac="02:42:00:00:00:06")])
    assert "same MAC" not in symptom.means


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, namespace=2, segment="br-other"),
        replace(ONE, namespace=2, segment=""),
        replace(ONE, namespace=2, address="172.17.0.6"),
        replace(ONE, interface="eth1"),
    ],
)
def test_no_fault(other: Seen) -> None:
    assert not list(doubled([ONE, other]))
    assert not list(doubled([replace(ONE, segment=""), replace(ONE, namespace=2, segment="")]))


# ---------------------------------------------------------------------- files
def test_a_saved_measurement_is_the_same_bytes_each_time() -> None:
    assert saved_text(LATER) == saved_text(replace(LATER, counters=dict(reversed(LATER.counters.items()))))
    assert read_saved(Source("m.json", saved_text(LATER))).counters == LATER.counters


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format_version": "1.0"}',
        saved_text(LATER).replace("7", '"7"'),
        saved_text(LATER).replace("1.0", "2.0"),
    ],
)
def test_what_is_no_measurement_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read_saved(Source("m.json", text))


def test_measurements_of_different_starts_are_not_compared() -> None:
    comparable(HEALTHY, LATER, "m.json")
    for other in (replace(LATER, boot="boot-two"), replace(LATER, namespace=7)):
        with pytest.raises(InputError, match="was measured"):
            comparable(HEALTHY, other, "m.json")


def test_the_answer_is_json() -> None:
    answer = json.loads(json.dumps(examine(LATER).to_dict()))
    assert answer["seconds"] is None
    assert answer["symptoms"][0].keys() == {
        "check",
        "level",
        "title",
        "subject",
        "counter",
        "value",
        "grown",
        "means",
        "advice",
    }
