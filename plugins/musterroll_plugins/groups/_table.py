"""Which groups a value means: a table in the pipeline file, or a csv file beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from musterroll import Context, GroupPath, clean, fold, fold_heading
from musterroll_plugins.csv_table import add_file
from musterroll_plugins.groups.paths import Notation

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


def add_groups(table: GroupTable, file: Path, context: Context) -> Iterator[str]:
    """Adds the rows of a csv file; yields what is wrong with it."""
    field = context.fields.get(_GROUPS)
    known = {_GROUPS, fold_heading(field.heading) if field is not None else _GROUPS}

    def headings(value: str, groups: str) -> str | None:
        is_right = fold_heading(groups) in known
        return None if is_right else "the first row must hold two headings, the second of them Groups, e.g. Site,Groups"

    yield from add_file(table.add, file, context, headings)
