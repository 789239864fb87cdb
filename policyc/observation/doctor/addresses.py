"""Addresses that two network namespaces have at the same bridge: packets reach now the one, now the other.

A container that its engine has forgotten and that still runs is the usual cause. `arping` does not see it where both have the
same MAC address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from policyc.observation.doctor.finding import Level, Symptom
from policyc.observation.doctor.measured import Seen

CHECK = "doubled-address"


def doubled(seen: Sequence[Seen]) -> Iterator[Symptom]:
    """Yield a symptom for each address that several namespaces have where they can hear each other."""
    groups: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in seen:
        if one.segment:
            groups[one.segment, one.address].append(one)
    for (segment, address), those in sorted(groups.items()):
        if len({one.namespace for one in those}) < 2:
            continue
        same_mac = len({one.mac for one in those}) < len(those)
        owners = "; ".join(f"{one.owner}, {one.interface} {one.mac}" for one in those)
        yield Symptom(
            CHECK, Level.ERROR, f"several have the address {address} at {segment}",
            "packets to it reach now the one, now the other: a connection is refused or reset at times, and no rule is the cause"
            + ("; they have the same MAC address too, so that arping shows nothing" if same_mac else ""),
            "end the one that should not be there: `nsenter -t PROCESS -n ip addr` shows where it lives", owners,
        )  # fmt: skip
