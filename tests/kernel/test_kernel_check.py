"""`check --kernel`: a real load in a throw-away namespace, refusals brought back to the rules that cause them."""

from __future__ import annotations

import pytest

from policyc import api
from policyc.kernel.check import kernel_check
from policyc.kernel.loading import Backend, load
from policyc.kernel.namespace import Namespace

HEAD = "*{table}\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"


def _lines(text: str, backend: Backend) -> list[tuple[str, int]]:
    return [(d.code, d.span.line) for d in kernel_check(api.load(text, family=4), (backend,))]


@pytest.mark.parametrize("backend", list(Backend))
def test_what_the_kernel_takes_is_silent(machine: None, backend: Backend) -> None:
    text = "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\nCOMMIT\n"
    assert _lines(text, backend) == []


@pytest.mark.parametrize("backend", list(Backend))
def test_each_refused_rule_is_named_at_its_own_line(machine: None, backend: Backend) -> None:
    text = (
        "*filter\n:INPUT DROP [0:0]\n:a - [0:0]\n"
        "-A INPUT -i lo -j ACCEPT\n"
        "-A INPUT -j NOWHERE\n"
        "-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n"
        "-A a -j MASQUERADE\n"
        "-A INPUT -j a\n"
        "COMMIT\n"
    )
    found = _lines(text, backend)
    assert ("PC701", 5) in found
    assert any(code == "PC701" and line in {7, 8} for code, line in found)  # the rule, or the jump that reaches it
    assert not {line for _, line in found} & {4, 6}


def test_a_refusal_in_a_long_table_is_found_by_halving(machine: None) -> None:
    rules = [f"-A INPUT -s 10.0.{n // 250}.{n % 250}/32 -j ACCEPT" for n in range(1000)]
    rules[617] = "-A INPUT -j MASQUERADE"
    text = "\n".join(["*filter", ":INPUT DROP [0:0]", *rules, "COMMIT", ""])
    for backend in Backend:
        assert _lines(text, backend) == [("PC701", 617 + 3)]


def test_nothing_of_a_refused_table_is_loaded(machine: None) -> None:
    ruleset = api.load("*filter\n:INPUT DROP [0:0]\n-A INPUT -j MASQUERADE\n-A INPUT -j ACCEPT\nCOMMIT\n", family=4)
    with Namespace() as namespace:
        assert list(load(ruleset, Backend.NFT, namespace))
        assert "MASQUERADE" not in namespace.run([Backend.NFT.tool(4, "save")]).out


def test_the_namespace_is_gone_afterwards(machine: None) -> None:
    with Namespace() as namespace:
        pid = namespace.pid
        assert namespace.run(["true"]).code == 0
    with pytest.raises(FileNotFoundError), open(f"/proc/{pid}/comm", encoding="ascii"):
        pass
