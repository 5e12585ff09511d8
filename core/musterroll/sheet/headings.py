"""Finds the columns of the fields in the heading row, and the cells that stand under no heading."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.fields import Field, FieldSet
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Value
from musterroll.contract.text import clean, column_letter, fold_heading, nearest
from musterroll.contract.translation import gettext, gettext_noop, in_every_language, ngettext
from musterroll.sheet.plain_text import without_text_marks
from musterroll.sheet.synonyms import KnownHeadings
from musterroll.sheet.values import cell_value, is_filled, shown

_NEAR = 0.7
# A file that is no sheet can have a million columns: after these they are only counted.
_NAMED = 100
_REASONS = gettext_noop("Reasons")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the fields are.

    Attributes:
        indexes: the column index of each field that has a column, from 0.
        letters: the column letter for problems; a composed field without a column has its first source's.
        named: the column indexes that have any heading at all, a known one or not.
        reasons: the column index of the reasons in a file of rejected rows, where the sheet is one.
        problems: what is wrong with the headings.
    """

    indexes: Mapping[str, int]
    letters: Mapping[str, str]
    named: frozenset[int]
    reasons: int | None
    problems: tuple[Problem, ...]


def find_columns(cells: Sequence[Cell], row: int, fields: FieldSet, everything: FieldSet | None = None) -> Columns:
    """Finds the columns of the fields.

    Args:
        cells: the cells of the heading row.
        row: its row number.
        fields: what to look for.
        everything: all fields that the sheet has, where `fields` are only some of them.
    """
    wanted = _wanted(fields)
    reasons_index: int | None = None
    indexes: dict[str, int] = {}
    named: set[int] = set()
    problems: list[Problem] = []
    unknown: list[tuple[int, str]] = []
    for index, cell in enumerate(cells):
        heading = heading_text(cell)
        if not heading:
            continue
        named.add(index)
        folded = fold_heading(heading)
        field = wanted.get(folded)
        if field is None and folded in _reasons_headings(everything or fields):
            reasons_index = index
        elif field is None:
            unknown.append((index, heading))
        elif field.name in indexes:
            problems.append(
                Problem(
                    code="column.duplicate",
                    message=gettext(
                        'Columns {first} and {second} are both "{heading}"; remove one',
                        first=column_letter(indexes[field.name]),
                        second=column_letter(index),
                        heading=field.heading,
                    ),
                    row=row,
                    column=column_letter(index),
                    field=field.name,
                    value=heading,
                )
            )
        else:
            indexes[field.name] = index
    missing = [field for field in fields.values() if field.needs_column and field.name not in indexes]
    meant = _meant([heading for _, heading in unknown[:_NAMED]], missing)
    # A row without headings is somebody's data, and the password must not be shown as an unknown heading.
    is_heading_row = bool(indexes) or len({field.name for field in meant.values()}) >= min(2, len(missing))
    if missing:
        problems.insert(0, _missing(missing, meant) if is_heading_row else _no_headings(missing, row))
    if is_heading_row:
        problems.extend(_unknown(unknown, meant, row))
    letters = {name: column_letter(index) for name, index in indexes.items()}
    for field in fields.values():
        if field.compose is not None and field.name not in letters:
            source = next((letters[name] for name in field.compose.names if name in letters), None)
            if source is not None:
                letters[field.name] = source
    return Columns(indexes, letters, frozenset(named), reasons_index, tuple(problems))


class UnheadedCells:
    """Counts the filled cells that stand under no heading.

    Args:
        columns: what the heading row says.

    Attributes:
        width: how many columns there are up to the last heading.
        only_behind: whether such cells can stand behind that only, since there is no gap before it.
    """

    def __init__(self, columns: Columns) -> None:
        self._named = columns.named
        self.width = max(columns.named, default=-1) + 1
        self.only_behind = len(columns.named) == self.width
        # A sheet without headings has a problem of its own.
        self._looks = bool(columns.indexes)
        self._count = 0
        self._first: tuple[int, int] | None = None

    def look(self, row: SheetRow) -> None:
        """Takes a row of data."""
        cells = row.cells
        if not self._looks or (len(cells) <= self.width and self.only_behind):
            return
        for index in range(self.width if self.only_behind else 0, len(cells)):
            if index not in self._named and is_filled(cells[index]):
                self._count += 1
                self._first = self._first or (row.number, index)

    def problem(self) -> Problem | None:
        """Returns the one warning for all of them, at the first. It does not say what stands there."""
        if self._first is None:
            return None
        row, index = self._first
        message = ngettext(
            "This cell is filled in, but there is no heading above it, so it is not imported; "
            "give its column a heading, or empty the cell",
            "{count} cells from this one on are filled in, but there is no heading above them, so they are not "
            "imported; give their columns a heading, or empty the cells",
            self._count,
        )
        return Problem(
            code="cell.without_heading",
            severity=Severity.WARNING,
            row=row,
            column=column_letter(index),
            message=message,
        )


def reasons_heading(fields: FieldSet) -> str:
    """The heading of the column that says why rows were rejected; no field's, so that nothing is read from it."""
    return _no_fields(gettext(_REASONS), _wanted(fields))


def _reasons_headings(fields: FieldSet) -> frozenset[str]:
    """What that heading may be, folded: whoever reads the file need not have the language of whoever wrote it."""
    wanted = _wanted(fields)
    return frozenset(fold_heading(_no_fields(name, wanted)) for name in in_every_language(_REASONS))


def _no_fields(heading: str, wanted: Mapping[str, Field]) -> str:
    names = (heading, *(f"{heading} {number}" for number in range(2, len(wanted) + 3)))
    return next(name for name in names if fold_heading(name) not in wanted)


def secret_columns(cells: Sequence[Cell], fields: FieldSet) -> frozenset[int]:
    """The columns that hold secrets, by the cells of the heading row: also those of a field that is omitted."""
    names = {fold_heading(name) for field in fields.values() if field.secret for name in _names(field)}
    return frozenset(index for index, cell in enumerate(cells) if fold_heading(heading_text(cell)) in names)


def _wanted(fields: FieldSet) -> dict[str, Field]:
    return {fold_heading(name): field for field in fields.values() if not field.omitted for name in _names(field)}


def _names(field: Field) -> tuple[str, ...]:
    return (field.heading, *field.aliases)


def heading_text(cell: Cell) -> str:
    """What a cell of the heading row says."""
    value = cell_value(without_text_marks(cell) if isinstance(cell, str) else cell)
    return value.text if isinstance(value, Value) else clean(shown(cell) or "")


def _meant(unknown: Sequence[str], missing: Sequence[Field]) -> dict[str, Field]:
    """Returns the missing field that each unknown heading seems to be, where there is one."""
    if not (unknown and missing):
        return {}
    known, fields = KnownHeadings(missing), {field.name: field for field in missing}
    near = {name: field for field in missing for name in _names(field)}
    found: dict[str, Field] = {}
    for heading in unknown:
        if (name := known.meant(heading)) is not None:
            found[heading] = fields[name]
        elif (nearly := nearest(heading, near, cutoff=_NEAR)) is not None:
            found[heading] = near[nearly]
    return found


def _missing(missing: Sequence[Field], meant: Mapping[str, Field]) -> Problem:
    """One problem that names all missing columns, with what is near in the sheet."""
    message = ngettext(
        "The column {names} is missing; add it to the heading row",
        "The columns {names} are missing; add them to the heading row",
        len(missing),
        names=_listed(missing),
    )
    if meant:
        hints = "; ".join(
            gettext('"{typed}" looks like "{heading}"', typed=_short(typed), heading=field.heading)
            for typed, field in meant.items()
        )
        message = gettext(
            "{message} ({hints}). Or write under [sheet.aliases] what this sheet calls them, as "
            "`musterroll pipeline map` does: {aliases}",
            message=message,
            hints=hints,
            aliases=", ".join(_aliases(meant)),
        )
    return Problem(
        code="column.missing",
        message=message,
        field=missing[0].name if len(missing) == 1 else None,
        suggestion=", ".join(dict.fromkeys(field.heading for field in meant.values())) or None,
    )


def _aliases(meant: Mapping[str, Field]) -> Iterator[str]:
    """The lines to paste, one for each field. An array replaces those that the field has."""
    for field in dict.fromkeys(meant.values()):
        typed = next(heading for heading, one in meant.items() if one is field)
        yield f"{field.name} = {json.dumps([*field.aliases, typed], ensure_ascii=False)}"


def _no_headings(missing: Sequence[Field], row: int) -> Problem:
    return Problem(
        code="column.missing",
        message=ngettext(
            "The column {names} is missing: row {row} holds no heading of this sheet; put it there, "
            "or set heading_row to the row that has the headings",
            "The columns {names} are missing: row {row} holds no heading of this sheet; put them there, "
            "or set heading_row to the row that has the headings",
            len(missing),
            names=_listed(missing),
            row=row,
        ),
        field=missing[0].name if len(missing) == 1 else None,
    )


def _listed(fields: Sequence[Field]) -> str:
    return ", ".join(f'"{field.heading}"' for field in fields)


def _unknown(unknown: Sequence[tuple[int, str]], meant: Mapping[str, Field], row: int) -> Iterator[Problem]:
    for index, heading in unknown[:_NAMED]:
        yield Problem(
            code="column.unknown",
            message=gettext('The heading "{heading}" is not known; the column is ignored', heading=_short(heading)),
            severity=Severity.WARNING,
            row=row,
            column=column_letter(index),
            value=heading,
            suggestion=field.heading if (field := meant.get(heading)) is not None else None,
        )
    if len(unknown) > _NAMED:
        index = unknown[_NAMED][0]
        yield Problem(
            code="column.unknown",
            message=ngettext(
                "{count} more heading, in column {column}, is not known; the column is ignored",
                "{count} more headings from {column} on are not known; the columns are ignored",
                len(unknown) - _NAMED,
                column=column_letter(index),
            ),
            severity=Severity.WARNING,
            row=row,
            column=column_letter(index),
        )


def _short(heading: str) -> str:
    return heading if len(heading) <= 60 else f"{heading[:59]}…"
