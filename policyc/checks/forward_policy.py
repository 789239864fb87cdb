"""engine-sets-forward-policy: beside a container engine, forwarded packets that no rule decides are dropped.

Docker sets the policy of FORWARD to DROP where it turns forwarding on itself. Between zones that have nothing to do with
containers that is a change that nobody wrote; each pair is sent a packet to see.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from policyc.checks.survey import Survey
from policyc.diagnostics import Diagnostic, InputError, diagnose
from policyc.net.addresses import format_address
from policyc.netfilter.hooks import Hook
from policyc.netfilter.intent import Zone

_ELSEWHERE = {4: "203.0.113.9", 6: "2001:db8:99::9"}


def check(survey: Survey) -> Iterator[Diagnostic]:
    """Yield one finding for a policy, which names the pairs of zones."""
    intent = survey.ruleset.intent
    if intent is None or not survey.ruleset.shared:
        return
    zones = [zone for zone in intent.zones if not zone.owner]
    for table in survey.tables:
        forward = table.chain(Hook.FORWARD.value) if table.name == "filter" else None
        if forward is None or forward.policy != "DROP":
            continue
        pairs = [f"{a.name} -> {b.name}" for a, b in permutations(zones, 2) if _is_left(survey, a, b, table.family)]
        if pairs:
            shown = ", ".join(f"`{pair}`" for pair in pairs[:4]) + (f" and {len(pairs) - 4} more" if pairs[4:] else "")
            yield diagnose(
                "engine-sets-forward-policy",
                f"docker sets the policy of FORWARD to DROP, which takes what no rule decides: {shown}",
                forward.span,
                help="say what is to happen: `filter A -> B { otherwise … }`; "
                "where the host forwards before docker starts, `require sysctl net.ipv4.ip_forward = 1`",
            )
            return


def _is_left(survey: Survey, one: Zone, other: Zone, family: int) -> bool:
    """Whether a first packet from one zone to another meets no rule but the policy of FORWARD."""
    # Few policies stand beside an engine: the others do not load what follows packets.
    from policyc.explanation.outcomes import Situation, outcomes
    from policyc.explanation.places import Places
    from policyc.explanation.placing import Placing
    from policyc.explanation.sentence import questions_of

    ruleset = survey.ruleset
    source, destination = _address(one, family, 9), _address(other, family, 10)
    if source == destination:
        return False
    name = f"[{source}]" if family == 6 else source
    target = f"[{destination}]" if family == 6 else destination
    try:
        question = questions_of(f"tcp {name} -> {target}:4 in {one.name} out {other.name}", ruleset.intent)[0]
        placed = Placing(ruleset, strict=True).place(question)[0]
    except InputError:
        return False
    way = outcomes(Situation(ruleset, placed.host), placed.packet, counted=False).first
    step = way.trace.deciding
    found = None if step is None else Places(ruleset).of(family, step.table, step.chain, step.rule)
    return found is not None and found.number == "policy" and found.chain == Hook.FORWARD.value


def _address(zone: Zone, family: int, number: int) -> str:
    network = next((one for one in zone.networks if one.family == family), None)
    return _ELSEWHERE[family] if network is None else format_address(network.address + number, family)
