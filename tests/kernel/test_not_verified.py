"""Where the kernel could not be asked, `explain --verify` does not end as if it had agreed."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyc.cli.main import run

pytestmark = pytest.mark.usefixtures("machine")


@pytest.mark.parametrize(("packet", "code"), [("state ESTABLISHED", 2), ("state NEW", 0)])
def test_not_asked_is_no_agreement(tmp_path: Path, capfd: pytest.CaptureFixture[str], packet: str, code: int) -> None:
    rules = tmp_path / "open.rules"
    rules.write_text("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n")
    words = ("explain", str(rules), f"tcp 192.0.2.9 -> self:22 in eth0 {packet}", "--verify", "--format", "concise")
    assert run(words) == code
    assert ("not asked" in capfd.readouterr().out) is (code == 2)
