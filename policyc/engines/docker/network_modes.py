"""How a container may be on the network, and which hooks of the host see its traffic: what `--network` decides, as data.

Sources: docs.docker.com (network drivers), moby libnetwork/drivers and libnetwork/service_linux.go (ingress), the kernel's
Documentation/networking/ipvlan.rst and drivers/net/{macvlan,ipvlan}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from policyc.engines.docker.daemon import Daemon
from policyc.frozen import frozen


@frozen
class Mode:
    """A way to be on the network: `name` as `--network` or the driver has it.

    `into` and `out_of` are the host's hooks that packets to a port and from the container pass, in order; none where the
    host's rules do not see them. `publishes` says what `-p` does, `seen` whom the server takes for its client.
    """

    name: str
    into: tuple[str, ...]
    out_of: tuple[str, ...]
    publishes: str
    seen: str
    remark: str

    def to_dict(self, containers: Sequence[str] = ()) -> dict[str, Any]:
        """Return its JSON form, with the containers of a preview that are in it."""
        return {
            "mode": self.name, "hooks_in": list(self.into), "hooks_out": list(self.out_of), "publishes": self.publishes,
            "server_sees": self.seen, "remark": self.remark, "containers": list(containers),
        }  # fmt: skip


_FORWARDED = ("PREROUTING", "FORWARD", "POSTROUTING")

MODES: tuple[Mode, ...] = (
    Mode(
        "bridge", _FORWARDED, _FORWARDED, "DNAT, and docker-proxy for what is not translated",
        "the client; the bridge's gateway by docker-proxy",
        "INPUT is for docker-proxy alone; rules of yours belong into DOCKER-USER",
    ),
    Mode(
        "host", ("PREROUTING", "INPUT"), ("OUTPUT", "POSTROUTING"), "nothing: the container's ports are the host's",
        "the client", "a program of the host as any other: INPUT decides",
    ),
    Mode("none", (), (), "nothing", "nobody", "the container has a loopback of its own and nothing else"),
    Mode(
        "container:NAME", _FORWARDED, _FORWARDED, "nothing: NAME publishes, before it is started", "as with NAME",
        "one namespace for both; here with NAME on a bridge",
    ),
    Mode(
        "macvlan", (), (), "nothing: the container has an address on the link itself", "the client",
        "no hook of IP on the host; rules belong into the container's namespace, or into netdev ingress; "
        "host and container do not reach each other by the parent interface",
    ),
    Mode(
        "ipvlan", (), (), "nothing: the container has an address on the link itself", "the client",
        "as macvlan, with the parent's MAC address; `-o ipvlan_mode=l3s` passes PREROUTING and INPUT of the host on the way in, "
        "OUTPUT and POSTROUTING on the way out",
    ),
    Mode(
        "overlay ingress", _FORWARDED, _FORWARDED, "DNAT in DOCKER-INGRESS to the ingress sandbox of each node, IPVS there",
        "the ingress sandbox, 10.0.0.x",
        "between nodes it is UDP 4789, which passes OUTPUT and INPUT; with `mode=host` it is published as on a bridge",
    ),
)  # fmt: skip


def modes_of(daemon: Daemon) -> Mapping[str, tuple[str, ...]]:
    """Return the running containers by the name of their mode; one on networks of several drivers stands under each."""
    found: dict[str, dict[str, None]] = {}
    for one in daemon.containers.values():
        for name in one.networks if one.running else ():
            found.setdefault(_mode(daemon, name), {})[one.config.name] = None
    return {name: tuple(containers) for name, containers in found.items()}


def _mode(daemon: Daemon, network: str) -> str:
    if network in {"host", "none"}:
        return network
    if network.startswith("container:"):
        return "container:NAME"
    driver = daemon.networks[network].config.driver
    return "overlay ingress" if driver == "overlay" else driver
