"""Docker's own words as data: options and commands that are known though they change nothing about rules.

A word that is not here is reported, so that a misspelled option is not taken for one that does not matter.
Source: docker/cli (cli/command) and moby (cmd/dockerd), 20.10 to 29.
"""

from __future__ import annotations

HARMLESS_FLAGS = frozenset({
    "add-runtime", "allow-nondistributable-artifacts", "api-cors-header", "authorization-plugin", "builder",
    "cgroup-parent", "config-file", "containerd", "containerd-namespace", "containerd-plugins-namespace",
    "cpu-rt-period", "cpu-rt-runtime", "cri-containerd", "data-root", "debug", "default-cgroupns-mode",
    "default-ipc-mode", "default-runtime", "default-shm-size", "default-ulimit", "default-ulimits", "dns",
    "dns-opt", "dns-opts", "dns-search", "exec-opt", "exec-opts", "exec-root", "features", "group", "host",
    "hosts", "http-proxy", "https-proxy", "init", "init-path", "insecure-registry", "insecure-registries",
    "label", "labels", "log-driver", "log-format", "log-level", "log-opt", "log-opts",
    "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "metrics-addr", "mtu",
    "network-control-plane-mtu", "no-new-privileges", "no-proxy", "node-generic-resource",
    "node-generic-resources", "oom-score-adjust", "pidfile", "proxies", "raw-logs", "registry-mirror",
    "registry-mirrors", "runtimes", "seccomp-profile", "selinux-enabled", "shutdown-timeout", "storage-driver",
    "storage-opt", "storage-opts", "swarm-default-advertise-addr", "tls", "tlscacert", "tlscert", "tlskey",
    "tlsverify", "userland-proxy-path", "userns-remap", "validate",
})  # fmt: skip
"""Flags of dockerd that change no rule."""

HARMLESS_COMMANDS = frozenset({
    "exec", "pause", "unpause", "logs", "wait", "inspect", "ps", "images", "pull", "update", "attach", "cp",
    "diff", "top", "stats", "version", "info", "port", "events",
})  # fmt: skip
"""Commands of docker that change no rule."""

RUN_FLAGS = frozenset({
    "detach", "d", "interactive", "i", "tty", "t", "rm", "privileged", "publish-all", "P", "init", "read-only",
    "no-healthcheck", "oom-kill-disable", "sig-proxy", "disable-content-trust", "quiet", "q", "use-api-socket",
    "help",
})  # fmt: skip
"""Options of `docker run` without a value."""

RUN_VALUES = frozenset({
    "add-host", "annotation", "attach", "a", "blkio-weight", "blkio-weight-device", "cap-add", "cap-drop",
    "cgroup-parent", "cgroupns", "cidfile", "cpu-count", "cpu-percent", "cpu-period", "cpu-quota",
    "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "c", "cpus", "cpuset-cpus", "cpuset-mems", "detach-keys",
    "device", "device-cgroup-rule", "device-read-bps", "device-read-iops", "device-write-bps",
    "device-write-iops", "dns", "dns-opt", "dns-option", "dns-search", "domainname", "entrypoint", "env", "e",
    "env-file", "expose", "gpus", "group-add", "health-cmd", "health-interval", "health-retries",
    "health-start-interval", "health-start-period", "health-timeout", "hostname", "h", "io-maxbandwidth",
    "io-maxiops", "ip", "ip6", "ipc", "isolation", "kernel-memory", "label", "l", "label-file", "link",
    "link-local-ip", "log-driver", "log-opt", "mac-address", "memory", "m", "memory-reservation", "memory-swap",
    "memory-swappiness", "mount", "name", "net", "net-alias", "network", "network-alias", "oom-score-adj",
    "pid", "pids-limit", "platform", "publish", "p", "pull", "restart", "runtime", "security-opt", "shm-size",
    "stop-signal", "stop-timeout", "storage-opt", "sysctl", "tmpfs", "ulimit", "user", "u", "userns", "uts",
    "volume", "v", "volume-driver", "volumes-from", "workdir", "w",
})  # fmt: skip
"""Options of `docker run` with a value."""

NETWORK_FLAGS = frozenset({
    "internal", "ipv4", "ipv6", "attachable", "ingress", "config-only", "help",
})  # fmt: skip
"""Options of `docker network create` without a value."""

NETWORK_VALUES = frozenset({
    "driver", "d", "subnet", "gateway", "ip-range", "opt", "o", "label", "scope", "aux-address", "config-from",
    "ipam-driver", "ipam-opt",
})  # fmt: skip
"""Options of `docker network create` with a value."""
