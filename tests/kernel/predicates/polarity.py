"""Whether a run has shown what each rule is there for: it held and it did not, with an entry of the connection table and without."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench import Answer

KINDS = {
    (True, True): "match with entry",
    (True, False): "match without entry",
    (False, True): "no match with entry",
    (False, False): "no match without entry",
}


def unseen(answers: Mapping[str, Sequence[Answer]], tracking: bool = True) -> dict[str, set[str]]:
    """What was not seen of each rule."""
    kinds = {kind: name for kind, name in KINDS.items() if tracking or not kind[1]}
    return {
        row: missing
        for row, found in answers.items()
        if (missing := set(kinds.values()) - {KINDS[one.held, one.entry] for one in found})
    }


def expect_both(answers: Mapping[str, Sequence[Answer]], lacks: Mapping[str, str], tracking: bool = True) -> None:
    """Fail unless every rule was seen in every way, but for those that `lacks` names: `what, what: why it cannot be`."""
    named = {row: set(text.partition(":")[0].split(", ")) for row, text in lacks.items() if row in answers}
    found = unseen(answers, tracking)
    rows = sorted(found.keys() | named.keys())
    wrong = [
        f"`{row}` lacks {sorted(found.get(row, ()))}" for row in rows if found.get(row, set()) != named.get(row, set())
    ]
    assert not wrong, "\n".join(["the packets do not show, or show though it is said to be impossible:", *wrong])
