"""`require sysctl`: names checked against what the kernel has, each with one value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from policyc.diagnostics import Related
from policyc.language.literals import Name, Number, String
from policyc.language.tree import Require
from policyc.netfilter.intent import Sysctl
from policyc.policy.findings import Findings

_SHAPE = re.compile(r"[a-z][a-z0-9_-]*(?:\.[A-Za-z0-9_+/:@-]+)+")

GONE: dict[str, str] = {
    "net.ipv4.tcp_tw_recycle": "Linux 4.12 removed it, because it broke clients behind NAT",
    "net.ipv4.ip_conntrack_max": "it is `net.netfilter.nf_conntrack_max` since Linux 2.6.20",
    "net.ipv4.netfilter.ip_conntrack_max": "it is `net.netfilter.nf_conntrack_max` since Linux 2.6.20",
    "net.nf_conntrack_max": "write `net.netfilter.nf_conntrack_max`",
}
"""Settings that old instructions name and kernels no longer have."""


@cache
def known_settings() -> frozenset[str]:
    """Return the settings of Linux 6.18 under net; `*` stands for an interface."""
    from policyc.policy.sysctl_names import TABLE

    found: set[str] = set()
    directory = ""
    for word in TABLE.split():
        if word.endswith(":"):
            directory = word[:-1]
        else:
            found.add(f"{directory}.{word}")
    return frozenset(found)


def canonical_name(text: str) -> str:
    """Return a name with dots between its parts, as sysctl(8) prints it; a dot of an interface's name becomes a slash."""
    first = re.search(r"[./]", text)
    if first and first[0] == "/":
        return text.translate(str.maketrans("./", "/."))
    return text


def resolve_sysctls(required: Sequence[Require], findings: Findings) -> tuple[Sysctl, ...]:
    """Return the settings that a policy requires, each once; report bad names and two values for one name."""
    found: dict[str, tuple[Sysctl, Require]] = {}
    for require in required:
        name = canonical_name(require.key.text)
        if not _known(name, require.key, findings):
            continue
        setting = Sysctl(name, _text(require.value), "require sysctl", require.span)
        first, where = found.setdefault(name, (setting, require))
        if first.value != setting.value:
            message = f"`{name}` is required to be `{first.value}` and `{setting.value}`"
            related = [Related("the first value stands here", where.span)]
            findings.report("duplicate-name", message, require.span, related=related)
    return tuple(setting for setting, _ in found.values())


def _known(name: str, key: Name, findings: Findings) -> bool:
    if not _SHAPE.fullmatch(name):
        message = f"`{key.text}` is not the name of a kernel setting"
        findings.report("bad-literal", message, key.span, "write `net.ipv4.ip_forward`")
        return False
    if name in GONE:
        message = f"the kernel has no setting `{name}` any more"
        findings.report("unknown-name", message, key.span, GONE[name])
        return False
    pattern = re.sub(r"\.(conf|neigh|nf_log)\.[^.]+", r".\1.*", name)
    known = known_settings()
    if pattern in known:
        return True
    from difflib import get_close_matches  # only errors pay for it

    near = get_close_matches(pattern, known, n=1, cutoff=0.9)
    if not near:
        return True
    wildcard = re.search(r"\.(?:conf|neigh|nf_log)\.([^.]+)", name)
    meant = near[0].replace("*", wildcard[1] if wildcard else "all")
    message = f"the kernel has no setting `{name}`"
    findings.report("unknown-name", message, key.span, f"did you mean `{meant}`?")
    return False


def _text(value: Name | String | Number) -> str:
    return str(value.value) if isinstance(value, Number) else value.text
