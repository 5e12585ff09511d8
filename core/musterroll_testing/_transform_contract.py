"""The contract that every transform keeps, as tests to inherit.

class TestBadge(TransformContract):
    row = {"badge": "a 12"}
    changes = {"badge": "A-12"}

    def transform(self):
        return build_transform(acme, "acme-badge")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest

from musterroll.contract.problems import Problem
from musterroll.contract.roles import Transform
from musterroll.contract.rows import Row, Value
from musterroll.registry.plugin_errors import AnswerError
from musterroll_testing._limits import in_words
from musterroll_testing._rules import CANARY, LONG, STRANGE, refuse_told_passwords, transformed_by
from musterroll_testing.building import make_absent_row, make_row


class TransformContract:
    """Subclass it as `Test…`, override `transform`, and give an example.

    Attributes:
        row: the values of a row, by field.
        changes: what it makes of them: the new texts by field; None where there is a problem instead.
    """

    row: ClassVar[Mapping[str, str]] = {}
    changes: ClassVar[Mapping[str, str | None]] = {}

    def transform(self) -> Transform:
        """Builds a new instance; override this."""
        raise NotImplementedError

    def test_the_example(self) -> None:
        assert _texts(self._said(make_row(3, **self.row))) == self.changes

    def test_it_is_pure(self) -> None:
        transform = self.transform()
        with in_words():
            first = transformed_by(transform, make_row(3, **self.row))
            transformed_by(transform, make_row(4))
            assert transformed_by(transform, make_row(3, **self.row)) == first

    def test_what_it_has_made_stays(self) -> None:
        made = {name: text for name, text in self.changes.items() if text is not None}
        changed = {**self.row, **made}
        again = _texts(self._said(make_row(3, **changed)))
        for name in made:
            if self.row.get(name):  # what it finds elsewhere it may find again
                assert again.get(name, changed[name]) == changed[name], f'"{name}" is changed once more'

    def test_rows_without_anything(self) -> None:
        for row in (make_row(), make_absent_row(*self.row)):
            self._said(row)

    @pytest.mark.parametrize("text", [*STRANGE, LONG], ids=ascii)
    def test_strange_values(self, text: str) -> None:
        self._said(make_row(3, **dict.fromkeys(self.row, text)))

    def test_no_password_in_a_value_or_problem(self) -> None:
        row = make_row(3, **{**self.row, "password": CANARY})
        for name, said in self._said(row).items():
            with in_words():
                if isinstance(said, Problem):
                    refuse_told_passwords(said, [CANARY])
                elif CANARY in (said if isinstance(said, str) else said.text):
                    raise AnswerError(f'the value for "{name}" tells the row\'s password')

    def _said(self, row: Row) -> Mapping[str, str | Value | Problem]:
        """What it says; what is wrong with that is told in words."""
        with in_words():
            return transformed_by(self.transform(), row)


def _texts(said: Mapping[str, str | Value | Problem]) -> dict[str, str | None]:
    return {
        name: None if isinstance(one, Problem) else one if isinstance(one, str) else one.text
        for name, one in said.items()
    }
