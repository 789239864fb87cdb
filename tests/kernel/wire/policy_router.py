"""The router of a test network with a policy: what `policyc compile` prints, loaded as a user would load it."""

from __future__ import annotations

import re
from pathlib import Path

from topology import Host

from policyc import api
from policyc.cli.main import run
from policyc.kernel.loading import Backend
from policyc.kernel.processes import program


class PolicyRouter:
    """Loads policies into a host, with one of the two kinds of iptables."""

    def __init__(self, host: Host, backend: Backend, folder: Path) -> None:
        self.host = host
        self.backend = backend
        self.folder = folder

    def load(self, policy: str | Path, jumps: str = "insert") -> None:
        """Compile a policy and load its sets, its rules of both families and the settings that it needs."""
        path = policy if isinstance(policy, Path) else self.folder / "policy.pol"
        if isinstance(policy, str):
            path.write_text(policy)
        ruleset = api.load(path)
        if ruleset.sets:
            self.host.run("ipset", "restore", text=self._compiled(path, "--ipset"))
        for family in ruleset.families:
            words = [f"--family={family}", *[f"--jumps={jumps}"] * ruleset.shared]
            self.restore(family, self._compiled(path, *words), *["--noflush"] * ruleset.shared)
        assert ruleset.intent, "a policy's ruleset knows what it was meant to be"
        for setting in ruleset.intent.sysctls:
            self.host.set(setting.name, setting.value)

    def restore(self, family: int, text: str, *words: str) -> None:
        """Load text of iptables-restore."""
        self.host.run(self._tool(family, "restore"), "-w", *words, text=text)

    def iptables(self, family: int, line: str) -> None:
        """Carry out a line of iptables."""
        self.host.run(self._tool(family), "-w", *line.split())

    def saved(self, family: int, *words: str) -> str:
        """The loaded rules as iptables-save prints them, without its comment lines and the counts of base chains."""
        lines = self.host.run(self._tool(family, "save"), *words).splitlines()
        return re.sub(r"(?m)^(:\S+ \S+).*", r"\1", "\n".join(line for line in lines if not line.startswith("#")))

    def packets(self, part: str, family: int = 4) -> int:
        """How many packets the rules matched that have this text."""
        lines = [line for line in self.saved(family, "--counters").splitlines() if part in line]
        assert lines, f"no rule has `{part}`"
        return sum(int(line[1:].partition(":")[0]) for line in lines)

    def _tool(self, family: int, action: str = "") -> str:
        name = f"ip{'6' * (family == 6)}tables-{self.backend.value}{'-' * bool(action)}{action}"
        return program(name, "iptables")

    def _compiled(self, path: Path, *words: str) -> str:
        output = self.folder / "compiled"
        assert run(["compile", "--isolated", str(path), *words, "--output", str(output)]) == 0
        return output.read_text()
