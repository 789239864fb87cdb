"""Whether code is in the kernel already: asking the kernel for something that is not there may load it, which is a change."""

from __future__ import annotations

import platform
from pathlib import Path

from policyc.kernel.processes import NotPrivileged


def has_module(name: str) -> bool:
    """Whether code is in the kernel already, as a module or built in; true too where nobody can tell and none can be loaded."""
    modules = Path("/proc/modules")
    if not modules.exists() or Path("/sys/module", name).exists():
        return True
    if any(line.split(" ", 1)[0] == name for line in lines_of(modules)):
        return True
    built_in = Path("/lib/modules", platform.release(), "modules.builtin")
    return any(line.endswith(f"/{name}.ko") for line in lines_of(built_in))


def loaded_modules() -> set[str]:
    """Return the names of the modules that are loaded, none where the kernel has no modules."""
    return {line.split(" ", 1)[0] for line in lines_of(Path("/proc/modules"))}


def lines_of(path: Path) -> list[str]:
    """Return the lines of a file of the kernel, none where there is no such file. Raises NotPrivileged."""
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except PermissionError:
        raise NotPrivileged(f"this user may not read {path}") from None
