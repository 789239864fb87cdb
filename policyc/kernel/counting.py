"""The rules of a namespace with what they have counted, of both kinds of iptables. Nothing is reset by reading."""

from __future__ import annotations

from collections.abc import Mapping

from policyc.kernel.inside import asked_inside, namespace_at
from policyc.kernel.privilege import require_privilege
from policyc.kernel.rulesets import iptables_texts

Texts = dict[str, dict[int, str]]
"""iptables-save text with counters, by kind of iptables (`nft`, `legacy`) and family; only what has tables."""


def counted(netns: str | None = None, *, pid: int | None = None) -> Texts:
    """Return the rules of this network namespace, of one of `ip netns`, or of that of a process.

    Raises NotPrivileged, NoNamespace, and MissingProgram where rules are there that no installed program can print.
    """
    return asked_inside(namespace_at(netns, pid), _counted)


def _counted() -> Texts:
    require_privilege()
    backends, _ = iptables_texts(counters=True)
    found: Texts = {}
    for name, texts in (("nft", backends.nft), ("legacy", backends.legacy)):
        if texts is not None:
            families: Mapping[int, list[str]] = {4: texts.ipv4, 6: texts.ipv6}
            found[name] = {
                family: "".join(f"{line}\n" for line in lines) for family, lines in families.items() if lines
            }
    return found
