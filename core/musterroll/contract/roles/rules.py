"""What looks at the rows of a sheet: transforms, validators, group resolvers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from musterroll.contract.batch import Batch
    from musterroll.contract.drafts import Guidance
    from musterroll.contract.problems import Problem
    from musterroll.contract.rows import Row, Value
    from musterroll.contract.users import GroupPath


class Transform(Protocol):
    """Makes the values of a row as they should be, before any rule sees them. The same row has the same values."""

    def apply(self, row: Row) -> Mapping[str, str | Value | Problem]:
        """Says what is to change, by field; nothing where the row is as it should be.

        It is asked about every row, after the transforms before it, and before defaults and composed fields, which
        are made of what it says. Where a value comes from, its cell, and what was typed there stay as they are.

        Args:
            row: the row; of secrets only whether there is one.

        Returns:
            The new text ("" for none); a `Value`, where it matters what kind it is (`Origin.DEFAULT` counts when a
            user is created only); or `row.problem(…)` where there is none. What is made of such a value is not asked
            for any more.
        """
        ...


class RowValidator(Protocol):
    """A rule that needs one row only."""

    def check(self, row: Row) -> Iterable[Problem]:
        """Yields the row's problems, made with `row.problem(…)`."""
        ...


@runtime_checkable
class SheetValidator(Protocol):
    """A rule that needs the whole sheet. A new instance is built for every sheet."""

    def check(self, row: Row) -> Iterable[Problem]:
        """Yields the row's problems."""
        ...

    def finish(self) -> Iterable[Problem]:
        """Yields the problems that only the whole sheet shows; called once, after the last row."""
        ...


@runtime_checkable
class ProvesRows(Protocol):
    """What a validator can do besides: tell rows apart that have no problem, many at once, before `check` is asked.

    `check` stays what the rule is: a proof only spares it rows, and must be right whatever the values are and wherever
    they came from. A rule of the whole sheet that has one is asked `check` for the suspects only, so `suspects` takes
    note of all others; every row of a batch is in it, in order, before `check` is asked about the first of them.
    """

    def suspects(self, batch: Batch) -> Iterable[int]:
        """Says which rows may have a problem, by their places in the batch, from 0. All others have none."""
        ...


@runtime_checkable
class GuidesPeople(Protocol):
    """What a validator can do besides: say in a blank sheet what it will ask, before anybody types."""

    def guidance(self, name: str) -> Guidance | None:
        """Says what the rule asks of the column of a field; None where that is nothing, or not worth a sentence."""
        ...


class GroupResolver(Protocol):
    """Says which groups a row's user belongs to. Pure: matching and creation are the core's."""

    def resolve(self, row: Row) -> Iterable[GroupPath | Problem]:
        """Yields group paths, and problems where the row's text is none."""
        ...


@runtime_checkable
class ResolvesBatches(Protocol):
    """What a group resolver can do besides: say the groups of many rows at once."""

    def resolve_batch(self, batch: Batch) -> Sequence[tuple[GroupPath, ...] | None]:
        """Says of each row what `resolve` yields for it; None of a row for which `resolve` is to be asked."""
        ...


@runtime_checkable
class WritesGroups(Protocol):
    """What a group resolver can do besides: write groups as it reads them, for a sheet of users whom the portal has."""

    def write_groups(self, paths: Sequence[GroupPath]) -> Mapping[str, str]:
        """Returns texts by the names of fields, of which `resolve` makes these groups."""
        ...
