"""-m cluster: whether this node of a cluster handles the connection (net/netfilter/xt_cluster.c).

The node is chosen by a hash over the connection's original source: opaque, fixed while that address is, and never true,
with or without `!`, for packets without a connection.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.netfilter import fields
from policyc.netfilter.arguments import Number
from policyc.netfilter.extension import Given, MatchExtension, Option, Options, Surroundings, lacking, one_written
from policyc.netfilter.extensions.connection import HAS_ENTRY
from policyc.netfilter.predicate import Opaque, Predicate, all_of, negate_if

_NODE, _MASK, _TOTAL = "cluster-local-node", "cluster-local-nodemask", "cluster-total-nodes"
MOST_NODES = 32  # XT_CLUSTER_NODES_MAX
_HIGHEST_MASK_READ = 32  # iptables 1.8.9 takes no larger number as a mask, but prints it


def _check(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    yield from lacking(options, _NODE, _MASK)
    total = options[_TOTAL]
    if options.get(_NODE, 0) > total:
        yield f"`--cluster-local-node {options[_NODE]}` is over the {total} nodes of the cluster"
    if options.get(_MASK, 0) >> total:
        yield f"`--cluster-local-nodemask` names nodes beyond the {total} of the cluster"


def _normalise(options: Options, family: int) -> Options:  # noqa: ARG001
    return Options(
        tuple(
            Given(_MASK, 1 << (item.value - 1), item.negated) if item.name == _NODE else item for item in options.given
        )
    )


def _write(options: Options, family: int) -> str:
    text = []
    for option in MATCH.options:
        for item in options.given:
            if item.name != option.name:
                continue
            is_one_node = item.value & (item.value - 1) == 0
            if item.name == _MASK and item.value > _HIGHEST_MASK_READ and is_one_node:
                mark = " !" if item.negated else ""
                text.append(f"{mark} --cluster-local-node {item.value.bit_length()}")
            else:
                text.append(one_written(option, item, family))
    return "".join(text)


def _meaning(options: Options, around: Surroundings) -> Predicate:
    positive = Options(tuple(Given(item.name, item.value) for item in options.given))
    ours = Opaque(f"-m cluster{_write(positive, around.family)}", (fields.CT_ORIG_SRC,))
    return all_of(HAS_ENTRY, negate_if(options.negated(_MASK), ours))


MATCH = MatchExtension(
    name="cluster",
    options=(
        Option(_NODE, Number(1, MOST_NODES), negatable=True, excludes=(_MASK,)),
        Option(_MASK, Number(1, form="#010x"), negatable=True, excludes=(_NODE,)),
        Option(_TOTAL, Number(1, MOST_NODES), required=True),
        Option("cluster-hash-seed", Number(form="#010x"), required=True),
    ),
    check=_check,
    normalise=_normalise,
    write=_write,
    meaning=_meaning,
)
