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

from musterroll.model.rows import Row
from musterroll.model.users import GroupPath
from musterroll.plugin.roles import GroupResolver
from musterroll.problems import Problem
from musterroll.testing._validator_contract import STRANGE
from musterroll.testing.building import make_absent_row, make_row


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
        assert set(self.resolver().resolve(make_row(3, **self.row))) == self.groups

    def test_it_is_pure(self) -> None:
        resolver = self.resolver()
        first = list(resolver.resolve(make_row(3, **self.row)))
        list(resolver.resolve(make_row(4)))
        assert list(resolver.resolve(make_row(3, **self.row))) == first

    def test_rows_without_anything(self) -> None:
        for row in (make_row(), make_absent_row(*self.row)):
            self._well_made(row)

    @pytest.mark.parametrize("text", [*STRANGE, ";", "|", "\\", "a;;b", "x" * 100_000], ids=ascii)
    def test_strange_values(self, text: str) -> None:
        self._well_made(make_row(3, **dict.fromkeys(self.row, text)))

    def _well_made(self, row: Row) -> None:
        for found in self.resolver().resolve(row):
            if isinstance(found, Problem):
                assert found.message.strip()
                assert found.row in (row.number, None)
            else:
                assert isinstance(found, tuple)
                assert found, "a group has at least one level"
                assert all(found), "every level has a name"
