"""Rules, calls, intents, packets and proofs as canonical lines. A vertical tab stands where a line may be broken.

The order of a rule's words is the order of the tree, which is canonical; see `words.WORDS`.
"""

from __future__ import annotations

from collections.abc import Iterable

from policyc.language import tree as t
from policyc.language import words as w
from policyc.language.literals import Name
from policyc.language.packet import Packet, PacketTest, Proof
from policyc.language.print_literals import Literal, families_text, literal_text
from policyc.language.rules import Pair, Rule, Use, Verb

BREAK = "\v"
"""A place for a line break, after a comma; a blank where the line is not broken. No text of a policy can hold one."""


def listed(values: Iterable[Literal]) -> str:
    """Return the values of a list."""
    return f",{BREAK}".join(literal_text(value) for value in values)


def joined(*texts: str) -> str:
    """Return the texts that are not empty with blanks between them."""
    return " ".join(text for text in texts if text)


def pair_text(pair: Pair) -> str:
    """Return `A -> B`."""
    return f"{listed(pair.sources)} -> {listed(pair.targets)}"


def verb_text(verb: Verb) -> str:
    """Return a verb with its argument."""
    return verb.name if verb.argument is None else f"{verb.name} {literal_text(verb.argument)}"


def word_text(word: w.Word) -> str:
    """Return a word with its values."""
    match word:
        case w.AddressMatch() | w.InterfaceMatch() | w.OwnerMatch() | w.State() | w.Marked() | w.During():
            return joined(word.word, "not" if word.negated else "", listed(word.values))
        case w.Sport() | w.Published() | w.Becomes() | w.Hairpin():
            return f"{word.word} {listed(word.values)}"
        case w.Limit(limit=value) | w.Over(limit=value) | w.Log(log=value) | w.With(answer=value) | w.As(name=value):
            return f"{word.word} {literal_text(value)}"
        case w.Match(text=text):
            return f"{word.word} {literal_text(text)}"
        case w.Mark(value=mark):
            return f"{word.word} {literal_text(mark)}"
        case w.Family(families=families):
            return f"{word.word} {families_text(families)}"
        case w.Balance(how=how) | w.SourcePorts(how=how):
            return f"{word.word} {how}"


def words_text(words: tuple[w.Word, ...]) -> str:
    """Return the words of a line."""
    return " ".join(word_text(word) for word in words)


def rule_text(rule: Rule) -> str:
    """Return a rule's line: its canonical text, names not expanded."""
    return joined(
        "otherwise" if rule.otherwise else "",
        verb_text(rule.verb),
        listed(rule.services),
        words_text(rule.words),
    )


def use_text(use: Use) -> str:
    """Return a call; an argument of several values stands in parentheses."""
    arguments = [f"({listed(values)})" if len(values) > 1 else listed(values) for values in use.arguments]
    return f"use {use.name.text}" + (f"({f',{BREAK}'.join(arguments)})" if arguments else "")


def intent_text(intent: t.Intent | t.Netmap | t.Clamp) -> str:
    """Return an intent's line."""
    words = words_text(intent.words)
    match intent:
        case t.Intent():
            return joined(intent.verb, pair_text(intent.pair), listed(intent.services), words)
        case t.Netmap():
            outer, inner = literal_text(intent.outer), literal_text(intent.inner)
            return joined(f"netmap {outer} <-> {inner} on", listed(intent.zones), words)
        case t.Clamp():
            return joined("clamp mss on", listed(intent.zones), words)


def packet_text(packet: Packet) -> str:
    """Return a packet as `explain` takes it."""
    return joined(
        literal_text(packet.protocol) if packet.protocol else "",
        f"{literal_text(packet.source)} -> {literal_text(packet.destination)}",
        f"in {packet.entry.text}" if packet.entry else "",
        joined("out", packet.exit.text if packet.exit else "") if packet.local else "",
        f"flags {','.join(packet.flags)}" if packet.flags else "",
        f"state {packet.state}" if packet.state else "",
        f"mark {literal_text(packet.mark)}" if packet.mark else "",
        f"ttl {packet.ttl.value}" if packet.ttl else "",
    )


def packet_test_text(test: PacketTest) -> str:
    """Return a packet with its expected end."""
    becomes = ""
    if test.becomes:
        source = f"{literal_text(test.becomes.source)} -> " if test.becomes.source else ""
        becomes = f"becomes {source}{literal_text(test.becomes.destination)}"
    by = f"by {test.by.text}" if test.by else ""
    return joined(test.verdict, packet_text(test.packet), becomes, by)


def proof_text(proof: Proof) -> str:
    """Return a `never` or `always` line."""
    exceptions: tuple[Name, ...] = proof.exceptions
    return joined(
        proof.quantifier,
        "any packet" if proof.any_packet else "",
        pair_text(proof.pair),
        listed(proof.services),
        words_text(proof.words),
        f"except {listed(exceptions)}" if exceptions else "",
    )
