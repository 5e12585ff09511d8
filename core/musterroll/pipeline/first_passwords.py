"""Makes first passwords: from the system's secure random numbers, and such that the rules of the pipeline take them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from musterroll.contract.fields import PASSWORD, USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.roles import SheetValidator
from musterroll.contract.rows import BLANK, Origin, Row, Value
from musterroll.contract.secret import Secret
from musterroll.errors import PluginError
from musterroll.registry.masks import masked

if TYPE_CHECKING:
    from musterroll.pipeline.pipeline import Pipeline

_WORDS = 5  # of 10.3 bits each, which makes 51
_ATTEMPTS = 200  # a name may be in some of them by chance
# Without those that are taken for one another on paper.
_LOWER, _UPPER, _DIGITS, _SIGNS = "abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=*#%?!"


class PasswordMaker:
    """Makes the first passwords of a pipeline.

    Args:
        pipeline: the pipeline; it makes passwords.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        made = pipeline.settings.sheet.make.password
        assert made is not None
        self._generate, self._fields, self._severities = made.generate, pipeline.fields, pipeline.severities
        self._headings = {name: field.heading for name, field in pipeline.fields.items()}
        whens = {str(one.label): one.when for one in pipeline.validators}
        self._rules = [
            (label, rule, whens[label])
            for label, rule in pipeline.build_validators()
            if not isinstance(rule, SheetValidator)
        ]

    def make(self, username: str, values: Mapping[str, str | None]) -> Secret | Problem:
        """Makes a password for somebody; where none meets the rules, returns what one of them says.

        Args:
            username: the user's.
            values: the attributes.

        Raises:
            PluginError: a rule broke.
        """
        found: Problem | None = None
        for _ in range(_ATTEMPTS):
            password = Secret(_words() if self._generate == "words" else _characters(int(self._generate)))
            found = self._against(password, {**values, USERNAME: username})
            if found is None:
                return password
        assert found is not None
        return found

    def _against(self, password: Secret, values: Mapping[str, str | None]) -> Problem | None:
        """What speaks against a password."""
        texts = {name: values.get(name) or "" for name in self._fields}
        given = {name: Value(text, Origin.CELL) if text else BLANK for name, text in texts.items()}
        given[PASSWORD] = Value("", Origin.MADE, None, password)
        row = Row(0, given, {}, self._headings)
        for label, rule, when in self._rules:
            if when is not None and not when.holds(when.texts_of(row)):
                continue
            try:
                for problem in rule.check(row):
                    counted = self._severities.of(problem) if problem.field == PASSWORD else None
                    if counted is not None and counted.is_error:
                        return counted
            except Exception as error:  # its text may hold the password
                cause = f"{type(error).__name__}: {masked(str(error), [password.reveal()])}"
                raise PluginError(plugin=label, stage="judging a password", cause=cause) from None
        return None


def _words() -> str:
    """Five words with a capital and a figure: what most rules ask for, and what can be read out from paper."""
    words = [secrets.choice(word_list()) for _ in range(_WORDS)]
    return f"{'-'.join([words[0].capitalize(), *words[1:]])}-{secrets.choice(_DIGITS)}"


def _characters(count: int) -> str:
    """So many characters, at least one of each kind, the first of them a letter."""
    kinds = (_LOWER, _UPPER, _DIGITS, _SIGNS)
    while True:
        text = secrets.choice(_LOWER + _UPPER) + "".join(secrets.choice("".join(kinds)) for _ in range(count - 1))
        if all(set(kind).intersection(text) for kind in kinds):
            return text


@cache
def word_list() -> tuple[str, ...]:
    """The words that passwords are made of."""
    lines = files(__package__).joinpath("words.txt").read_text(encoding="ascii").split("\n")
    return tuple(line for line in lines if line and not line.startswith("#"))
