"""The contract that every group resolver keeps, as tests to inherit.

class TestDepartment(GroupResolverContract):
    row = {"department": "Sales"}
    groups = {("Departments", "Sales")}

    def resolver(self):
        return build_group_resolver(acme, "acme-department")
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import ClassVar

import pytest

from musterroll.contract.batch import Batch
from musterroll.contract.problems import Problem
from musterroll.contract.roles import GroupResolver
from musterroll.contract.rows import Row
from musterroll.contract.users import GroupPath
from musterroll.registry.guards.rules import Rule
from musterroll_testing._limits import in_words
from musterroll_testing._near_rows import SEEDS, near_rows
from musterroll_testing._rules import CANARY, LONG, NO_GROUPS, STRANGE, refuse_told_passwords, resolved_by
from musterroll_testing.building import make_absent_row, make_row


class GroupResolverContract:
    """Subclass it as `Test…`, override `resolver`, and give an example.

    Attributes:
        row: the values of a row, by field.
        groups: the groups that they mean.
    """

    row: ClassVar[Mapping[str, str]] = {}
    groups: Set[GroupPath] = frozenset()

    def resolver(self) -> GroupResolver:
        """Builds a new instance; override this."""
        raise NotImplementedError

    def test_the_example(self) -> None:
        assert set(self._found(self.resolver(), make_row(3, **self.row))) == self.groups

    def test_it_is_pure(self) -> None:
        resolver = self.resolver()
        first = self._found(resolver, make_row(3, **self.row))
        self._found(resolver, make_row(4))
        assert self._found(resolver, make_row(3, **self.row)) == first

    def test_rows_without_anything(self) -> None:
        for row in (make_row(), make_absent_row(*self.row)):
            self._well_made(row)

    @pytest.mark.parametrize("text", [*STRANGE, *NO_GROUPS, LONG], ids=ascii)
    def test_strange_values(self, text: str) -> None:
        self._well_made(make_row(3, **dict.fromkeys(self.row, text)))

    def _well_made(self, row: Row) -> None:
        for found in self._found(self.resolver(), row):
            assert not isinstance(found, Problem) or found.row in (row.number, None)

    def _found(self, resolver: GroupResolver, row: Row) -> list[GroupPath | Problem]:
        """What it finds; what is wrong with it is told in words."""
        with in_words():
            return resolved_by(resolver, row)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_what_it_says_of_many_rows_is_what_it_says_of_each(self, seed: int) -> None:
        proof = Rule.of_resolver("", self.resolver()).proof
        if proof is None:
            return
        rows, resolver = near_rows((self.row,), (*STRANGE, ";", "|", "\\"), seed), self.resolver()
        answers = list(proof(Batch.of(rows)))
        assert len(answers) == len(rows)
        for row, answer in zip(rows, answers, strict=True):
            assert answer is None or list(answer) == self._found(resolver, row)

    def test_no_password_in_a_problem(self) -> None:
        row = make_row(3, **dict.fromkeys(self.row, ";|"), password=CANARY)
        for found in list(self.resolver().resolve(row)):
            if isinstance(found, Problem):
                with in_words():
                    refuse_told_passwords(found, [CANARY])
