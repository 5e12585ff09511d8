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
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

import pytest

from musterroll.contract.batch import Batch
from musterroll.contract.problems import Problem
from musterroll.contract.roles import RowValidator, SheetValidator
from musterroll.contract.rows import Row
from musterroll.registry.guards.built import VALIDATOR, look_at_built
from musterroll.registry.guards.rules import Findings, Rule, all_found, places_of
from musterroll.registry.masks import masked
from musterroll.registry.plugin_errors import AnswerError
from musterroll_testing._near_rows import SEEDS, near_rows
from musterroll_testing.building import STANDARD_FIELDS, make_absent_row, make_row

CANARY = "Canary-7c1f-Sesame"
# Some rules speak only of short ones, or of long ones; and whoever quotes one may do so in many ways.
PASSWORDS = (CANARY, "Cnry7!", CANARY * 20, 'Canary-"7c1f"\\ä <&>')
_TELLING = 4  # letters: shorter ones are in many a text by accident
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
_BATCH = 15  # rows
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

    @pytest.mark.parametrize("text", [*STRANGE, "x" * 100_000], ids=ascii)
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
            told = [
                name
                for name in ("code", "message", "value", "suggestion")
                if (text := getattr(problem, name)) and masked(text, secrets, of_secret=True) != text
            ]
            # What stands in the cell of a field that is no secret is none, even where a password is the same.
            told = [name for name in told if name != "value" or problem.field == "password"]
            assert not told, f"the {' and the '.join(told)} of the problem {problem.code:.50} tells the row's password"

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
    """What a rule finds, each looked at as the engine does; what is wrong with it is told in words."""
    try:
        look_at_built(validator, VALIDATOR)
        rule, findings, following = Rule.of_validator("", validator), Findings(), 0
        for row, is_asked in _asked(rule, rows, in_batches=in_batches):
            if row.number != following:
                findings.start(row, following)
            following = row.number + 1
            for found in rule.all_found(validator.check(row)) if is_asked else ():
                findings.problem(found, row)
                yield found  # type: ignore[misc]  # it was looked at
        findings.end(following)
        if isinstance(validator, SheetValidator):
            for found in all_found(validator.finish(), "finish"):
                findings.problem(found, None)
                yield found  # type: ignore[misc]
    except AnswerError as error:
        pytest.fail(str(error), pytrace=False)


def _asked(rule: Rule, rows: Sequence[Row], *, in_batches: bool) -> Iterator[tuple[Row, bool]]:
    """The rows, and whether the rule is asked about them: in batches, those that its proof does not leave out."""
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        proof = rule.proof if in_batches else None
        suspects = range(len(batch)) if proof is None else places_of(proof(Batch.of(batch)), len(batch))
        for place, row in enumerate(batch):
            yield row, place in suspects
