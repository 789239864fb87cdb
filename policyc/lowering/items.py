"""Fourth pass: every block and intent in written order, into each base chain that it enters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyc.lowering.blocks import block
from policyc.lowering.clamp import clamp
from policyc.lowering.draft import Draft
from policyc.lowering.netmap import netmap
from policyc.lowering.notrack import notrack
from policyc.lowering.publish import publish
from policyc.lowering.synproxy import synproxy
from policyc.lowering.tproxy import tproxy
from policyc.policy.model import Block, Clamp, Netmap, Notrack, Publish, Synproxy, Tproxy

WRITERS: dict[type, Callable[[Draft, Any], None]] = {
    Block: block,
    Publish: publish,
    Notrack: notrack,
    Synproxy: synproxy,
    Tproxy: tproxy,
    Netmap: netmap,
    Clamp: clamp,
}


def items(draft: Draft) -> None:
    """Write every item; the order in which base chains see them is the order of the file."""
    for item in draft.policy.items:
        WRITERS[type(item)](draft, item)
