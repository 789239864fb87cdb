"""Settings and states of a host that drop packets, or make rules mean something else: one function each, its text in the table.

A function yields what of the host it is about, nothing where all is well. Source: Documentation/networking/ip-sysctl.rst.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from policyc.frozen import frozen
from policyc.observation.doctor.finding import Level
from policyc.observation.doctor.measured import Measurement

_ALMOST = 0.9
"""Of a table's room, from where on it is called almost full."""
_FEW_WAITING = 128
"""Connections that net.core.somaxconn let wait before Linux 5.4; it cuts what programs ask for."""
_PORT_RANGE = (32768, 60999)
_FORWARDS = re.compile(r"-A FORWARD (?:.* )?-j ACCEPT|-A POSTROUTING .*-j (?:MASQUERADE|SNAT)|-A PREROUTING .*-j DNAT")
_REJECTS_OR_DROPS = re.compile(r":FORWARD DROP|-A FORWARD .*-j (?:DROP|REJECT)")


@frozen
class Checked:
    """A check of settings: `look` yields its subjects in a measurement."""

    check: str
    level: Level
    title: str
    means: str
    advice: str
    look: Callable[[Measurement], Iterator[str]]


def two_backends(host: Measurement) -> Iterator[str]:
    """Whether both kinds of iptables hold rules."""
    counts: dict[str, int] = {}
    for (name, _), lines in host.rules.items():
        counts[name] = counts.get(name, 0) + sum(line.startswith("-A ") for line in lines)
    if sum(count > 0 for count in counts.values()) > 1:
        yield ", ".join(f"{count} of iptables-{name}" for name, count in counts.items())


def no_forwarding(host: Measurement) -> Iterator[str]:
    """Families whose rules forward or translate packets, where the kernel forwards none."""
    switches = {
        4: ("net.ipv4.ip_forward", r"net\.ipv4\.conf\..*\.forwarding"),
        6: ("net.ipv6.conf.all.forwarding", r"net\.ipv6\.conf\.(?:all\.forwarding|.*\.force_forwarding)"),
    }
    for family, (name, pattern) in switches.items():
        found = [value for key, value in host.settings.items() if re.fullmatch(pattern, key)]
        if found and not any(value == "1" for value in found) and any(map(_FORWARDS.match, host.rule_lines(family))):
            yield f"{name} = 0"


def strict_reverse_path(host: Measurement) -> Iterator[str]:
    """Interfaces whose effective rp_filter is strict, where there are several to choose from."""
    everywhere = host.number("net.ipv4.conf.all.rp_filter") or 0
    outside = [device.name for device in host.devices if device.name != "lo" and device.up]
    if len(outside) < 2:
        return
    for name in outside:
        own = host.number(f"net.ipv4.conf.{name.replace('.', '/')}.rp_filter") or 0
        if max(everywhere, own) == 1:
            yield name


def conntrack_full(host: Measurement) -> Iterator[str]:
    """Whether the table of connections is full."""
    most = host.number("net.netfilter.nf_conntrack_max")
    if most and host.connections >= most:
        yield f"{host.connections} of {most}"


def conntrack_almost_full(host: Measurement) -> Iterator[str]:
    """Whether the table of connections is almost full."""
    most = host.number("net.netfilter.nf_conntrack_max")
    if most and _ALMOST * most <= host.connections < most:
        yield f"{host.connections} of {most}"


def neighbours_full(host: Measurement) -> Iterator[str]:
    """Whether the tables of neighbours are almost full."""
    for version, count in zip(("ipv4", "ipv6"), host.neighbours, strict=True):
        most = host.number(f"net.{version}.neigh.default.gc_thresh3")
        if most and count >= _ALMOST * most:
            yield f"{version}: {count} of {most}"


def bridge_filtered(host: Measurement) -> Iterator[str]:
    """Bridges whose own traffic meets iptables, which refuses some of it."""
    refuses = any(_REJECTS_OR_DROPS.match(line) for lines in host.rules.values() for line in lines)
    if refuses and host.number("net.bridge.bridge-nf-call-iptables") == 1:
        yield from (device.name for device in host.devices if device.kind == "bridge")


def bridge_unfiltered(host: Measurement) -> Iterator[str]:
    """Rules about the ports of bridges that see nothing."""
    if host.number("net.bridge.bridge-nf-call-iptables") == 1:
        return
    bridges = {device.name for device in host.devices if device.kind == "bridge"}
    for line in host.rule_lines():
        found = re.search(r"-i (\S+) .*?-o (\S+)", line)
        if " --physdev-" in line or (found and found[1] == found[2] and found[1] in bridges):
            yield line


def accept_queue_full(host: Measurement) -> Iterator[str]:
    """Sockets that listen and whose queue is full now."""
    for one in host.listeners:
        if one.waiting > one.most:  # sk_acceptq_is_full: one more than was asked for fits
            yield f"{one.address} port {one.port}: {one.waiting} wait, {one.most} may"


def short_accept_queues(host: Measurement) -> Iterator[str]:
    """Whether the kernel cuts every accept queue."""
    most = host.number("net.core.somaxconn")
    if most is not None and most <= _FEW_WAITING:
        yield f"net.core.somaxconn = {most}"


def no_syn_cookies(host: Measurement) -> Iterator[str]:
    """Whether a flood of SYNs closes listening ports."""
    if host.number("net.ipv4.tcp_syncookies") == 0:
        yield "net.ipv4.tcp_syncookies = 0"


def aborts_on_overflow(host: Measurement) -> Iterator[str]:
    """Whether a full accept queue is told to the client."""
    if host.number("net.ipv4.tcp_abort_on_overflow") == 1:
        yield "net.ipv4.tcp_abort_on_overflow = 1"


def recycles_time_wait(host: Measurement) -> Iterator[str]:
    """Whether the setting is there that Linux 4.12 took away, and is set."""
    if host.number("net.ipv4.tcp_tw_recycle") == 1:
        yield "net.ipv4.tcp_tw_recycle = 1"


def reuses_time_wait(host: Measurement) -> Iterator[str]:
    """Whether reuse of TIME_WAIT is asked for without the timestamps that it needs."""
    if host.number("net.ipv4.tcp_tw_reuse") == 1 and host.number("net.ipv4.tcp_timestamps") == 0:
        yield "net.ipv4.tcp_tw_reuse = 1, net.ipv4.tcp_timestamps = 0"


def few_ports_left(host: Measurement) -> Iterator[str]:
    """Whether sockets in TIME_WAIT hold most of the ports that clients of this host may use."""
    words = host.settings.get("net.ipv4.ip_local_port_range", "").split()
    first, last = (int(words[0]), int(words[1])) if len(words) == 2 else _PORT_RANGE
    ports = last - first + 1
    if ports > 0 and host.time_wait >= _ALMOST * ports:
        yield f"{host.time_wait} in TIME_WAIT, {ports} ports"


def synproxy_unready(host: Measurement) -> Iterator[str]:
    """Whether a setting is missing that SYNPROXY rules need."""
    if not any(" -j SYNPROXY" in line for line in host.rule_lines()):
        return
    for name, wanted in (("net.ipv4.tcp_syncookies", "1 or 2"), ("net.ipv4.tcp_timestamps", "1")):
        if host.number(name) == 0:
            yield f"{name} = 0, needed is {wanted}"
    if host.number("net.netfilter.nf_conntrack_tcp_loose") != 0:
        yield f"net.netfilter.nf_conntrack_tcp_loose = {host.settings.get('net.netfilter.nf_conntrack_tcp_loose')}, needed is 0"


def silent_logs(host: Measurement) -> Iterator[str]:
    """LOG rules in a namespace whose lines go nowhere."""
    logs = sum(" -j LOG" in line for line in host.rule_lines())
    if logs and not host.is_first and host.number("net.netfilter.nf_log_all_netns") in {0, None}:
        yield f"{logs} LOG rule{'' if logs == 1 else 's'}"


SETTINGS = (
    Checked("two-backends", Level.ERROR, "both kinds of iptables hold rules",
            "a packet meets the rules of both; an ACCEPT in one does not save it from the other",
            "move all rules to one of them: `iptables-legacy-save`, then `iptables-legacy -F`, or the other way round",
            two_backends),
    Checked("no-forwarding", Level.WARNING, "rules forward packets, the kernel does not",
            "every packet to be forwarded is dropped behind PREROUTING, without a word",
            "sysctl -w net.ipv4.ip_forward=1 (or net.ipv6.conf.all.forwarding=1); where this host is no router, the rules can go",
            no_forwarding),
    Checked("conntrack-full", Level.ERROR, "the table of connections is full",
            "new connections are dropped, those of ssh too",
            "raise net.netfilter.nf_conntrack_max of the first network namespace; "
            "drop floods in table raw; `conntrack -L` shows what fills it",
            conntrack_full),
    Checked("conntrack-almost-full", Level.WARNING, "the table of connections is almost full",
            "soon new connections are dropped", "raise net.netfilter.nf_conntrack_max of the first network namespace",
            conntrack_almost_full),
    Checked("neighbours-full", Level.ERROR, "the table of neighbours is almost full",
            "hosts of the LAN that are not in it cannot be reached", "raise gc_thresh1, gc_thresh2 and gc_thresh3",
            neighbours_full),
    Checked("accept-queue-full", Level.ERROR, "the accept queue of a listening socket is full",
            "rules accept its packets and the socket drops them: clients time out",
            "raise the program's backlog and net.core.somaxconn, or make it call accept() faster", accept_queue_full),
    Checked("bridge-filtered", Level.WARNING, "traffic between ports of a bridge meets FORWARD, which refuses some",
            "bridge-nf-call-iptables=1 sends bridged frames through iptables, virtual machines and containers included",
            "accept `-i BRIDGE -o BRIDGE`, or set net.bridge.bridge-nf-call-iptables=0 where no rule is meant for them",
            bridge_filtered),
    Checked("bridge-unfiltered", Level.WARNING, "a rule is about traffic between ports of a bridge, and never sees it",
            "bridge-nf-call-iptables is 0 or its module is not loaded: such frames do not come to iptables",
            "load br_netfilter and set net.bridge.bridge-nf-call-iptables=1", bridge_unfiltered),
    Checked("synproxy-unready", Level.ERROR, "SYNPROXY lacks a setting",
            "clients behind it time out or are reset", "set it; a policy's `synproxy` requires them", synproxy_unready),
    Checked("time-wait-recycling", Level.ERROR, "TIME_WAIT sockets are recycled",
            "clients behind one NAT address are refused at random; Linux 4.12 took the setting away",
            "sysctl -w net.ipv4.tcp_tw_recycle=0", recycles_time_wait),
    Checked("few-ports-left", Level.WARNING, "ports for new connections run out",
            "sockets in TIME_WAIT (60 s) hold most of net.ipv4.ip_local_port_range; only one server at a time is concerned",
            "keep connections open; widen net.ipv4.ip_local_port_range; net.ipv4.tcp_tw_reuse=1", few_ports_left),
    Checked("reuse-without-timestamps", Level.WARNING, "TIME_WAIT sockets are to be reused, which needs timestamps",
            "tcp_tw_reuse does nothing without net.ipv4.tcp_timestamps", "sysctl -w net.ipv4.tcp_timestamps=1",
            reuses_time_wait),
    Checked("no-syn-cookies", Level.WARNING, "SYN cookies are off",
            "a flood of SYNs fills the queue, and SYNs of real clients are dropped (TCPReqQFullDrop)",
            "sysctl -w net.ipv4.tcp_syncookies=1", no_syn_cookies),
    Checked("short-accept-queues", Level.WARNING, "every accept queue is short",
            "net.core.somaxconn cuts the backlog that programs ask for", "sysctl -w net.core.somaxconn=4096",
            short_accept_queues),
    Checked("aborts-on-overflow", Level.INFO, "a full accept queue resets connections",
            "clients see `connection reset` where rules are not the cause", "sysctl -w net.ipv4.tcp_abort_on_overflow=0",
            aborts_on_overflow),
    Checked("strict-reverse-path", Level.INFO, "packets must come in where their answers would go out",
            "rp_filter=1 on a host with several interfaces drops what takes another way back; rules do not see it",
            "rp_filter=2 on those where routes are not the same both ways", strict_reverse_path),
    Checked("silent-logs", Level.INFO, "LOG rules of this namespace write nothing",
            "net.netfilter.nf_log_all_netns is 0: only the first network namespace may write to the kernel's log",
            "use NFLOG, or set nf_log_all_netns=1 there; `policyc trace` works here too", silent_logs),
)  # fmt: skip
