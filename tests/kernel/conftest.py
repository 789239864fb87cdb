"""Kernel tests load rules and send packets in network namespaces of their own; where that is impossible they say why.

With CI=true a kernel test that cannot run fails, so that a green run means that the kernel was asked.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from policyc.kernel.namespace import Namespace
from policyc.kernel.processes import PATH, NotPrivileged

PROGRAMS = (
    "iptables-nft-restore",
    "iptables-legacy-restore",
    "ip6tables-nft-restore",
    "ipset",
    "ip",
    "unshare",
    "nsenter",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.kernel)


@pytest.fixture(scope="session")
def machine() -> None:
    """Skip, or with CI=true fail, where this machine cannot load rules."""
    reason = _why_not()
    if reason:
        if os.environ.get("CI") == "true":
            pytest.fail(f"the kernel tests cannot run: {reason}")
        pytest.skip(f"kernel tests need root and iptables: {reason}")


@pytest.fixture
def namespace(machine: None) -> Namespace:
    """A throw-away network namespace."""
    with Namespace() as entered:
        yield entered


def _why_not() -> str:
    missing = [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if os.geteuid() != 0:
        return "not root"
    try:
        with Namespace():
            return ""
    except NotPrivileged as error:
        return str(error)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of other people's dumps and of recorded truth beside the checkout; never part of the project."""
    folder = Path(os.environ.get("POLICYC_SHARED", Path(__file__).parents[3] / "shared"))
    if not (folder / "corpus").is_dir():
        pytest.skip("no corpus of real dumps beside this checkout (POLICYC_SHARED names another place)")
    return folder
