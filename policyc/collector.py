"""The cyclic garbage collector rests while hundreds of thousands of values without cycles are made. Beside the pipeline.

Without this, reading a large dump spends a third of its time on looking for cycles that cannot be there.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def resting_collector(*, keep: bool = False) -> Iterator[None]:
    """Keep the collector out of the block; with `keep` later collections do not look at what there is after it either."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            if keep:
                gc.freeze()
            gc.enable()
