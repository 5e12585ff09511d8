"""The password policy of the account."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Annotated, Any, Self

from pydantic import Field as Limits
from pydantic import model_validator

from musterroll import Context, Options, Problem, Row, ValidatorType, fold, hookimpl
from musterroll_plugins.validators._fields import heading

_SHORTEST_USERNAME = 3  # a shorter one is in many good passwords by chance
_COMMON = "common_passwords.txt"


class PasswordOptions(Options):
    """Options of `password`.

    Attributes:
        min_length: the fewest characters.
        max_length: the most characters.
        lower: needs a lower-case letter.
        upper: needs an upper-case letter.
        digit: needs a digit.
        symbol: needs a character that is neither letter nor digit; a space is one.
        classes: needs at least so many of these four kinds.
        not_username: must not contain the username, in whatever case; usernames of one or two characters aside.
        not_common: must not be one of the passwords that are tried first.
    """

    min_length: Annotated[int, Limits(ge=0)] = 8
    max_length: Annotated[int, Limits(ge=1)] | None = None
    lower: bool = False
    upper: bool = False
    digit: bool = False
    symbol: bool = False
    classes: Annotated[int, Limits(ge=0, le=4)] = 0
    not_username: bool = True
    not_common: bool = True

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.max_length is not None and self.max_length < self.min_length:
            raise ValueError(f"max_length ({self.max_length}) is less than min_length ({self.min_length})")
        return self


class Password:
    """`password.policy`: a given password breaks the policy; one problem lists every failing rule."""

    def __init__(self, options: PasswordOptions, context: Context) -> None:
        self._options = options
        self._heading = heading(context, "password")
        self._common = _common_passwords() if options.not_common else frozenset()

    def check(self, row: Row) -> Iterator[Problem]:
        """Yields at most one problem; its message never holds the password."""
        secret = row.secret("password")
        if secret is None:
            return
        failing = list(self._failing(secret.reveal(), row.value("username").text))
        if failing:
            message = f"{self._heading} does not meet the policy: it {'; it '.join(failing)}; choose another one"
            yield row.problem("password", "password.policy", message)

    def _failing(self, password: str, username: str) -> Iterator[str]:
        options = self._options
        if len(password) < options.min_length:
            yield f"must have at least {_characters(options.min_length)}"
        if options.max_length is not None and len(password) > options.max_length:
            yield f"must have at most {_characters(options.max_length)}"
        if options.classes or options.lower or options.upper or options.digit or options.symbol:
            yield from self._missing_kinds(password)
        if options.not_username:
            name = fold(username)
            if len(name) >= _SHORTEST_USERNAME and name in fold(password):
                yield "must not contain the username"
        if password.casefold() in self._common:
            yield "is one of the most common passwords"

    def _missing_kinds(self, password: str) -> Iterator[str]:
        options = self._options
        kinds = {
            "a lower-case letter": (options.lower, any(c.islower() for c in password)),
            "an upper-case letter": (options.upper, any(c.isupper() for c in password)),
            "a digit": (options.digit, any(c.isdigit() for c in password)),
            "a symbol": (options.symbol, any(not c.isalnum() for c in password)),
        }
        for kind, (wanted, found) in kinds.items():
            if wanted and not found:
                yield f"must contain {kind}"
        if sum(found for _, found in kinds.values()) < options.classes:
            yield f"must contain at least {options.classes} of these: lower-case, upper-case, digits, symbols"


def _characters(count: int) -> str:
    return f"{count} character{'' if count == 1 else 's'}"


def _common_passwords() -> frozenset[str]:
    text = resources.files(__package__).joinpath(_COMMON).read_text(encoding="utf-8")
    return frozenset(line.casefold() for line in text.splitlines() if line and not line.startswith("#"))


@hookimpl
def musterroll_validators() -> Iterator[ValidatorType[Any]]:
    """Announces the validator."""
    yield ValidatorType(
        name="password",
        summary="Passwords must meet the account's policy",
        options=PasswordOptions,
        build=Password,
    )
