"""What golden files say badly: order of includes and calls, the presets by hook, prefixes within their limits."""

from __future__ import annotations

from policyc.language.parser import parse
from policyc.netfilter.hooks import Hook
from policyc.policy.defined import MAX_LOG_PREFIX, MAX_NFLOG_PREFIX
from policyc.policy.model import Block, Policy
from policyc.policy.resolve import resolve
from policyc.source import Source


def resolved(text: str, **files: str) -> Policy:
    def include(_name: str, path: str) -> Source:
        return Source(path, files[path])

    policy, found = resolve(parse(Source("test.pol", text))[0], include)
    assert policy, found
    return policy


def blocks(policy: Policy) -> list[Block]:
    return [item for item in policy.items if isinstance(item, Block)]


def test_an_include_stands_at_its_place_and_once() -> None:
    policy = resolved(
        'zone wan = interface eth0\nfilter wan -> self { accept tcp/1 }\ninclude "a"\ninclude "a"\nfilter wan -> self { accept tcp/3 }',
        a="filter wan -> self { accept tcp/2 }",
    )
    assert [str(block.rules[0].services[0].ports[0][0]) for block in blocks(policy)] == ["1", "2", "3"]  # type: ignore[union-attr]


def test_a_file_without_a_policy_block_is_called_after_its_name() -> None:
    policy = resolved("zone wan = interface eth0")
    assert (policy.name, policy.families, policy.exclusive) == ("test", (4, 6), False)


def test_the_baseline_says_other_things_in_other_hooks() -> None:
    policy = resolved("filter any -> self, any { use baseline }\nfilter self -> any { use baseline }")
    first, second = blocks(policy)
    said = {hook: [rule.name for rule in first.rules if rule.hooks == (hook,)] for hook in (Hook.INPUT, Hook.FORWARD)}
    assert said[Hook.INPUT][0] == "baseline.lo"
    assert said[Hook.INPUT][-1] == "baseline.invalid"
    assert said[Hook.FORWARD] == ["baseline.replies", "baseline.invalid"]
    assert len(first.rules) == sum(len(names) for names in said.values())
    assert [rule.name for rule in second.rules] == ["baseline.lo", "baseline.replies", "baseline.nd", "baseline.mld"]
    assert not any(rule.hooks for rule in second.rules)


def test_an_ipv4_policy_has_no_ipv6_preset_rules() -> None:
    policy = resolved("policy old { family ip }\nfilter any -> self { use baseline }")
    assert all(rule.families == (4,) for rule in blocks(policy)[0].rules)
    assert "baseline.nd" not in [rule.name for rule in blocks(policy)[0].rules]


def test_log_prefixes_fit_with_an_id() -> None:
    policy = resolved('log a = "nineteen characters"\nlog b = "x" nflog 1')
    assert len(policy.logs[0].prefix("abcdefgh")) == MAX_LOG_PREFIX
    assert len(policy.logs[1].prefix("abcdefgh")) < MAX_NFLOG_PREFIX


def test_all_errors_come_in_order_of_place() -> None:
    text = "filter nowhere -> self { accept shh }\nnat lan -> any { drop tcp }\nrequire sysctl x = 1"
    policy, found = resolve(parse(Source("test.pol", text))[0])
    assert policy is None
    places = [one.span.start for one in found if one.span]
    assert len(places) == len(found) == 5
    assert places == sorted(places)
