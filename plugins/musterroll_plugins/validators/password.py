"""The password policy of the account."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from operator import contains
from typing import Annotated, Literal, Self

from pydantic import Field as Limits
from pydantic import model_validator

from musterroll import (
    Batch,
    Component,
    Context,
    FieldName,
    Guidance,
    Options,
    Problem,
    Row,
    ValidatorType,
    fold,
    gettext,
    gettext_noop,
    hookimpl,
    ngettext,
)
from musterroll_plugins.validators._guessable import Guessable

_SHORTEST_PART = 3  # a shorter name is in many good passwords by chance
_LONGEST_JUDGED = 72  # zxcvbn takes no more, and a tenth of a second for as many

Kind = Literal["lower", "upper", "digit", "symbol"]
_KIND_NAMES: dict[Kind, str] = {
    "lower": gettext_noop("a lower-case letter"),
    "upper": gettext_noop("an upper-case letter"),
    "digit": gettext_noop("a digit"),
    "symbol": gettext_noop("a symbol"),
}
_KINDS: dict[Kind, str] = {
    "lower": gettext_noop("it must contain a lower-case letter"),
    "upper": gettext_noop("it must contain an upper-case letter"),
    "digit": gettext_noop("it must contain a digit"),
    "symbol": gettext_noop("it must contain a symbol"),
}
# What has such a character for certain; others have one that is not ASCII.
_ASCII_KINDS: dict[Kind, Callable[[str], object]] = {
    "lower": re.compile("[a-z]").search,
    "upper": re.compile("[A-Z]").search,
    "digit": re.compile("[0-9]").search,
    "symbol": re.compile(r"[ -/:-@\[-`{-~]").search,
}


class PasswordOptions(Options):
    """Options of `password`.

    Attributes:
        min_length: the fewest characters.
        max_length: the most characters.
        require: the kinds of characters that it needs. A symbol is neither letter nor digit; a space is one.
        min_classes: needs at least so many of these four kinds.
        not_containing: fields whose values must not be in it, in whatever case; of an address, what comes before
            the "@" too. Values of one or two characters do not count.
        not_common: must not be one of the passwords and words that are tried first, nor a repetition (`abcabcabc`)
            or a row (`12345678`, `qwertyui`).
        min_strength: from 0 to 4, as zxcvbn judges how long it would take to guess it: 3 is good for most. It takes
            a few thousandths of a second for each password, up to a tenth.
    """

    min_length: Annotated[int, Limits(ge=0, le=1000)] = 8
    max_length: Annotated[int, Limits(ge=1, le=1_000_000)] | None = None
    require: tuple[Kind, ...] = ()
    min_classes: Annotated[int, Limits(ge=0, le=4)] = 0
    not_containing: tuple[FieldName, ...] = Limits(("username",), validate_default=False)
    not_common: bool = True
    min_strength: Annotated[int, Limits(ge=0, le=4)] = 0

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.max_length is not None:
            if self.max_length < self.min_length:
                raise ValueError(f"max_length ({self.max_length}) is less than min_length ({self.min_length})")
            kinds = max(len(set(self.require)), self.min_classes)
            if self.max_length < kinds:
                raise ValueError(f"max_length ({self.max_length}) leaves no place for {kinds} kinds of characters")
        return self


class Password:
    """`password.policy`: a given password breaks the policy; one problem lists every failing rule."""

    def __init__(self, options: PasswordOptions, context: Context) -> None:
        self._options = options
        self._fields = context.fields
        self._parts = [name for name in options.not_containing if name != "password"]
        self._guessable = Guessable() if options.not_common else None

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem; its message never holds the password."""
        secret = row.secret("password")
        if secret is None:
            return
        failing = list(self._failing(secret.reveal(), row))
        if failing:
            yield row.problem(
                "password",
                "password.policy",
                "{heading} does not meet the policy: {rules}; choose another one",
                rules="; ".join(failing),
            )

    def suspects(self, batch: Batch) -> Iterable[int]:
        """Suspects what may break one of the rules; of all passwords that there are where the strength is judged."""
        passwords, options = batch.secrets("password"), self._options
        if options.min_strength:
            return [place for place, password in enumerate(passwords) if password]
        found: set[int] = set()
        most = options.max_length or sys.maxsize
        lengths = list(map(len, passwords))
        if min(lengths, default=0) < options.min_length or max(lengths, default=0) > most:
            found.update(place for place, size in enumerate(lengths) if size and not options.min_length <= size <= most)
        for kind in options.require:
            has = _ASCII_KINDS[kind]
            found.update(place for place, one in enumerate(passwords) if one and not has(one))
        if least := options.min_classes:
            kinds = _ASCII_KINDS.values()
            found.update(
                place for place, one in enumerate(passwords) if one and sum(bool(h(one)) for h in kinds) < least
            )
        lowered = list(map(str.casefold, passwords))
        folded = lowered if "".join(lowered).isascii() else list(map(fold, passwords))
        for name in self._parts:
            parts = batch.folded(name)
            if "@" in "".join(parts):  # what comes before it is in whatever the whole is in
                parts = [part.partition("@")[0] or part for part in parts]
            if True in map(contains, folded, parts):
                found.update(
                    place for place, (one, part) in enumerate(zip(folded, parts, strict=True)) if part and part in one
                )
        if self._guessable is not None:
            found.update(place for place in self._guessable.suspects(lowered) if passwords[place] in self._guessable)
        return found

    def guidance(self, name: str) -> Guidance | None:
        """Says the whole policy."""
        if name != "password":
            return None
        options = self._options
        return Guidance(
            text=" ".join(self._policy()),
            problem="password.policy",
            min_length=options.min_length or None,
            max_length=options.max_length,
        )

    def _policy(self) -> Iterator[str]:
        options = self._options
        least, most = options.min_length, options.max_length
        if most is not None and least == most:
            yield ngettext("{count} character.", "{count} characters.", least)
        elif most is not None and least:
            yield gettext("{least} to {most} characters.", least=least, most=most)
        elif most is not None:
            yield ngettext("At most {count} character.", "At most {count} characters.", most)
        elif least:
            yield ngettext("At least {count} character.", "At least {count} characters.", least)
        if options.require:
            kinds = ", ".join(gettext(text) for kind, text in _KIND_NAMES.items() if kind in options.require)
            yield gettext("With {kinds}.", kinds=kinds)
        least = options.min_classes
        if least == len(_KINDS):
            yield gettext("With lower-case and upper-case letters, digits and symbols.")
        elif least > max(len(set(options.require)), 1):
            yield gettext(
                "With at least {least} of these: lower-case letters, upper-case letters, digits, symbols.", least=least
            )
        if self._parts:
            headings = ", ".join(self._fields[name].heading for name in self._parts if name in self._fields)
            yield gettext("Without what is in {headings}.", headings=headings)
        if self._guessable is not None:
            yield gettext("No common password, repetition or row of keys.")
        if options.min_strength:
            yield gettext("Hard to guess.")

    def _failing(self, password: str, row: Row) -> Iterator[str]:
        options = self._options
        if len(password) < options.min_length:
            yield ngettext(
                "it must have at least {count} character",
                "it must have at least {count} characters",
                options.min_length,
            )
        if options.max_length is not None and len(password) > options.max_length:
            yield ngettext(
                "it must have at most {count} character", "it must have at most {count} characters", options.max_length
            )
        if options.require or options.min_classes:
            yield from self._missing_kinds(password)
        folded = fold(password)
        for name in self._parts:
            if any(len(part) >= _SHORTEST_PART and part in folded for part in _parts(row.value(name).text)):
                yield (
                    gettext("it must not contain the username")
                    if name == "username"
                    else gettext("it must not contain what is in {other}", other=row.heading(name))
                )
        if self._guessable is not None and password in self._guessable:
            yield gettext("it is one of the most common passwords")
        elif options.min_strength:
            yield from self._too_weak(password, row)

    def _missing_kinds(self, password: str) -> Iterator[str]:
        found = {
            "lower": any(c.islower() for c in password),
            "upper": any(c.isupper() for c in password),
            "digit": any(c.isdigit() for c in password),
            "symbol": any(not c.isalnum() for c in password),
        }
        for kind, message in _KINDS.items():
            if kind in self._options.require and not found[kind]:
                yield gettext(message)
        least = self._options.min_classes
        if sum(found.values()) < least == len(_KINDS):
            yield gettext("it must contain all of these: lower-case, upper-case, digits, symbols")
        elif sum(found.values()) < least:
            yield gettext(
                "it must contain at least {least} of these: lower-case, upper-case, digits, symbols", least=least
            )

    def _too_weak(self, password: str, row: Row) -> Iterator[str]:
        from zxcvbn import zxcvbn  # noqa: PLC0415 -- only where the strength is judged

        known = [part for name in self._parts for part in _parts(row.value(name).text) if part]
        if zxcvbn(password[:_LONGEST_JUDGED], user_inputs=known)["score"] < self._options.min_strength:
            yield gettext("it is too easy to guess")


def _parts(text: str) -> tuple[str, ...]:
    name = fold(text)
    local, at, _ = name.partition("@")
    return (name, local) if at else (name,)


@hookimpl
def musterroll_validators() -> Iterator[Component]:
    """Announces the validator."""
    yield ValidatorType(
        name="password",
        summary="Passwords must meet the account's policy",
        options=PasswordOptions,
        build=Password,
    )
