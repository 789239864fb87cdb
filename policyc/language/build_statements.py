"""Parse trees to intents, includes and requirements, and to the lines of `policy` and `docker` blocks.

A function returns None when it has reported what is wrong.
"""

from __future__ import annotations

from policyc.language import tree as t
from policyc.language.build_rules import Node, item, items, pair, part, parts, place, services, tokens, words, zones
from policyc.language.literals import Name, Network, Number, String
from policyc.language.problems import Problems
from policyc.language.read_addresses import address_value
from policyc.language.read_names import decimal, foreign, name, string
from policyc.language.read_words import Item, families
from policyc.language.rules import Comment
from policyc.source import Span

Comments = tuple[Comment, ...]


def statement(node: Node, comments: Comments, problems: Problems) -> t.Statement | None:
    """Build a statement that is no definition and no block."""
    match node.data:
        case "intent":
            return _intent(node, comments, problems)
        case "netmap":
            return _netmap(node, comments, problems)
        case "clamp":
            return _clamp(node, comments, problems)
        case "require":
            return _require(node, comments, problems)
        case _:
            return include(node, comments, problems)


def _intent(node: Node, comments: Comments, problems: Problems) -> t.Intent | None:
    pair_node = part(node, "pair")
    assert pair_node, "the grammar gives every intent a pair"
    sides, asked, said = pair(pair_node, problems), services(node, problems), words(node, problems)
    if sides is None or asked is None or said is None:
        return None
    return t.Intent(str(tokens(node)[0]), sides, asked, said, comments, place(node, problems))


def _netmap(node: Node, comments: Comments, problems: Problems) -> t.Netmap | None:
    outer, inner = (_mapped(text, start, problems) for text, start in items(node))
    on, said = _zones(node, problems), words(node, problems)
    if outer is None or inner is None or on is None or said is None:
        return None
    if isinstance(outer, Network) and isinstance(inner, Network):
        start, end = outer.span.start, inner.span.end
        if outer.family != inner.family:
            problems.report("wrong-family", "the networks of a netmap are of one family", start, end)
            return None
        if outer.prefix != inner.prefix:
            message = f"the networks of a netmap have one size, not /{outer.prefix} and /{inner.prefix}"
            problems.report("bad-literal", message, start, end)
            return None
    return t.Netmap(outer, inner, on, said, comments, place(node, problems))


def _mapped(text: str, start: int, problems: Problems) -> Network | Name | None:
    value = address_value(text, start, problems)
    if value is None or isinstance(value, Network | Name):
        return value
    message = f"`{text}` is not a network"
    problems.report("bad-literal", message, start, start + len(text), "write `198.51.100.64/28`, /32 for one address")
    return None


def _zones(node: Node, problems: Problems) -> tuple[Name, ...] | None:
    found = part(node, "zones")
    assert found, "the grammar demands zones after `on`"
    return zones(found, problems)


def _clamp(node: Node, comments: Comments, problems: Problems) -> t.Clamp | None:
    on, said = _zones(node, problems), words(node, problems)
    return None if on is None or said is None else t.Clamp(on, said, comments, place(node, problems))


def _require(node: Node, comments: Comments, problems: Problems) -> t.Require | None:
    key, (text, start) = items(node)
    value: Number | String | Name | None
    if text[0] in "\"'":
        value = string(text, start, problems)
    elif decimal(text) >= 0:
        value = Number(decimal(text), Span(problems.source, start, start + len(text)))
    else:
        value = foreign(text, start, problems)
    return None if value is None else t.Require(foreign(*key, problems), value, comments, place(node, problems))


def include(node: Node, comments: Comments, problems: Problems) -> t.Include | None:
    """Build an include; the file is read by whoever resolves it."""
    kind = part(node, "include_format")
    path = string(*items(node)[0], problems)
    if path is None:
        return None
    return t.Include(str(tokens(kind)[0]) if kind else "policy", path, comments, place(node, problems))


def policy_line(node: Node, comments: Comments, problems: Problems) -> t.PolicyLine | None:
    """Build a line of a `policy` block."""
    span = place(node, problems)
    if node.data == "family_line":
        found = families(items(node), problems)
        return None if found is None else t.FamilyLine(found, comments, span)
    if node.data == "ownership_line":
        return t.OwnershipLine(tokens(node)[1] == "exclusive", comments, span)
    if node.data == "place_line":
        return t.PlaceLine(tokens(node)[1] == "last", comments, span)
    defaults: dict[str, t.Default] = {}
    for child in parts(node, "default"):
        chain, verdict = (str(token) for token in tokens(child))
        where = place(child, problems)
        if chain in defaults:
            problems.report("misplaced-word", f"`{chain}` has two defaults", where.start, where.end)
            return None
        defaults[chain] = t.Default(chain, verdict, where)
    return t.DefaultLine(tuple(defaults.values()), comments, span)


def docker_line(node: Node, comments: Comments, problems: Problems) -> t.DockerLine | None:
    """Build a line of a `docker` block."""
    if node.data == "include":
        return include(node, comments, problems)
    before = len(problems)
    options = tuple(_option(child, problems) for child in parts(node, "option"))
    if node.data == "engine":
        version = _text(item(tokens(node)[0]), problems)
        return t.EngineLine(version, options, comments, place(node, problems)) if len(problems) == before else None
    kind, called = tokens(node)[0], name(*item(tokens(node)[1]), problems)
    if called is None or len(problems) > before:
        return None
    return t.EngineObject(str(kind), called, options, comments, place(node, problems))


def _option(node: Node, problems: Problems) -> t.EngineOption:
    word, *values = tokens(node)
    texts = tuple(_text(item(value), problems) for value in values)
    if word in {"subnet", "gateway", "address"}:
        for value in values:
            if value[0] not in "\"'":
                address_value(*item(value), problems)
    return t.EngineOption(str(word), texts, place(node, problems))


def _text(value: Item, problems: Problems) -> String:
    """Take a value's text, quoted or not."""
    text, start = value
    span = Span(problems.source, start, start + len(text))
    return (string(text, start, problems) or String("", span)) if text[0] in "\"'" else String(text, span)
