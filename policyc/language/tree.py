"""The syntax tree of a file: its statements in written order, each with its place and its comments.

The shapes are the four of the language: `Definition` (KIND name = …), `RuleBlock` (TABLE A -> B { }), `Intent` and its
kin without a pair, and the word blocks. A tree is what a text says and no more: names are not resolved, files not
included, nothing is checked that needs two statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from policyc.frozen import frozen
from policyc.language import words as w
from policyc.language.definitions import Definition
from policyc.language.literals import Name, Network, Number, ServiceValue, String
from policyc.language.packet import TestBlock, TestLine
from policyc.language.rules import Comment, Pair, RuleLine, WordT
from policyc.source import Source, Span


@frozen
class RuleBlock:
    """`filter A -> B { rules }`; `table` is filter, nat, mangle or raw. `head` is the line up to the brace."""

    table: str
    pair: Pair
    lines: tuple[RuleLine, ...]
    comments: tuple[Comment, ...]
    head: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@frozen
class Intent:
    """`publish`, `notrack`, `synproxy`, `tproxy`: one line that works in several tables; `verb` is the word."""

    verb: str
    pair: Pair
    services: tuple[ServiceValue, ...]
    words: tuple[w.Word, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)

    def find(self, kind: type[WordT]) -> WordT | None:
        """Return the word of that class, None where the intent does not have it."""
        return w.find(self.words, kind)


@frozen
class Netmap:
    """`netmap 198.51.100.64/28 <-> 10.0.0.64/28 on wan`: outer and inner network, the zones with the outer side."""

    outer: Network | Name
    inner: Network | Name
    zones: tuple[Name, ...]
    words: tuple[w.Word, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Clamp:
    """`clamp mss on wan`: the MSS of connections through these zones follows the path's MTU."""

    zones: tuple[Name, ...]
    words: tuple[w.Word, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class FamilyLine:
    """`family ip, ip6` in `policy`: the families of the whole policy, 4 and 6, ascending."""

    families: tuple[int, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class OwnershipLine:
    """`ownership shared`, `ownership exclusive`."""

    exclusive: bool
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Default:
    """`input drop`: `chain` is input, forward or output, `verdict` accept or drop."""

    chain: str
    verdict: str
    span: Span = field(compare=False, repr=False)


@frozen
class DefaultLine:
    """`default input drop, forward drop, output accept`: each chain at most once."""

    defaults: tuple[Default, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class PlaceLine:
    """`place first`, `place last`: where the jumps to our chains stand in the base chains."""

    last: bool
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


PolicyLine = FamilyLine | OwnershipLine | DefaultLine | PlaceLine


@frozen
class PolicyBlock:
    """`policy edge { lines }`: each kind of line stands at most once."""

    name: Name
    lines: tuple[PolicyLine, ...]
    comments: tuple[Comment, ...]
    head: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@frozen
class Parameter:
    """`host: address`: a parameter of a `define`; `kind` is one of the eight kinds of definitions."""

    name: Name
    kind: str
    span: Span = field(compare=False, repr=False)


@frozen
class Define:
    """`define mail(host: address, who: address) { rules }`."""

    name: Name
    parameters: tuple[Parameter, ...]
    lines: tuple[RuleLine, ...]
    comments: tuple[Comment, ...]
    head: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@frozen
class EngineOption:
    """`subnet 172.18.0.0/16`, `icc off`, `publish "9000:9000/udp"`, `internal`: the engine's words, kept as texts."""

    word: str
    values: tuple[String, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class EngineLine:
    """`engine 28`, `engine 28.5`: the engine's version as written, and options of its daemon."""

    version: String
    options: tuple[EngineOption, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class EngineObject:
    """`network app = options`, `container proxy = options`; `kind` is network or container."""

    kind: str
    name: Name
    options: tuple[EngineOption, ...]
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Include:
    """`include "common.pol"` (`format` policy), `include compose "f"`, `include kubernetes "f"`; a path as written."""

    format: str
    path: String
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


DockerLine = EngineLine | EngineObject | Include


@frozen
class DockerBlock:
    """`docker { lines }`: what Docker Engine will install."""

    lines: tuple[DockerLine, ...]
    comments: tuple[Comment, ...]
    head: Span = field(compare=False, repr=False)
    span: Span = field(compare=False, repr=False)


@frozen
class Require:
    """`require sysctl net.ipv4.ip_forward = 1`: the key as written, the value's text."""

    key: Name
    value: Name | String | Number
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


@frozen
class Broken:
    """A definition (or `define`) with errors: only its kind and name are known, so that its uses are not errors too."""

    kind: str
    name: Name
    comments: tuple[Comment, ...]
    span: Span = field(compare=False, repr=False)


Statement = (
    PolicyBlock
    | Definition
    | Broken
    | RuleBlock
    | Intent
    | Netmap
    | Clamp
    | Define
    | DockerBlock
    | TestBlock
    | Include
    | Require
)


Block = RuleBlock | PolicyBlock | Define | DockerBlock | TestBlock
Line = RuleLine | PolicyLine | DockerLine | TestLine
Node = Statement | Line


@frozen
class File:
    """A whole file; `comments` are all of its comments in written order, those of statements included."""

    source: Source = field(compare=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]

    def nodes(self) -> Iterator[Node]:
        """Yield all statements and, after a block, the lines in it."""
        for statement in self.statements:
            yield statement
            if isinstance(statement, Block):
                yield from statement.lines
