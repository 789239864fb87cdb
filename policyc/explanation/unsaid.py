"""What a question must say before it can be asked: errors that name the choices. Part of `explanation`."""

from __future__ import annotations

from collections.abc import Iterable

from policyc.diagnostics import InputError, diagnose
from policyc.net.addresses import format_address
from policyc.netfilter.question import Question
from policyc.source import Span


def no_way_in(question: Question, candidates: Iterable[str]) -> InputError:
    """Return the error about a packet of which nobody knows where it comes in."""
    text = format_address(question.headers.src, question.headers.family)
    message = f"nothing says by which interface {text} comes in"
    return _missing(message, "in", question.span, candidates)


def no_way_out(question: Question, candidates: Iterable[str]) -> InputError:
    """Return the error about a packet of which nobody knows where it leaves."""
    text = format_address(question.headers.dst, question.headers.family)
    message = f"nothing says by which interface {text} is reached"
    return _missing(message, "out", question.span, candidates)


def _missing(message: str, word: str, span: Span | None, candidates: Iterable[str]) -> InputError:
    names = ", ".join(f"`{word} {name}`" for name in dict.fromkeys(candidates))
    return InputError([diagnose("missing-word", message, span, help=f"say it: {names or f'`{word} INTERFACE`'}")])


def no_such_interface(name: str, span: Span | None, known: Iterable[str]) -> InputError:
    """Return the error about an interface that the host does not have."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"there are {', '.join(f'`{one}`' for one in names)}"
    message = f"the host has no interface `{name}`"
    return InputError([diagnose("unknown-name", message, span, help=hint)])
