"""A packet as somebody asks about it, names already resolved: the line of a `test` block, or a sentence for `explain`.

`policyc.explanation.placing` puts it on a host. A name with several addresses became several questions.
"""

from __future__ import annotations

from dataclasses import field

from policyc.frozen import frozen
from policyc.net.headers import Headers
from policyc.source import Span


@frozen
class Question:
    """What is said about one packet.

    In `headers`, `entry` and `exit` may be an interface or the name of a zone. `from_self` and `to_self`: the address there
    is not known yet (it is 0), it is one of this host. `notes` say what was taken for what, as short sentences. The spans
    are those of the whole packet and of what stands after `in` and `out`.
    """

    headers: Headers
    from_self: bool = False
    to_self: bool = False
    notes: tuple[str, ...] = ()
    span: Span | None = field(default=None, compare=False, repr=False)
    entry_span: Span | None = field(default=None, compare=False, repr=False)
    exit_span: Span | None = field(default=None, compare=False, repr=False)
