"""A compose file as a scenario: what `docker compose up` makes of it, networks first, then services behind those they need.

The file as people write it (short and long forms), or as `docker compose config` prints it, YAML or JSON.
Source: the Compose Specification.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.docker.compose_ports import exposed_ports, published_ports
from policyc.engines.docker.interpolation import interpolated
from policyc.engines.docker.ports import Address
from policyc.engines.docker.scenario import Container, Network, Scenario, Subnet
from policyc.engines.fields import converted
from policyc.engines.given import Given
from policyc.engines.yaml_document import read_documents
from policyc.source import Source

_TOP = {"name", "version", "services", "networks", "volumes", "secrets", "configs", "models"}
_NETWORK = {
    "name", "driver", "driver_opts", "internal", "external", "enable_ipv4", "enable_ipv6", "ipam", "attachable", "labels",
}  # fmt: skip
_SERVICE = {
    "annotations", "attach", "blkio_config", "build", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "command",
    "configs", "container_name", "cpu_count", "cpu_percent", "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime",
    "cpu_shares", "cpus", "cpuset", "credential_spec", "depends_on", "deploy", "develop", "device_cgroup_rules", "devices",
    "dns", "dns_opt", "dns_search", "domainname", "entrypoint", "env_file", "environment", "expose", "external_links",
    "extra_hosts", "gpus", "group_add", "healthcheck", "hostname", "image", "init", "ipc", "isolation", "label_file",
    "labels", "links", "logging", "mac_address", "mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit",
    "models", "network_mode", "networks", "oom_kill_disable", "oom_score_adj", "pid", "pids_limit", "platform", "ports",
    "post_start", "pre_stop", "privileged", "profiles", "provider", "pull_policy", "read_only", "restart", "runtime",
    "scale", "secrets", "security_opt", "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "storage_opt",
    "sysctls", "tmpfs", "tty", "ulimits", "use_api_socket", "user", "userns_mode", "uts", "volumes", "volumes_from",
    "working_dir",
}  # fmt: skip
_DEFAULT = "default"
_EXPANDED = "print the whole file with `docker compose config` and preview that"


def read_compose(
    source: Source, project: str, profiles: Collection[str] = (), values: Mapping[str, str] | None = None
) -> tuple[Scenario, list[Diagnostic]]:
    """Return the scenario of a compose file and remarks on it.

    `project` names what the file does not (`name`); services with profiles take part when one of theirs is among
    `profiles`; `values` stand for `${NAME}`. Raises InputError with all that is wrong, each at its line with its path.
    """
    root = read_documents(source)
    given = root[0] if root else Given.json({}, source)
    compose = _Compose(interpolated(given, values or {}), project, profiles)
    scenario = compose.scenario()
    given.document.settle()
    return scenario, compose.notes


class _Compose:
    def __init__(self, given: Given, project: str, profiles: Collection[str]) -> None:
        self.given = given
        self.project = given.at("name").text() or project
        self.profiles = profiles
        self.notes: list[Diagnostic] = []
        self.networks: dict[str, Network] = {}
        self.services: dict[str, Given] = {}

    def scenario(self) -> Scenario:
        self._top()
        self.services = {name: item for name, item in self._named("services").items() if self._takes_part(item)}
        if "services" not in self.given:
            self.given.wrong("has no `services`", "is this a compose file?")
        declared = self._named("networks")
        used = {key: item for service in self.services.values() for key, item in self._networks_of(service)}
        for key, item in used.items():
            if key != _DEFAULT and key not in declared:
                item.wrong(f"names the network `{key}`, which `networks` does not declare")
        for key in sorted(used):
            item = declared.get(key) or Given(self.given.document, ("networks", key), None)
            self.networks[key] = self._network(key, item)
        order = self._order()
        containers = [one for name in order for one in self._containers(name, self.services[name])]
        self._remark(sorted(used))
        return Scenario(networks=tuple(self.networks.values()), containers=tuple(containers))

    def _top(self) -> None:
        known = {*_TOP, *(key for key, _ in self.given.entries() if key.startswith("x-"))}
        if "include" in self.given:
            self.given.at("include").wrong("is not read here", _EXPANDED)
            known.add("include")
        self.given.unknown_keys(known, _EXPANDED)

    def _named(self, key: str) -> dict[str, Given]:
        return dict(self.given.at(key).entries())

    def _takes_part(self, service: Given) -> bool:
        known = {*_SERVICE, *(key for key, _ in service.entries() if key.startswith("x-"))}
        if "extends" in service:
            service.at("extends").wrong("is not read here", _EXPANDED)
            known.add("extends")
        service.unknown_keys(known)
        asked = service.at("profiles").texts()
        return not asked or bool(set(asked) & set(self.profiles)) or "*" in self.profiles

    def _remark(self, used: list[str]) -> None:
        if len(used) > 1:
            message = "compose makes networks in no fixed order; they are previewed by name"
            self.notes.append(diagnose("drawn-by-engine", message, self.given.document.places.key(("networks",))))

    # networks

    def _networks_of(self, service: Given) -> Iterator[tuple[str, Given]]:
        """Yield the keys of the networks of a service, the default one where it names none."""
        if "network_mode" in service:
            if "networks" in service:
                service.at("network_mode").wrong("and `networks` exclude each other")
            return
        networks = service.at("networks")
        if isinstance(networks.value, list):
            yield from ((item.text(), item) for item in networks.items())
        elif networks.value:
            yield from networks.entries()
        else:
            yield _DEFAULT, service

    def _network(self, key: str, given: Given) -> Network:
        given.unknown_keys({*_NETWORK, *(name for name, _ in given.entries() if name.startswith("x-"))})
        external = given.at("external")
        outside = external.value is not None and (isinstance(external.value, Mapping) or external.flag())
        name = given.at("name").text() or (key if outside else f"{self.project}_{key}")
        if outside:
            message = f"the network `{name}` is made elsewhere; it is previewed as a bridge without options"
            self.notes.append(diagnose("drawn-by-engine", message, given.span))
            return Network(name, span=given.span)
        subnets: list[Subnet] = []
        ranges: list[Subnet] = []
        gateways: list[Address] = []
        for item in given.at("ipam").at("config").items():
            subnet = converted(item.at("subnet"), ip_network, "a network, as 172.30.0.0/24")
            part = converted(item.at("ip_range"), ip_network, "a network, as 172.30.0.128/25")
            gateway = converted(item.at("gateway"), ip_address, "an address")
            subnets.extend([] if subnet is None else [subnet])
            ranges.extend([] if part is None else [part])
            gateways.extend([] if gateway is None else [gateway])
        return Network(
            name=name,
            driver=given.at("driver").text("bridge"),
            internal=given.at("internal").flag(),
            ipv4=given.at("enable_ipv4").flag(default=True),
            ipv6=given.at("enable_ipv6").flag(),
            subnets=tuple(subnets),
            gateways=tuple(gateways),
            ranges=tuple(ranges),
            options={option: item.text() for option, item in given.at("driver_opts").entries()},
            span=given.span,
        )

    # services

    def _order(self) -> list[str]:
        """Return the services in the order in which they start: by name, but each behind those that it depends on."""
        needs: dict[str, set[str]] = {}
        for name, service in sorted(self.services.items()):
            needs[name] = {other for other in self._needed(service) if other in self.services and other != name}
        sorter = TopologicalSorter(needs)
        try:
            sorter.prepare()
        except CycleError as error:
            loop = error.args[1]
            self.services[loop[0]].wrong(f"depends on itself: {' → '.join(reversed(loop))}")
            return sorted(self.services)
        order: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            order.extend(ready)
            sorter.done(*ready)
        return order

    def _needed(self, service: Given) -> Iterator[str]:
        depends = service.at("depends_on")
        items = depends.items() if isinstance(depends.value, list) else ()
        yield from (item.text() for item in items)
        if isinstance(depends.value, Mapping):
            yield from (name for name, _ in depends.entries())
        yield from (item.text().partition(":")[0] for item in service.at("links").items())
        mode = service.at("network_mode").text()
        if mode.startswith("service:"):
            yield mode.removeprefix("service:")

    def _containers(self, name: str, service: Given) -> Iterator[Container]:
        replicas = service.at("deploy").at("replicas")
        scale = replicas if replicas.value is not None else service.at("scale")
        count = scale.number(0, 1000, default=1)
        fixed = service.at("container_name").text()
        if fixed and count > 1:
            service.at("container_name").wrong(f"cannot be shared by {count} containers")
        networks, addresses, priorities = self._joined(service)
        for number in range(1, count + 1):
            yield Container(
                name=fixed or f"{self.project}-{name}-{number}",
                networks=networks,
                publish=published_ports(service.at("ports")),
                expose=exposed_ports(service.at("expose")),
                ip=addresses[0],
                ip6=addresses[1],
                priorities=priorities,
                span=service.span,
                service=name,
            )

    def _joined(
        self, service: Given
    ) -> tuple[tuple[str, ...], tuple[IPv4Address | None, IPv6Address | None], dict[str, int]]:
        """Return the names of a service's networks as its container is connected, its addresses on the first, its priorities."""
        mode = service.at("network_mode").text()
        if mode:
            return (self._mode(service, mode),), (None, None), {}
        joined = list(self._networks_of(service))
        joined.sort(key=lambda pair: (-pair[1].at("priority").number(-(2**31), 2**31 - 1), pair[0]))
        first = joined[0][1]
        ip = converted(first.at("ipv4_address"), IPv4Address, "an IPv4 address")
        ip6 = converted(first.at("ipv6_address"), IPv6Address, "an IPv6 address")
        names = [self.networks[key].name for key, _ in joined]
        wanted = [item.at("gw_priority").number(-(2**31), 2**31 - 1) for _, item in joined]
        priorities = {name: priority for name, priority in zip(names, wanted, strict=True) if priority}
        return tuple(names), (ip, ip6), priorities

    def _mode(self, service: Given, mode: str) -> str:
        """Return what `network_mode` means to the daemon."""
        other = mode.removeprefix("service:")
        if other != mode:
            if other not in self.services:
                service.at("network_mode").wrong(f"names the service `{other}`, which does not take part")
                return "none"
            return f"container:{self.services[other].at('container_name').text() or f'{self.project}-{other}-1'}"
        if mode in {"bridge", "default", "host", "none"} or mode.startswith("container:"):
            return "bridge" if mode == "default" else mode
        return mode
