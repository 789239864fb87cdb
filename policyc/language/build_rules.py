"""Parse trees to rules, calls, pairs and words: what stands in blocks of rules, and in intents and proofs too.

A function returns None when it has reported what is wrong. The texts of tokens are read by the `read_…` files.
"""

from __future__ import annotations

from collections.abc import Iterator

from lark import Token, Tree

from policyc.language import words as w
from policyc.language.literals import Name, ServiceValue, Value
from policyc.language.problems import Problems
from policyc.language.read_addresses import address_value, endpoint
from policyc.language.read_amounts import mark, mask
from policyc.language.read_names import name, string, zone
from policyc.language.read_rules import rule, verb_with
from policyc.language.read_services import service
from policyc.language.read_words import ROWS, Item, in_order, read_all, read_families, read_word
from policyc.language.rules import Comment, Pair, RuleLine, Use, Verb
from policyc.language.vocabulary import ICMP_PROTOCOLS, PORT_PROTOCOLS
from policyc.source import Span

Node = Tree[Token]


def tokens(node: Node) -> list[Token]:
    """Return the tokens that stand directly in a node."""
    return [child for child in node.children if isinstance(child, Token)]


def parts(node: Node, kind: str) -> Iterator[Node]:
    """Yield the direct children that are nodes of that rule of the grammar."""
    return (child for child in node.children if isinstance(child, Tree) and child.data == kind)


def part(node: Node, kind: str) -> Node | None:
    """Return the first of them, None where there is none."""
    return next(parts(node, kind), None)


def item(token: Token) -> Item:
    """Return a token's text and place."""
    return str(token), token.start_pos or 0


def items(node: Node) -> list[Item]:
    """Return the tokens of a node as texts with their places, arrows left out."""
    return [item(each) for each in tokens(node) if each != "->"]


def place(node: Node, problems: Problems) -> Span:
    """Return the span of a node, its keywords included."""
    return Span(problems.source, node.meta.start_pos, node.meta.end_pos)


def pair(node: Node, problems: Problems) -> Pair | None:
    """Build `A -> B`."""
    sides = [read_all(zone, items(side), problems) for side in parts(node, "side")]
    sources, targets = sides
    return None if sources is None or targets is None else Pair(sources, targets, place(node, problems))


def zones(node: Node, problems: Problems) -> tuple[Name, ...] | None:
    """Build the zones after `on`."""
    return read_all(zone, items(node), problems)


def services(node: Node, problems: Problems) -> tuple[ServiceValue, ...] | None:
    """Build the services of a rule, an intent or a proof; none is the empty tuple."""
    found = part(node, "services")
    return read_all(service, items(found), problems) if found else ()


def words(node: Node, problems: Problems) -> tuple[w.Word, ...] | None:
    """Build the words of a line in canonical order."""
    return in_order([_word(child, problems) for child in parts(node, "word")], problems)


def _word(node: Node, problems: Problems) -> w.Word | None:
    first, *rest = tokens(node)
    negated = bool(rest) and rest[0].type == "NOT"
    values = [item(token) for token in rest[negated:]]
    if first == "family":
        return read_families(values, problems, place(node, problems))
    return read_word(ROWS[str(first)], values, problems, place(node, problems), negated)


def rule_line(node: Node, comments: tuple[Comment, ...], problems: Problems) -> RuleLine | None:
    """Build a line of a block of rules."""
    if node.data == "use":
        return _use(node, comments, problems)
    verb_node = part(node, "verb")
    assert verb_node, "the grammar gives every rule a verb"
    return rule(
        _verb(verb_node, problems),
        services(node, problems),
        [_word(child, problems) for child in parts(node, "word")],
        problems,
        otherwise=bool(tokens(node)),
        comments=comments,
        span=place(node, problems),
    )


def _verb(node: Node, problems: Problems) -> Verb | None:
    first, *rest = tokens(node)
    if not rest:
        return Verb(str(first), None, place(node, problems))
    if first in {"save-mark", "restore-mark"}:
        bits = mask(*item(rest[0]), problems)
        return None if bits is None else Verb(str(first), bits, place(node, problems))
    return verb_with(str(first), item(rest[0]), node.meta.start_pos, problems)


def _use(node: Node, comments: tuple[Comment, ...], problems: Problems) -> Use | None:
    called = name(*items(node)[0], problems, "a preset or define")
    found = part(node, "arguments")
    arguments: list[tuple[Value, ...] | None] = []
    if found:
        arguments = [read_all(argument, items(child), problems) for child in parts(found, "argument")]
    given = tuple(values for values in arguments if values is not None)
    if called is None or len(given) < len(arguments):
        return None
    return Use(called, given, comments, place(node, problems))


def argument(text: str, start: int, problems: Problems) -> Value | None:
    """Read a value of any kind by its look; the parameter's kind is compared when the call is resolved."""
    protocol, slash, _ = text.partition("/")
    if text[0] in "\"'":
        return string(text, start, problems)
    if text[0] in "[:" or text.count(":") == 1:
        return endpoint(text, start, problems)
    if protocol in PORT_PROTOCOLS or protocol in ICMP_PROTOCOLS or (slash and protocol.isalpha()):
        return service(text, start, problems)
    if text[0].isdecimal() and "." not in text and ":" not in text:
        return mark(text, start, problems)
    return address_value(text, start, problems)
