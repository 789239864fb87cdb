"""Statements and heads of blocks as canonical lines: the inverse of the parser, one line at a time."""

from __future__ import annotations

import re

from policyc.language import definitions as d
from policyc.language import tree as t
from policyc.language.packet import PacketTest, Proof, TestBlock
from policyc.language.print_literals import families_text, literal_text, quoted
from policyc.language.print_rules import (
    BREAK,
    intent_text,
    joined,
    listed,
    packet_test_text,
    pair_text,
    proof_text,
    rule_text,
    use_text,
)
from policyc.language.rules import Rule, Use
from policyc.language.vocabulary import ENGINE_WORDS, RESERVED


def line_text(node: t.Node) -> str:
    """Return the line of a node; of a block its head, without the brace."""
    match node:
        case Rule():
            return rule_text(node)
        case Use():
            return use_text(node)
        case t.Intent() | t.Netmap() | t.Clamp():
            return intent_text(node)
        case t.Include(format=kind, path=path):
            return joined("include", "" if kind == "policy" else kind, literal_text(path))
        case t.Require(key=key, value=value):
            return f"require sysctl {key.text} = {literal_text(value)}"
        case PacketTest():
            return packet_test_text(node)
        case Proof():
            return proof_text(node)
        case t.FamilyLine() | t.OwnershipLine() | t.DefaultLine() | t.PlaceLine():
            return _policy_line(node)
        case t.EngineLine(version=version, options=options):
            return joined("engine", _engine_text(version.text), *map(_option, options))
        case t.EngineObject(kind=kind, name=name, options=options):
            return joined(kind, name.text, "=" if options else "", *map(_option, options))
        case t.RuleBlock() | t.PolicyBlock() | t.Define() | t.DockerBlock() | TestBlock():
            return _head(node)
        case t.Broken(kind=kind, name=name):
            return f"{kind} {name.text}"
        case _:
            return _definition(node)


def _head(node: t.Block) -> str:
    match node:
        case t.RuleBlock(table=table, pair=pair):
            return f"{table} {pair_text(pair)}"
        case t.PolicyBlock(name=name):
            return f"policy {name.text}"
        case TestBlock(name=title):
            return f"test {quoted(title.text)}"
        case t.DockerBlock():
            return "docker"
        case t.Define(name=name, parameters=parameters):
            inside = f",{BREAK}".join(f"{each.name.text}: {each.kind}" for each in parameters)
            return f"define {name.text}" + (f"({inside})" if parameters else "")


def _policy_line(node: t.PolicyLine) -> str:
    match node:
        case t.FamilyLine(families=families):
            return f"family {families_text(families)}"
        case t.OwnershipLine(exclusive=exclusive):
            return f"ownership {'exclusive' if exclusive else 'shared'}"
        case t.DefaultLine(defaults=defaults):
            return "default " + f",{BREAK}".join(f"{each.chain} {each.verdict}" for each in defaults)
        case t.PlaceLine(last=last):
            return f"place {'last' if last else 'first'}"


def _option(option: t.EngineOption) -> str:
    text = quoted if option.word in {"publish", "link"} else _engine_text
    return joined(option.word, f",{BREAK}".join(text(value.text) for value in option.values))


_PLAIN = re.compile(r"[\w.:/-]+", re.ASCII)


def _engine_text(text: str) -> str:
    """Return a text of the engine without quotes where nothing in it needs them."""
    word = text in RESERVED or text in ENGINE_WORDS
    return text if _PLAIN.fullmatch(text) and not word else quoted(text)


def _definition(node: d.Definition) -> str:
    name = node.name.text
    match node:
        case d.ZoneDefinition():
            return joined(
                f"zone {name} =",
                f"interface {listed(node.interfaces)}" if node.interfaces else "",
                f"network {listed(node.networks)}" if node.networks else "",
                f"address {listed(node.addresses)}" if node.addresses else "",
                f"owner {node.owner.text}" if node.owner else "",
            )
        case d.AddressDefinition():
            return f"address {name} = {listed(node.values)}"
        case d.ServiceDefinition():
            return f"service {name} = {listed(node.values)}"
        case d.SetDefinition():
            return joined(
                f"set {name} = {node.content}",
                f"timeout {literal_text(node.timeout)}" if node.timeout else "",
                f"owner {node.owner.text}" if node.owner else "",
                f"name {literal_text(node.external)}" if node.external else "",
            )
        case d.LimitDefinition():
            return joined(
                f"limit {name} =",
                literal_text(node.rate) if node.rate else "",
                f"{node.connections.value} connections" if node.connections else "",
                f"burst {node.burst.value}" if node.burst else "",
                f"per {literal_text(node.per)}" if node.per else "",
            )
        case d.LogDefinition():
            return joined(
                f"log {name} = {literal_text(node.text)}",
                f"nflog {node.group.value}" if node.group else "",
                f"limit {literal_text(node.rate)}" if node.rate else "",
                f"burst {node.burst.value}" if node.burst else "",
            )
        case d.MarkDefinition():
            return f"mark {name} = {literal_text(node.value)}"
        case d.ScheduleDefinition():
            return joined(f"schedule {name} =", listed(node.days), listed(node.hours), "utc")
