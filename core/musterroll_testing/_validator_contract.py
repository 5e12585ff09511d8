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

from musterroll.contract.problems import Problem
from musterroll.contract.roles import RowValidator, SheetValidator
from musterroll.contract.rows import Row
from musterroll.registry.guards.rules import Rule
from musterroll_testing._limits import in_words
from musterroll_testing._near_rows import SEEDS, near_rows
from musterroll_testing._rules import LONG, PASSWORDS, STRANGE, found_by, refuse_told_passwords
from musterroll_testing.building import STANDARD_FIELDS, make_absent_row, make_row

_TELLING = 4  # letters: shorter ones are in many a text by accident
_CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")


class ValidatorContract:
    """Subclass it as `Test…`, override `validator`, and say what is good and what is bad.

    Attributes:
        good: the rows of a sheet without problems, each by field.
        bad: the rows of a sheet with problems; empty for a rule that cannot be broken by these fields.
        codes: the problems' codes there.
        more: further rows, good or bad, that its proof is tried with if it has one.
        seconds: how long a row with very long values may take.
    """

    good: Sequence[Mapping[str, str]] = ()
    bad: Sequence[Mapping[str, str]] = ()
    codes: Set[str] = frozenset()
    more: Sequence[Mapping[str, str]] = ()
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
            assert set(problem.also_rejects) <= rows, problem

    def test_each_sheet_begins_afresh(self) -> None:
        assert self._problems(self.bad) == self._problems(self.bad)

    def test_rows_without_anything(self) -> None:
        for row in (make_row(), make_absent_row(*self._own())):
            list(_found(self.validator(), [row]))

    @pytest.mark.parametrize("text", [*STRANGE, LONG], ids=ascii)
    def test_strange_values(self, text: str) -> None:
        begun = time.monotonic()
        list(_found(self.validator(), [make_row(3, **dict.fromkeys([*STANDARD_FIELDS, *self._own()], text))]))
        assert time.monotonic() - begun < self.seconds

    @pytest.mark.parametrize("password", PASSWORDS, ids=["usual", "short", "long", "to be escaped"])
    def test_no_password_in_a_problem(self, password: str) -> None:
        rows: list[Mapping[str, str]] = [
            {**row, "password": password} for row in (*self.bad, *self.good, {"username": "ana"}, {})
        ]
        rows += [row for row in self.bad if len(row.get("password", "")) >= _TELLING]
        for problem, row in zip(*self._with_their_rows(rows), strict=True):
            secrets = [password] if row is None else [row["password"]]
            with in_words():
                refuse_told_passwords(problem, secrets)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_what_its_proof_leaves_out_has_no_problem(self, seed: int) -> None:
        rows = near_rows((*self.good, *self.bad, *self.more), STRANGE, seed)
        if Rule.of_validator("", self.validator()).proof is not None:
            asked = list(_found(self.validator(), rows))
            assert list(_found(self.validator(), rows, in_batches=True)) == asked

    def _with_their_rows(
        self, rows: Sequence[Mapping[str, str]]
    ) -> tuple[list[Problem], list[Mapping[str, str] | None]]:
        problems = self._problems(rows)
        return problems, [None if one.row is None else rows[one.row - 3] for one in problems]

    def _own(self) -> set[str]:
        return {name for row in (*self.good, *self.bad) for name in row}

    def _problems(self, rows: Iterable[Mapping[str, str]]) -> list[Problem]:
        return list(_found(self.validator(), [make_row(number, **row) for number, row in enumerate(rows, 3)]))


def _found(
    validator: RowValidator | SheetValidator, rows: Sequence[Row], *, in_batches: bool = False
) -> Iterable[Problem]:
    """What a rule finds; what is wrong with it is told in words."""
    with in_words():
        yield from found_by(validator, rows, in_batches=in_batches)
