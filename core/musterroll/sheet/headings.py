"""Finds the columns of the fields in the heading row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from musterroll.model.cells import Cell, NumberCell
from musterroll.model.fields import Field, FieldSet
from musterroll.problems import Problem, Severity
from musterroll.text import clean, column_letter, fold, nearest


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the fields are.

    Attributes:
        indexes: the column index of each field that has a column, from 0.
        letters: the column letter for problems; a composed field without a column has its first source's.
        problems: what is wrong with the headings.
    """

    indexes: Mapping[str, int]
    letters: Mapping[str, str]
    problems: tuple[Problem, ...]


def find_columns(cells: Sequence[Cell], row: int, fields: FieldSet) -> Columns:
    """Finds the columns of the fields.

    Args:
        cells: the cells of the heading row.
        row: its row number.
        fields: what to look for.
    """
    wanted = {
        _comparable(heading): field
        for field in fields.values()
        if not field.omitted
        for heading in (*field.aliases, field.heading)
    }
    indexes: dict[str, int] = {}
    problems: list[Problem] = []
    unknown: list[tuple[int, str]] = []
    for index, cell in enumerate(cells):
        heading = _heading_text(cell)
        if not heading:
            continue
        field = wanted.get(_comparable(heading))
        if field is None:
            unknown.append((index, heading))
        elif field.name in indexes:
            first = column_letter(indexes[field.name])
            problems.append(
                Problem(
                    code="column.duplicate",
                    message=f'Columns {first} and {column_letter(index)} are both "{field.heading}"; remove one',
                    row=row,
                    column=column_letter(index),
                    field=field.name,
                    value=heading,
                )
            )
        else:
            indexes[field.name] = index
    missing = [field for field in fields.values() if field.needs_column and field.name not in indexes]
    if missing:
        problems.insert(0, _missing(missing, [heading for _, heading in unknown]))
    problems.extend(
        Problem(
            code="column.unknown",
            message=f'"{heading}" is no column of this sheet; it is ignored',
            severity=Severity.WARNING,
            row=row,
            column=column_letter(index),
            value=heading,
            suggestion=nearest(heading, [field.heading for field in missing], cutoff=0.7),
        )
        for index, heading in unknown
    )
    letters = {name: column_letter(index) for name, index in indexes.items()}
    for field in fields.values():
        if field.compose is not None and field.name not in letters:
            source = next((letters[name] for name in field.compose.names if name in letters), None)
            if source is not None:
                letters[field.name] = source
    return Columns(indexes, letters, tuple(problems))


def _heading_text(cell: Cell) -> str:
    if isinstance(cell, str):
        return clean(cell)
    return str(cell.value) if isinstance(cell, NumberCell) else ""


def _comparable(heading: str) -> str:
    return " ".join(fold(heading).split())


def _missing(missing: Sequence[Field], unknown: Sequence[str]) -> Problem:
    """One problem that names all missing columns, with a heading of the sheet that is near where there is one."""
    names = ", ".join(f'"{field.heading}"' for field in missing)
    near = {field.heading: found for field in missing if (found := nearest(field.heading, unknown, cutoff=0.7))}
    hints = "; ".join(f'"{found}" looks like "{heading}"' for heading, found in near.items())
    if len(missing) == 1:
        message = f"The column {names} is missing; add it to the heading row"
    else:
        message = f"The columns {names} are missing; add them to the heading row"
    return Problem(
        code="column.missing",
        message=f"{message} ({hints})" if hints else message,
        field=missing[0].name if len(missing) == 1 else None,
        suggestion=", ".join(near) or None,
    )
