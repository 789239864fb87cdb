"""A line that does not fit the grammar, said in the words of the language: what was expected, what stands there instead.

The parser's state gives the terminals that could go on; roles are named here, keywords stand for themselves.
"""

from __future__ import annotations

import re

from lark import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from policyc.language.grammar import grammar
from policyc.language.problems import Problems, one_of, suggestion
from policyc.language.read_words import ROWS
from policyc.language.vocabulary import (
    BLOCKS,
    ENGINE_WORDS,
    INTENTS,
    KINDS,
    PORT_PROTOCOLS,
    RESERVED,
    RULE_WORDS,
    TABLES,
    VERBS,
)

_ROLES = {
    "ACCOUNT": "a name or an id",
    "ADDRESS": "an address",
    "ANSWER": "an answer such as `tcp-reset`",
    "ANY_PACKET": "`any packet`",
    "ARGUMENT": "a value",
    "CHAIN": "a chain",
    "DURATION": "a duration such as `1h`",
    "ENDPOINT": "an endpoint such as `10.0.0.5:80`",
    "FAMILY": "`ip` or `ip6`",
    "FLAG": "a TCP flag",
    "HELPER": "a helper such as `ftp`",
    "HOST_ADDRESS": "an address of this host",
    "INTERFACE": "an interface",
    "LIMIT_KEY": "`source` or `destination`",
    "MARK": "a mark",
    "MASK": "a mask such as `0xff00`",
    "NAME": "a name",
    "NUMBER": "a number",
    "OPTION": "a value",
    "OWNER": "an owner",
    "PARAMETER": "a parameter such as `host: address`",
    "PERIOD": "weekdays or times of day",
    "PLACE": "an interface or a zone",
    "RATE": "a rate such as `6/minute`",
    "RULE_NAME": "the name of a rule",
    "SERVICE": "a service",
    "SETTING": "a value",
    "STATE": "a connection state",
    "STRING": "a string in quotes",
    "SYSCTL": "a key such as `net.ipv4.ip_forward`",
    "VERSION": "a version",
    "ZONE": "a zone",
}
_STATEMENTS = (*KINDS, *TABLES, *INTENTS, *BLOCKS, "include", "require")
_GROUPS = (
    (VERBS, "a verb"),
    (RULE_WORDS, "a word of a rule"),
    (KINDS, "a kind"),
    (ENGINE_WORDS, "an option of the engine"),
)
_MANY = 7
"""So many keywords of one group are named as the group."""
_OTHER_VERBS = {**dict.fromkeys(("allow", "permit", "pass"), "accept"), **dict.fromkeys(("deny", "block"), "drop")}
"""Verbs of other firewalls, which no likeness of letters leads to ours."""
_PORT_WORDS = frozenset(("port", "ports", "dport", "dports"))
"""Words for the destination port elsewhere; the nearest word here would be `sport`, which is another port."""
_WORD = re.compile(r"""[^\s,;#{}()"'=<>]+|->|<->|.""")


def report_syntax(error: UnexpectedInput, start_rule: str, begin: int, end: int, problems: Problems) -> None:
    """Report why the line between two offsets does not fit the start; `error` is what the grammar's parser raised."""
    text = problems.source.text
    if isinstance(error, UnexpectedToken):
        names = set(error.accepts or error.expected)
        at = end if error.token.type == "$END" else (error.token.start_pos or 0)
    else:
        assert isinstance(error, UnexpectedCharacters), "no other error leaves the parser"
        at = error.pos_in_stream
        resumed = grammar().parser.parse_interactive(text[begin:at], start=start_rule)
        resumed.exhaust_lexer()
        names = resumed.accepts()  # type: ignore[no-untyped-call]
    match = _WORD.match(text, at, end)
    found = match[0] if match else ""
    literals = grammar().literals
    keywords = [literals[name] for name in literals if name in names]
    if at == begin and start_rule in {"statement", "head"}:
        _no_statement(found, start_rule, at, problems)
        return
    if keywords == [] and names == {"NAME"} and found in RESERVED:
        message = f"`{found}` is a word of the language, not a name"
        problems.report("reserved-word", message, at, at + len(found), "choose another name")
        return
    before = text[begin:at].rstrip(" \t")
    if before.endswith("=") and not found:
        message = f"`{' '.join(before[:-1].split())}` has no value: an empty list matches nothing and would vanish"
        problems.report("empty-list", message, begin, end, f"write {_expected(names, keywords)} after `=`")
        return
    where = (at, at + len(found)) if found else (max(begin, end - 1), end)
    message = f"expected {_expected(names, keywords)}, found {f'`{found}`' if found else 'the end of the line'}"
    problems.report("syntax-error", message, *where, _hint(found, keywords, before))


def _no_statement(found: str, start_rule: str, at: int, problems: Problems) -> None:
    """Report a first word that begins nothing, or not what its line's end asks for."""
    if start_rule == "head" and found in _STATEMENTS:
        message, hint = f"`{found}` begins no block, so no `{{` may follow it", "end the line before the `{`"
    elif found in (*TABLES, *BLOCKS):
        message, hint = f"`{found}` begins a block: its line ends in `{{`", ""
    else:
        what = "a block" if start_rule == "head" else "a statement"
        known = (*TABLES, *BLOCKS) if start_rule == "head" else _STATEMENTS
        message = f"expected {what}, found `{found}`"
        hint = suggestion(found, known) or f"{what} begins with a word such as {one_of(known[:: len(known) // 4])}"
        if found in (*VERBS, "otherwise", "use"):
            hint = "a rule stands in a block such as `filter A -> B { … }`"
    problems.report("syntax-error", message, at, at + len(found), hint)


def _expected(names: set[str], keywords: list[str]) -> str:
    """Return the expected things, the most telling first."""
    rest = list(keywords)
    groups = []
    for members, title in _GROUPS:
        inside = [word for word in rest if word in members]
        if len(inside) >= _MANY:
            groups.append(title)
            rest = [word for word in rest if word not in members]
    roles = sorted(_ROLES[name] for name in names if name in _ROLES)
    if "OTHERWISE" in names:
        rest = []
    things = [*roles, *groups, *(f"`{word}`" for word in rest)]
    if "_COMMA" in names and not groups:
        things.append("`,`")
    if "$END" in names:
        things.append("the end of the line")
    *first, last = things or ["something else"]
    return f"{', '.join(first)} or {last}" if first else last


def _hint(found: str, keywords: list[str], before: str) -> str:
    """Return what to do: the most telling thing that is known about this mistake."""
    if "\n" in before:
        return "the line above ends in a comma, so that it goes on here"
    if found in {"=", ">", "<", "-"} and "->" in keywords:
        return "the arrow is written `->`"
    if found in {'"', "'"} and "match" in keywords:
        return "a string stands after `match` and `jump`"
    if found == "not":
        return f"`not` follows {one_of(word for word, row in ROWS.items() if row.negatable)} only"
    if found in (*KINDS, *TABLES, *INTENTS, *BLOCKS) and "accept" in keywords:
        return "this stands outside of blocks: is a `}` missing above?"
    if not found and "utc" in keywords:
        return "write `utc` at the end: the kernel knows no summer time"
    if found in _OTHER_VERBS and "accept" in keywords:
        return f"the verb is `{_OTHER_VERBS[found]}`"
    last = before.rsplit(maxsplit=1)[-1] if before else ""
    if "from" in keywords and (
        found in _PORT_WORDS or (found[:1].isdecimal() and last in {*_PORT_WORDS, *PORT_PROTOCOLS})
    ):
        return "a port stands behind its protocol, as in `tcp/22`; `sport` is about the source port"
    if found and found not in RESERVED and (near := suggestion(found, keywords)):
        return near
    known = last in RESERVED or last in grammar().literals.values()
    if found and "from" in keywords and not known and (near := suggestion(last, (*RULE_WORDS, "except"))):
        return f"{near[:-1]} where `{last}` stands?"
    if "from" in keywords:
        return "services stand right after the verb; words such as `from`, `to`, `log` and `as` follow"
    if found and "accept" in keywords and "jump" in keywords:
        return f"a verb is {one_of(VERBS)}"
    return ""
