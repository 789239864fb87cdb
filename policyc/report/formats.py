"""Which formats an answer of `check` can take; each is loaded when it is asked for."""

from __future__ import annotations

from policyc.report.answer import Answer
from policyc.report.style import PLAIN, Style

FORMATS = ("full", "concise", "json", "sarif", "github", "junit")


def render(name: str, answer: Answer, style: Style = PLAIN) -> str:
    """Return the answer in that format, a name of FORMATS."""
    match name:
        case "full":
            from policyc.report.full import full

            return full(answer, style)
        case "concise":
            from policyc.report.concise import concise

            return concise(answer, style)
        case "json":
            from policyc.report.json import check_json

            return check_json(answer)
        case "sarif":
            from policyc.report.sarif import sarif

            return sarif(answer)
        case "github":
            from policyc.report.github import github

            return github(answer)
        case "junit":
            from policyc.report.junit import junit

            return junit(answer)
    raise ValueError(name)
