"""Parse trees to the lines of `test` blocks: packets and proofs. None is returned when something was reported."""

from __future__ import annotations

from policyc.language.build_rules import Node, items, pair, part, parts, place, services, tokens, words
from policyc.language.literals import (
    AddressRange,
    Endpoint,
    Interface,
    Name,
    Network,
    Number,
    PortService,
    ServiceValue,
)
from policyc.language.packet import Packet, PacketTest, Proof, TestLine, Translation
from policyc.language.problems import Problems, one_of, suggestion
from policyc.language.read_addresses import endpoint, family_of, interface
from policyc.language.read_amounts import mark, number
from policyc.language.read_names import rule_name
from policyc.language.read_services import service
from policyc.language.read_words import Item, read_all, state
from policyc.language.rules import Comment
from policyc.language.vocabulary import ICMP_PROTOCOLS, STATES, TCP_FLAGS
from policyc.source import Span


def test_line(node: Node, comments: tuple[Comment, ...], problems: Problems) -> TestLine | None:
    """Build one line of a test block."""
    return (_proof if node.data == "proof" else _packet_test)(node, comments, problems)


def _proof(node: Node, comments: tuple[Comment, ...], problems: Problems) -> Proof | None:
    before = len(problems)
    quantifier, pair_node, excepted = (part(node, kind) for kind in ("quantifier", "pair", "except"))
    assert quantifier, "the grammar gives every proof a quantifier"
    assert pair_node, "the grammar gives every proof a pair"
    named = read_all(rule_name, items(excepted), problems) if excepted else ()
    sides, asked, matched = pair(pair_node, problems), services(node, problems), words(node, problems)
    if sides is None or len(problems) > before:
        return None
    return Proof(
        str(tokens(quantifier)[0]),
        bool(tokens(node)),
        sides,
        asked or (),
        matched or (),
        named or (),
        comments,
        place(node, problems),
    )


def _packet_test(node: Node, comments: tuple[Comment, ...], problems: Problems) -> PacketTest | None:
    before = len(problems)
    verdict, packet_node = part(node, "verdict"), part(node, "packet")
    assert verdict, "the grammar gives every test a verdict"
    assert packet_node, "the grammar gives every test a packet"
    said = _said(packet_node, problems, outcome=True)
    built = _packet(packet_node, said, problems)
    becomes = said.get("becomes")
    after = read_all(endpoint, becomes, problems) if becomes else None
    by = rule_name(*said["by"][0], problems) if "by" in said else None
    if built is None or len(problems) > before:
        return None
    translation = None
    if after and becomes:
        span = Span(problems.source, becomes[0][1], after[-1].span.end)
        translation = Translation(after[0] if len(after) > 1 else None, after[-1], span)
    return PacketTest(str(tokens(verdict)[0]), built, translation, by, comments, place(node, problems))


def packet(node: Node, problems: Problems, *, wide: bool = False) -> Packet | None:
    """Build a packet that stands alone, as `explain` takes it; `wide`: its ends may be networks, ranges and port ranges."""
    return _packet(node, _said(node, problems, outcome=False), problems, wide=wide)


def _said(node: Node, problems: Problems, *, outcome: bool) -> dict[str, list[Item]]:
    """Return what follows each word of a packet; `outcome` says whether `by` and `becomes` may be among them."""
    said: dict[str, list[Item]] = {}
    for child in parts(node, "packet_part"):
        word = tokens(child)[0]
        start = child.meta.start_pos
        if word in said:
            problems.report("misplaced-word", f"`{word}` stands twice", start, start + len(word))
        elif word in {"by", "becomes"} and not outcome:
            message = f"`{word}` says how a test ends; it is no part of a packet"
            problems.report("misplaced-word", message, start, start + len(word))
        said[str(word)] = items(child)[1:]
    return said


def _packet(node: Node, said: dict[str, list[Item]], problems: Problems, *, wide: bool = False) -> Packet | None:
    before = len(problems)
    *protocol_texts, source_text, destination_text = items(node)
    protocol = _protocol(protocol_texts, problems)
    source, destination = (_end(text, problems, wide) for text in (source_text, destination_text))
    entry, way_out = _at(said.get("in"), problems), _at(said.get("out"), problems)
    flags = _flags(said["flags"], problems) if "flags" in said else None
    kept = _state(*said["state"][0], problems) if "state" in said else None
    marked = mark(*said["mark"][0], problems) if "mark" in said else None
    ttl: Number | None = number(*said["ttl"][0], problems, high=255) if "ttl" in said else None
    if source is None or destination is None or len(problems) > before:
        return None
    return Packet(
        protocol,
        source,
        destination,
        entry,
        "out" in said,
        way_out,
        flags,
        kept.text if kept else None,
        marked,
        ttl,
        place(node, problems),
    )


def _end(text: Item, problems: Problems, wide: bool) -> Endpoint | None:
    """Read one end of a packet: one host, at most one port; `wide`: any host that is written, any ports."""
    found = endpoint(*text, problems)
    if found is None:
        return None
    if isinstance(found.host, Network | AddressRange) and not wide:
        hint = "write one of its addresses; what holds for all of them is a proof: `never` or `always`"
        message = f"`{found.host.span.text}` is not one address"
        problems.report("bad-literal", message, found.host.span.start, found.host.span.end, hint)
        return None
    one_port = wide or found.ports is None or found.ports.first == found.ports.last
    if found.host is None or not one_port:
        what = "one port" if found.host else "an address"
        message = f"`{text[0]}` is not an end of a packet: it needs {what}"
        problems.report("bad-literal", message, text[1], text[1] + len(text[0]))
        return None
    return found


def _protocol(texts: list[Item], problems: Problems) -> ServiceValue | None:
    """Read `tcp`, `icmp/echo-request`, and `icmp echo-request` in two words."""
    if not texts:
        return None
    (text, start), *more = texts
    if more and text in ICMP_PROTOCOLS and "/" not in more[0][0] and not family_of(more[0][0]):
        return service(f"{text}/{more[0][0]}", more[0][1] - len(text) - 1, problems)
    if more:
        begin, end = more[0][1], more[0][1] + len(more[0][0])
        message = f"`{more[0][0]}` stands where `->` is expected"
        problems.report("syntax-error", message, begin, end, "a packet is `tcp 203.0.113.9 -> 198.51.100.1:443`")
        return None
    found = service(text, start, problems)
    if isinstance(found, PortService) and found.ports:
        hint = f"write `{found.protocol}` here and the port after the address"
        problems.report("misplaced-word", "a packet's ports stand at its addresses", start, start + len(text), hint)
    return found


def _at(texts: list[Item] | None, problems: Problems) -> Interface | None:
    """Read the interface or zone after `in` and `out`."""
    if not texts:
        return None
    found = interface(*texts[0], problems)
    if found and found.text.endswith("+"):
        message = f"`{found.text}` is not one interface"
        problems.report("bad-literal", message, found.span.start, found.span.end, "a packet goes by one interface")
    return found


def _state(text: str, start: int, problems: Problems) -> Name | None:
    """Read the state of a packet, of which it has one."""
    found = state(text, start, problems)
    if found and found.text in {"snat", "dnat"}:
        message = f"`{text}` is no state of a packet of its own, but a property of its connection"
        hint = f"the states are {one_of(one for one in STATES if one not in {'snat', 'dnat'})}"
        problems.report("bad-literal", message, start, start + len(text), hint)
        return None
    return found


def _flags(texts: list[Item], problems: Problems) -> tuple[str, ...]:
    """Read TCP flags in any case, in the order of `TCP_FLAGS`; `NONE` stands alone."""
    found = []
    for text, start in texts:
        flag = text.upper()
        if flag in TCP_FLAGS or (flag == "NONE" and len(texts) == 1):
            found.append(flag)
            continue
        hint = suggestion(text, [one.lower() for one in TCP_FLAGS]) or f"the flags are {one_of((*TCP_FLAGS, 'NONE'))}"
        problems.report("bad-literal", f"`{text}` is not a TCP flag", start, start + len(text), hint)
    return tuple(sorted(set(found), key=(*TCP_FLAGS, "NONE").index))
