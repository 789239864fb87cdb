"""The host as it will be when a change is done: the new rules on a snapshot, to ask what becomes of packets.

Part of `policyc.kernel.apply`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from policyc.netfilter.saved import Saved

if TYPE_CHECKING:
    from policyc.host.host import Host
    from policyc.netfilter.ruleset import Ruleset


def host_now() -> Host:
    """Return this namespace with its addresses, routes, sets and connections. Raises InputError, and what taking it raises."""
    from policyc.kernel.snapshot import take
    from policyc.readers.snapshot import read_snapshot
    from policyc.source import Source

    found = json.loads(take(conntrack=True))
    found.pop("iptables", None)  # the rules of now are not asked, and may be such that nobody can read them
    host = read_snapshot(Source("this host", json.dumps(found))).host
    assert host is not None, "a snapshot has a host"
    return host


def future(host: Host, after: Saved, new_sets: str) -> Ruleset:
    """Return the rules that will be there, on the host; `new_sets` are `create` lines. Raises InputError."""
    from policyc.netfilter.ipset import IpSet
    from policyc.netfilter.ruleset import Ruleset
    from policyc.readers.ipset import read_ipsets
    from policyc.readers.joining import joined
    from policyc.readers.save import read_save
    from policyc.source import Source
    from policyc.writers.saved import saved_text

    if new_sets:
        host = replace(host, sets={**host.sets, **read_ipsets(Source("the new sets", new_sets))})
    texts = [(family, text) for family in (4, 6) if (text := saved_text(after, family))]
    rules = joined([read_save(Source("the new rules", text), family) for family, text in texts]) if texts else Ruleset()
    sets = tuple(IpSet(one.name, one.kind, one.family or 0, one.timeout) for one in host.sets.values())
    return replace(rules, sets=sets, host=host)
