"""Calls of plugins in JSON as values: recorded ones, and a network's configuration (conflist) for one container.

Everything that is wrong is told at once, each problem at its line with the path of its key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_interface

from policyc.diagnostics import Diagnostic, diagnose
from policyc.engines.cni.plugin_file import PluginReader
from policyc.engines.cni.scenario import (
    DEFAULT_INTERFACE,
    Drawn,
    Interface,
    Operation,
    Plugin,
    Scenario,
    Verb,
)
from policyc.engines.cni.versions import Behaviour
from policyc.engines.fields import choice, converted
from policyc.engines.given import Given

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*")
_OPERATION = {"op", "container_id", "netns", "ifname", "plugins"}
_LIST = {
    "cniVersion", "cniVersions", "name", "plugins", "disableCheck", "disableGC", "loadOnlyInlinedPlugins", "runtimeConfig",
}  # fmt: skip
STAND_IN = "container"
"""The name of a container that nobody named."""


def read_scenario(given: Given, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return calls and remarks on them. Raises InputError with all that is wrong."""
    given.unknown_keys({"operations", "pre", "note"})
    reader = PluginReader(how)
    operations = [_operation(item, reader) for item in given.at("operations").items()]
    given.document.settle()
    before = "\n".join(given.at("pre").texts())
    return Scenario(before, tuple(operations)), reader.notes


def _operation(given: Given, reader: PluginReader) -> Operation:
    given.unknown_keys(_OPERATION)
    plugins = list(given.at("plugins").items())
    if not plugins:
        given.wrong("needs `plugins`")
    names = {item.at("name").text() for item in plugins}
    if len(names) > 1:
        given.wrong(f"calls plugins of several networks: {', '.join(sorted(names))}")
    return Operation(
        Verb(choice(given.at("op"), [each.value for each in Verb], Verb.ADD)),
        _named(plugins[0].at("name")) if plugins else "",
        _named(given.at("container_id")),
        given.at("ifname").text(DEFAULT_INTERFACE),
        _read(plugins, reader),
        given.span,
    )


def read_network(given: Given, resolved: Given, how: Behaviour) -> tuple[Scenario, list[Diagnostic]]:
    """Return the ADD of one container to a network, whose configuration is a conflist or that of a single plugin.

    `runtimeConfig` beside `plugins` is what a runtime passes to those that have the capability. `resolved` may name the
    container (`containerID`). Raises InputError with all that is wrong.
    """
    arguments = given.at("runtimeConfig")
    reader = PluginReader(how, arguments)
    container = _named(resolved.at("containerID")) if "containerID" in resolved else STAND_IN
    if isinstance(given.value, Mapping) and "plugins" not in given.value and "type" in given.value:
        plugins = [given]
    else:
        given.unknown_keys(_LIST)
        plugins = list(given.at("plugins").items())
        if not plugins:
            given.wrong("needs `plugins`")
    name = _named(given.at("name"))
    operation = Operation(Verb.ADD, name, container, DEFAULT_INTERFACE, _read(plugins, reader), given.span)
    for key, item in arguments.entries() if "plugins" in given else ():
        if not any(plugin.at("capabilities").at(key).flag() for plugin in plugins):
            message = f"no plugin has the capability `{key}`: the runtime passes it to none"
            reader.notes.append(diagnose("engine-option-ignored", message, item.span))
    given.document.settle()
    resolved.document.settle()
    if "containerID" not in resolved:
        message = f"the runtime draws the container's id, part of chain names; `{STAND_IN}` stands in for it"
        hint = 'name it: `--resolved` with {"containerID": "…"}'
        reader.notes.append(diagnose("drawn-by-engine", message, given.at("name").span, help=hint))
    return Scenario("", (operation,)), reader.notes


def _read(plugins: list[Given], reader: PluginReader) -> tuple[Plugin, ...]:
    return tuple(found for item in plugins if (found := reader.read(item)) is not None)


def _named(given: Given) -> str:
    """Return a name of a network or container, as libcni takes them (pkg/utils/utils.go)."""
    text = given.text()
    if not _NAME.fullmatch(text):
        given.wrong(f"must be a name of letters, digits, `_`, `.` and `-`, not `{text}`" if text else "is missing")
    return text


def read_drawn(given: Given) -> Drawn:
    """Return the addresses that are known: `{"containers": {"ID": {"NETWORK": ["10.22.0.5/24"]}}}`. Raises InputError."""
    found: dict[tuple[str, str], tuple[Interface, ...]] = {}
    for container, networks in given.at("containers").entries():
        for network, item in networks.entries():
            each = [converted(one, ip_interface, "an address, as 10.22.0.5/24") for one in item.items()]
            found[container, network] = tuple(one for one in each if one is not None)
    given.document.settle()
    return Drawn(found)
