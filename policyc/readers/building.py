"""Options become parts, and parts of one rule are held against each other: the end of reading a rule's words."""

from __future__ import annotations

from policyc.net.protocols import format_protocol
from policyc.netfilter.extension import Extension, MatchExtension, Options, Surroundings, TargetExtension
from policyc.netfilter.parts import MATCH_RANK, TARGET_RANK, Match, Part, Selector, Target


def built(extension: Extension, given: Options, family: int) -> Match | Target:
    """Return the part that an extension with checked options makes."""
    options = extension.normalise(given, family)
    text = extension.text(options, family)
    needed, placed = extension.protocols_needed(options), extension.placed(options, family)
    if isinstance(extension, TargetExtension):
        return Target(
            TARGET_RANK, f"-j {extension.name}{text}", extension.name, extension=extension, options=options,
            placement=placed, protocols=needed,
        )  # fmt: skip
    assert isinstance(extension, MatchExtension)
    return Match(MATCH_RANK, f"-m {extension.name}{text}", extension, options, placed, needed)


def option_problems(extension: Extension, given: Options) -> list[str]:
    """Return what is wrong with the choice of options: missing ones, ones that exclude each other."""
    messages = []
    names = {item.name for item in given.given}
    for option in extension.options:
        if option.required and option.name not in names:
            messages.append(f"`{extension.name}` needs `--{option.name}`")
        if option.name in names:
            messages.extend(
                f"`--{option.name}` and `--{other}` exclude each other"
                for other in option.excludes
                if other in names and (option.name < other or option.name not in _excluded(extension, other))
            )
            messages.extend(f"`--{option.name}` needs `--{other}`" for other in option.needs if other not in names)
    return messages


def _excluded(extension: Extension, name: str) -> tuple[str, ...]:
    option = extension.option(name)
    return option.excludes if option else ()


def rule_problems(parts: tuple[Part, ...], family: int) -> list[str]:
    """Return what is wrong with a rule's parts together: protocols that a part needs, what it demands of the others."""
    messages: list[str] = []
    around: Surroundings | None = None
    protocol: int | None = None
    for part in parts:
        if isinstance(part, Selector):
            if part.option == "-p" and not part.negated and isinstance(part.value, int):
                protocol = part.value or None
            continue
        needed = part.protocols
        if needed is not None and protocol not in needed:
            names = " or ".join(f"`-p {format_protocol(n)}`" for n in sorted(needed))
            messages.append(f"`{part.name}` needs {names} in the same rule")
        extension = part.extension if isinstance(part, Match | Target) else None
        if extension is not None and extension.demand is not None:
            if around is None:
                matches = tuple((p.name, p.options) for p in parts if isinstance(p, Match))
                around = Surroundings(family, protocol, matches)
            assert isinstance(part, Match | Target)
            messages.extend(extension.demand(part.options, around))
    return messages
