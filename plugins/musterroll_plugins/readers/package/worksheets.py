"""Which worksheet of a workbook is read, and what a person should know of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from musterroll import AmbiguousWorksheetError, Source, SourceError, column_letter, fold, gettext, is_front_worksheet

_MOST_STRETCHES = 20


class Listed(Protocol):
    """A worksheet in the list of a workbook."""

    @property
    def name(self) -> str:
        """Its name as the person sees it."""
        ...

    @property
    def visible(self) -> bool:
        """Whether the person sees it."""
        ...


W = TypeVar("W", bound=Listed)


def choose(source: Source, worksheets: Sequence[W], name: str | None) -> W:
    """Returns the worksheet of that name, or the only visible one.

    Raises:
        SourceError: there is none.
        AmbiguousWorksheetError: several are visible and none was named.
    """
    listed = ", ".join(f'"{sheet.name}"' for sheet in worksheets)
    if not worksheets:
        raise SourceError(gettext("{file} has no worksheet", file=source.name), code="source.no_worksheet")
    if name is not None:
        exact = [sheet for sheet in worksheets if sheet.name == name]
        found = exact or [sheet for sheet in worksheets if fold(sheet.name) == fold(name)]
        if not found:
            raise SourceError(
                gettext(
                    '{file} has no worksheet "{worksheet}"; it has {worksheets}',
                    file=source.name,
                    worksheet=name,
                    worksheets=listed,
                ),
                code="source.no_worksheet",
            )
        return found[0]
    visible = [sheet for sheet in worksheets if sheet.visible]
    if len(visible) > 1:  # of an annotated workbook, the one that lists its problems
        visible = [sheet for sheet in visible if not is_front_worksheet(sheet.name)] or visible
    if not visible:
        raise SourceError(
            gettext(
                "all worksheets of {file} are hidden; name one of {worksheets}, or unhide it",
                file=source.name,
                worksheets=listed,
            ),
            code="source.no_worksheet",
        )
    if len(visible) > 1:
        raise AmbiguousWorksheetError([sheet.name for sheet in visible])
    return visible[0]


@dataclass(slots=True)
class Hidden:
    """What a worksheet hides.

    Attributes:
        filtered: whether a filter hides rows.
        rows: whether rows with content are hidden otherwise.
        columns: first and last number of each stretch of hidden columns, from 1.
    """

    filtered: bool = False
    rows: bool = False
    columns: list[tuple[int, int]] = field(default_factory=list)

    def add_columns(self, first: int, last: int) -> None:
        """Notes a stretch of hidden columns."""
        if len(self.columns) < _MOST_STRETCHES:
            self.columns.append((first, last))

    def notes(self) -> tuple[str, ...]:
        """What the person should know."""
        notes = []
        if self.filtered:
            notes.append(gettext("a filter hides rows of this worksheet; they are read like the others"))
        elif self.rows:  # those that a filter hides are hidden rows as well
            notes.append(gettext("hidden rows are read like the others"))
        if self.columns:
            names = ", ".join(
                column_letter(first - 1) if first == last else f"{column_letter(first - 1)}-{column_letter(last - 1)}"
                for first, last in self.columns
            )
            notes.append(gettext("hidden columns ({names}) are read like the others", names=names))
        return tuple(notes)
