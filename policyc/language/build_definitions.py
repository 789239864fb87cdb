"""Parse trees to definitions: `KIND name = value words`. One function a kind; None when something was reported."""

from __future__ import annotations

from collections.abc import Callable

from policyc.language import definitions as d
from policyc.language.build_rules import Node, item, items, part, parts, place, tokens
from policyc.language.literals import AddressValue, Days, Hours, MarkValue, Name, ServiceValue
from policyc.language.problems import Problems
from policyc.language.read_addresses import address_value, host_address, interface
from policyc.language.read_amounts import duration, limit_key, mark, number, period, rate
from policyc.language.read_names import foreign, name, string
from policyc.language.read_services import service
from policyc.language.read_words import Item, read_all
from policyc.language.rules import Comment

Comments = tuple[Comment, ...]
Words = dict[str, list[Item]]


def definition(node: Node, comments: Comments, problems: Problems) -> d.Definition | None:
    """Build the definition; its name is the node's first token."""
    before = len(problems)
    called = name(*item(tokens(node)[0]), problems)
    if called is None:
        return None
    built = _KINDS[node.data](node, called, comments, problems)
    return built if len(problems) == before else None


def _words(node: Node, kind: str, problems: Problems) -> Words:
    """Return what follows each word of a definition; report a word that stands twice."""
    found: Words = {}
    for child in parts(node, kind):
        word, *rest = tokens(child)
        if word in found:
            start, message = child.meta.start_pos, f"`{word}` stands twice"
            problems.report("misplaced-word", message, start, start + len(word), "a list goes with one word")
        found[str(word)] = [item(token) for token in rest]
    return found


def _zone(node: Node, called: Name, comments: Comments, problems: Problems) -> d.ZoneDefinition:
    words = _words(node, "zone_part", problems)
    owner = words.get("owner")
    return d.ZoneDefinition(
        called,
        read_all(interface, words.get("interface", ()), problems) or (),
        read_all(address_value, words.get("network", ()), problems) or (),
        read_all(host_address, words.get("address", ()), problems) or (),
        foreign(*owner[0], problems) if owner else None,
        comments,
        place(node, problems),
    )


def _address(node: Node, called: Name, comments: Comments, problems: Problems) -> d.AddressDefinition:
    values: tuple[AddressValue, ...] = read_all(address_value, items(node)[1:], problems) or ()
    return d.AddressDefinition(called, values, comments, place(node, problems))


def _service(node: Node, called: Name, comments: Comments, problems: Problems) -> d.ServiceDefinition:
    values: tuple[ServiceValue, ...] = read_all(service, items(node)[1:], problems) or ()
    return d.ServiceDefinition(called, values, comments, place(node, problems))


def _set(node: Node, called: Name, comments: Comments, problems: Problems) -> d.SetDefinition:
    words = _words(node, "set_part", problems)
    content = part(node, "content")
    assert content, "the grammar demands what a set holds"
    timeout, owner, external = words.get("timeout"), words.get("owner"), words.get("name")
    return d.SetDefinition(
        called,
        str(tokens(content)[0]),
        duration(*timeout[0], problems) if timeout else None,
        foreign(*owner[0], problems) if owner else None,
        string(*external[0], problems) if external else None,
        comments,
        place(node, problems),
    )


def _limit(node: Node, called: Name, comments: Comments, problems: Problems) -> d.LimitDefinition:
    words = _words(node, "limit_part", problems)
    amount = part(node, "amount")
    assert amount, "the grammar demands an amount"
    first, *connections = tokens(amount)
    burst, per = words.get("burst"), words.get("per")
    if connections and burst:
        text, start = burst[0]
        message = "a burst goes with a rate, not with connections"
        problems.report("misplaced-word", message, start, start + len(text))
    if not connections and "/" not in first:
        start, end = first.start_pos or 0, first.end_pos or 0
        hint = f"write `{first}/minute`, or `{first} connections`"
        problems.report("bad-literal", f"`{first}` is neither a rate nor a number of connections", start, end, hint)
    return d.LimitDefinition(
        called,
        None if connections or "/" not in first else rate(*item(first), problems),
        number(*item(first), problems, low=1) if connections else None,
        number(*burst[0], problems, low=1) if burst else None,
        limit_key(*per[0], problems) if per else None,
        comments,
        place(node, problems),
    )


def _log(node: Node, called: Name, comments: Comments, problems: Problems) -> d.LogDefinition | None:
    words = _words(node, "log_part", problems)
    text = string(*items(node)[1], problems, empty=True)
    group, limit, burst = words.get("nflog"), words.get("limit"), words.get("burst")
    if burst and not limit:
        start = burst[0][1]
        message = "a burst goes with a `limit`, and the log has none"
        problems.report("misplaced-word", message, start, start + len(burst[0][0]))
    if text is None:
        return None
    return d.LogDefinition(
        called,
        text,
        number(*group[0], problems, high=65535) if group else None,
        rate(*limit[0], problems) if limit else None,
        number(*burst[0], problems, low=1) if burst else None,
        comments,
        place(node, problems),
    )


def _mark(node: Node, called: Name, comments: Comments, problems: Problems) -> d.MarkDefinition | None:
    text, start = items(node)[1]
    value = mark(text, start, problems)
    if isinstance(value, MarkValue):
        return d.MarkDefinition(called, value, comments, place(node, problems))
    if value is not None:
        hint = "write `0x200` or `0x200/0xff00`"
        problems.report("bad-literal", f"`{text}` is not the value of a mark", start, start + len(text), hint)
    return None


def _schedule(node: Node, called: Name, comments: Comments, problems: Problems) -> d.ScheduleDefinition | None:
    days: list[Days] = []
    hours: list[Hours] = []
    for number_of_list, child in enumerate(parts(node, "period")):
        values: tuple[Days | Hours, ...] = read_all(period, items(child), problems) or ()
        for value in values:
            misplaced = isinstance(value, Days) and (hours or number_of_list)
            if misplaced or (isinstance(value, Hours) and days and not number_of_list):
                message = "days come first, then the times of day"
                hint = "write `mon-fri 08:00-18:00`"
                problems.report("misplaced-word", message, value.span.start, value.span.end, hint)
            elif isinstance(value, Days):
                days.append(value)
            else:
                hours.append(value)
    return d.ScheduleDefinition(called, tuple(days), tuple(hours), comments, place(node, problems))


_KINDS: dict[str, Callable[[Node, Name, Comments, Problems], d.Definition | None]] = {
    "zone": _zone,
    "address": _address,
    "service": _service,
    "set": _set,
    "limit": _limit,
    "log": _log,
    "mark": _mark,
    "schedule": _schedule,
}
DEFINITIONS = frozenset(_KINDS)
