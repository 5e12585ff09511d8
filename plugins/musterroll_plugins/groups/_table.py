"""Which groups a value means: a table in the pipeline file, or a csv file beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from musterroll import Confidence, Context, GroupPath, Source, SourceError, clean, fold, fold_heading
from musterroll_plugins.groups.paths import Notation
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader

_NOTATION = Notation()
_GROUPS = "groups"


def read_groups(text: str) -> tuple[GroupPath, ...]:
    """Reads groups in the notation of the Groups column; an empty text is none.

    Raises:
        ValueError: it cannot be read; says why.
    """
    if not clean(text):
        return ()
    parsed = _NOTATION.parse(text)
    if not parsed.is_good:
        raise ValueError("; ".join(_NOTATION.faults(parsed)))
    return tuple(parsed.paths)


class GroupTable:
    """The groups of each value; values compare folded.

    Attributes:
        values: the values as they were written.
    """

    def __init__(self) -> None:
        self._groups: dict[str, tuple[GroupPath, ...]] = {}
        self.values: list[str] = []

    def add(self, value: str, groups: str) -> None:
        """Adds a value.

        Raises:
            ValueError: the groups cannot be read, or the value means other groups already.
        """
        folded, paths = fold(value), read_groups(groups)
        if not folded:
            raise ValueError("the value is empty; `blank` says which groups blank cells mean")
        if folded not in self._groups:
            self._groups[folded] = paths
            self.values.append(clean(value))
        elif self._groups[folded] != paths:
            raise ValueError(f'"{clean(value)}" is there already, with other groups; a value can stand there once')

    def find(self, folded: str) -> tuple[GroupPath, ...] | None:
        """Returns the groups of a folded value; None for one that is not in the table."""
        return self._groups.get(folded)


def add_file(table: GroupTable, file: Path, context: Context) -> Iterator[str]:
    """Adds the rows of a csv file; yields what is wrong with it."""
    reader = CsvReader(CsvOptions(), context)
    try:
        source = Source(file)
        if reader.sniff(source) is not Confidence.PERHAPS:
            yield f"{file.name} is no csv file; save it as CSV (UTF-8)"
            return
        with reader.open(source) as sheet:
            rows = ((number, [clean(str(cell or "")) for cell in cells]) for number, cells in sheet.rows())
            yield from _add_rows(table, file.name, ((number, cells) for number, cells in rows if any(cells)), context)
    except SourceError as error:
        # What the reader advises is for sheets.
        encoding = error.code == "source.encoding"
        yield f"{file.name} is not UTF-8 text throughout; save it as CSV (UTF-8)" if encoding else error.message


def _add_rows(table: GroupTable, name: str, rows: Iterator[tuple[int, list[str]]], context: Context) -> Iterator[str]:
    field = context.fields.get(_GROUPS)
    known = {_GROUPS, fold_heading(field.heading) if field is not None else _GROUPS}
    _, headings = next(rows, (0, []))
    if len(headings) != 2 or fold_heading(headings[1]) not in known:
        yield f"{name}: the first row must hold two headings, the second of them Groups, e.g. Site,Groups"
        return
    for number, cells in rows:
        value, groups, *others = *cells, *([""] * (2 - len(cells)))
        if any(others):
            yield f"{name}, row {number}: there are more than two cells; put groups with commas in quotation marks"
            continue
        try:
            table.add(value, groups)
        except ValueError as error:
            yield f"{name}, row {number}: {error}"
