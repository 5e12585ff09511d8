"""The contract that every validator keeps, as tests to inherit.

class TestEmailDomain(ValidatorContract):
    good = ({"email": "ana@acme.example"},)
    bad = ({"email": "ana@elsewhere.example"},)
    codes = {"acme.email_domain"}

    def validator(self):
        return build_validator(acme, "acme-email-domain", domains=["acme.example"])
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence, Set

import pytest

from musterroll.model.rows import Row
from musterroll.plugin.roles import RowValidator, SheetValidator
from musterroll.problems import Problem
from musterroll.testing.building import STANDARD_FIELDS, make_absent_row, make_row

CANARY = "Canary-7c1f-Sesame"
STRANGE = (
    "0",
    " ",
    "\N{ZERO WIDTH SPACE}",
    "\x00",
    "\U0001f469\u200d\U0001f4bb",
    "é",
    "Ｂｏ",
    "\u202eabc",
    "'=1+1",
    "a\nb",
)
"""What people paste into cells."""
_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


class ValidatorContract:
    """Subclass it as `Test…`, override `validator`, and say what is good and what is bad.

    Attributes:
        good: the rows of a sheet without problems, each by field.
        bad: the rows of a sheet with problems; empty for a rule that cannot be broken by these fields.
        codes: the problems' codes there.
        seconds: how long a row with very long values may take.
    """

    good: Sequence[Mapping[str, str]] = ()
    bad: Sequence[Mapping[str, str]] = ()
    codes: Set[str] = frozenset()
    seconds: float = 5

    def validator(self) -> RowValidator | SheetValidator:
        """Builds a new instance; override this."""
        raise NotImplementedError

    def test_good_rows_have_no_problem(self) -> None:
        assert self._problems(self.good) == []

    def test_bad_rows_have_theirs(self) -> None:
        assert {problem.code for problem in self._problems(self.bad)} == self.codes

    def test_problems_say_where_and_what(self) -> None:
        rows = {number for number, _ in enumerate(self.bad, 3)}
        for problem in self._problems(self.bad):
            assert _CODE.fullmatch(problem.code), problem
            assert problem.message.strip(), problem
            assert "\n" not in problem.message, problem
            assert problem.row is None or problem.row in rows, problem
            assert set(problem.condemns) <= rows, problem

    def test_each_sheet_begins_afresh(self) -> None:
        assert self._problems(self.bad) == self._problems(self.bad)

    def test_rows_without_anything(self) -> None:
        for row in (make_row(), make_absent_row(*self._own())):
            list(_found(self.validator(), [row]))

    @pytest.mark.parametrize("text", [*STRANGE, "x" * 100_000], ids=ascii)
    def test_strange_values(self, text: str) -> None:
        begun = time.monotonic()
        list(_found(self.validator(), [make_row(3, **dict.fromkeys([*STANDARD_FIELDS, *self._own()], text))]))
        assert time.monotonic() - begun < self.seconds

    def test_no_password_in_a_problem(self) -> None:
        rows = [{**row, "password": CANARY} for row in (*self.bad, *self.good, {"username": CANARY, "email": CANARY})]
        for problem in self._problems(rows):
            shown = f"{problem.message} {problem.suggestion}"
            assert CANARY not in (shown if problem.field == "password" else ""), problem
            assert problem.field != "password" or problem.value is None, problem

    def _own(self) -> set[str]:
        return {name for row in (*self.good, *self.bad) for name in row}

    def _problems(self, rows: Iterable[Mapping[str, str]]) -> list[Problem]:
        return list(_found(self.validator(), [make_row(number, **row) for number, row in enumerate(rows, 3)]))


def _found(validator: RowValidator | SheetValidator, rows: Iterable[Row]) -> Iterable[Problem]:
    for row in rows:
        yield from validator.check(row)
    if isinstance(validator, SheetValidator):
        yield from validator.finish()
