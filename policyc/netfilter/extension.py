"""What an iptables extension is made of: options, validity, canonical text, meaning. One file of `extensions/` makes one.

A match means a predicate, a target a tuple of effects; nobody writes a meaning twice. Options are declared in the order in
which iptables-save prints them; an extension that prints otherwise brings its own `write`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any

from policyc.frozen import frozen
from policyc.netfilter.arguments import Argument
from policyc.netfilter.effect import Effect
from policyc.netfilter.hooks import Hook
from policyc.netfilter.predicate import Predicate


@frozen
class Option:
    """One long option.

    `argument` None is a flag. `aliases` are further spellings; unique prefixes are accepted for all, as getopt_long(3) does.
    `negatable`: `!` may stand before it. `repeatable`: may be given several times. `required`: must be given.
    `optional`: the argument may be left out, and the value is None then. `excludes`: options that may not stand beside it.
    `needs`: options that must.
    """

    name: str
    argument: Argument | None = None
    aliases: tuple[str, ...] = ()
    negatable: bool = False
    repeatable: bool = False
    required: bool = False
    optional: bool = False
    excludes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


@frozen
class Given:
    """An option as a rule has it; `value` has the type that its argument reads, None for a flag."""

    name: str
    value: Any = None
    negated: bool = False


@frozen
class Options:
    """The options of one match or target in the order given."""

    given: tuple[Given, ...] = ()

    def __contains__(self, name: str) -> bool:
        return any(item.name == name for item in self.given)

    def __getitem__(self, name: str) -> Any:
        for item in self.given:
            if item.name == name:
                return item.value
        raise KeyError(name)

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of an option, `default` where it is not given."""
        for item in self.given:
            if item.name == name:
                return item.value
        return default

    def negated(self, name: str) -> bool:
        """Whether the option is given with `!` before it."""
        return any(item.name == name and item.negated for item in self.given)

    def all(self, name: str) -> list[Given]:
        """Return each use of a repeatable option."""
        return [item for item in self.given if item.name == name]

    def without(self, name: str, value: Any) -> Options:
        """Return the options without the positive use of one whose value says nothing, such as `--sport 0:65535`."""
        return Options(tuple(item for item in self.given if item.negated or (item.name, item.value) != (name, value)))

    def with_values(self, **values: Any) -> Options:
        """Return the options with some values replaced or added; underscores in names stand for dashes."""
        given = list(self.given)
        for key, value in values.items():
            name = key.replace("_", "-")
            for index, item in enumerate(given):
                if item.name == name:
                    given[index] = Given(name, value, item.negated)
                    break
            else:
                given.append(Given(name, value))
        return Options(tuple(given))


@frozen
class Surroundings:
    """What of its rule an extension may look at: the family, the protocol of `-p`, and the matches' names and options.

    `protocol` is None where `-p` is absent, `all` or negated: then nothing is known of it.
    """

    family: int
    protocol: int | None = None
    matches: tuple[tuple[str, Options], ...] = ()


@frozen
class Placement:
    """Where the kernel accepts a match or target: None means everywhere. `why` ends the sentence of an error."""

    tables: frozenset[str] | None = None
    hooks: frozenset[Hook] | None = None
    why: str = ""


ANYWHERE = Placement()


def lacking(options: Options, *names: str) -> Iterable[str]:
    """Yield the message that none of these options is given, where none is: a `check`."""
    if not any(name in options for name in names):
        yield f"one of {', '.join(f'`--{name}`' for name in names)} is needed"


def in_tables(*tables: str, hooks: Iterable[Hook] | None = None, why: str = "") -> Placement:
    """Return the placement that these tables (and, if given, hooks) make."""
    return Placement(frozenset(tables), None if hooks is None else frozenset(hooks), why)


def in_hooks(*hooks: Hook, why: str = "") -> Placement:
    """Return the placement that these hooks make, in every table."""
    return Placement(None, frozenset(hooks), why)


def _everything_is_fine(options: Options, family: int) -> Iterable[str]:  # noqa: ARG001
    return ()


def _as_given(options: Options, family: int) -> Options:  # noqa: ARG001
    return options


@frozen
class Extension:
    """What matches and targets share.

    `protocols`: the rule needs a positive `-p` with one of them (may depend on options: `protocols_for`).
    `placement` may depend on options. `check` yields what is wrong with the options alone, `demand` what is wrong with them
    in their rule; both make the rule unreadable, as iptables itself refuses it. `normalise` puts in what iptables adds by
    itself (defaults that iptables-save prints) and takes out what says nothing.
    """

    name: str
    options: tuple[Option, ...] = ()
    families: tuple[int, ...] = (4, 6)
    aliases: tuple[str, ...] = ()
    protocols: frozenset[int] | None = None
    protocols_for: Callable[[Options], frozenset[int] | None] | None = None
    placement: Placement | Callable[[Options, int], Placement] = ANYWHERE
    check: Callable[[Options, int], Iterable[str]] = _everything_is_fine
    demand: Callable[[Options, Surroundings], Iterable[str]] | None = None
    normalise: Callable[[Options, int], Options] = _as_given
    write: Callable[[Options, int], str] | None = None

    def option(self, name: str) -> Option | None:
        """Return the option with that name or alias."""
        for option in self.options:
            if name == option.name or name in option.aliases:
                return option
        return None

    def text(self, options: Options, family: int) -> str:
        """Return the options as iptables-save prints them, with a leading blank before each, "" where there are none."""
        return self.write(options, family) if self.write else written(self, options, family)

    def placed(self, options: Options, family: int) -> Placement:
        """Return where the kernel accepts it with these options."""
        return self.placement(options, family) if callable(self.placement) else self.placement

    def protocols_needed(self, options: Options) -> frozenset[int] | None:
        """Return the protocols of which the rule's `-p` must be one, None where any rule will do."""
        return self.protocols_for(options) if self.protocols_for else self.protocols


def _exactly(options: Options, around: Surroundings) -> tuple[Effect, ...]:  # noqa: ARG001
    return ()


@frozen
class MatchExtension(Extension):
    """A match: `meaning` is its predicate; `side_effects` happen whenever it is evaluated true, target or not.

    A `Record` among them happens whatever the match says.
    """

    meaning: Callable[[Options, Surroundings], Predicate] = field(kw_only=True)
    side_effects: Callable[[Options, Surroundings], tuple[Effect, ...]] = _exactly

    def spelled(self, options: Options, family: int) -> str:
        """Return `-m NAME OPTIONS`: the key of a condition that nobody can decide from the packet alone."""
        return f"-m {self.name}{self.text(options, family)}"


@frozen
class TargetExtension(Extension):
    """A target: `effects` is what it does; `terminal` whether the packet's way through the table ends with it."""

    effects: Callable[[Options, Surroundings], tuple[Effect, ...]] = field(kw_only=True)
    terminal: bool = False


def written(extension: Extension, options: Options, family: int) -> str:
    """Return the options in the order of their declaration, each as ` [! ]--name value`."""
    text: list[str] = []
    for option in extension.options:
        text.extend(one_written(option, item, family) for item in options.given if item.name == option.name)
    return "".join(text)


def one_written(option: Option, item: Given, family: int) -> str:
    """Return one option as ` [! ]--name value`."""
    mark = " !" if item.negated else ""
    if option.argument is None or (option.optional and item.value is None):
        return f"{mark} --{option.name}"
    return f"{mark} --{option.name} {option.argument.write(item.value, family)}"
