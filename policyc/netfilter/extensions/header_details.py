"""What the matches on protocol headers share: IPv6 extension headers, and tests of what no field of the model shows."""

from __future__ import annotations

from policyc.net.names import NameSet
from policyc.netfilter import fields
from policyc.netfilter.extension import Extension, Given, one_written
from policyc.netfilter.predicate import In, Opaque, Predicate, negate_if


def has_extension_header(name: str) -> Predicate:
    """Return "the packet has this IPv6 extension header", `name` as the field `v6.headers` has it."""
    return In(fields.V6_HEADERS, NameSet.of(name))


def detail(extension: Extension, item: Given, family: int) -> Predicate:
    """Return the opaque condition of one option, whose negation is its complement; no rewrite of a field changes it."""
    option = extension.option(item.name)
    assert option is not None
    text = one_written(option, Given(item.name, item.value), family)
    return negate_if(item.negated, Opaque(f"-m {extension.name}{text}", ()))
