"""-m helper: the helper of the connection that expected the packet's connection (net/netfilter/xt_helper.c).

The kernel compares as many characters as the helper's own name has: `ftp-2121` also matches what the helper `ftp` expected.
An empty name matches any helper. A packet that no helper expected matches the negated test.
"""

from __future__ import annotations

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.arguments import Text
from policyc.netfilter.extension import MatchExtension, Option, Options, Surroundings
from policyc.netfilter.predicate import In, Predicate, negate_if


def _meaning(options: Options, around: Surroundings) -> Predicate:  # noqa: ARG001
    name: str = options["helper"]
    names = (
        NameSet.of(name, name.partition("-")[0]) if name else ~NameSet()
    )  # the kernel's names are NAME and NAME-PORT
    return negate_if(options.negated("helper"), In(fields.CT_HELPER, names))


MATCH = MatchExtension(
    name="helper",
    options=(Option("helper", Text(29, "helper name"), negatable=True, required=True),),  # struct xt_helper_info.name
    meaning=_meaning,
)
