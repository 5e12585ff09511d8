"""A copy of a person's own sheet with some changes: whole or not there at all, and in the sheet's own format."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from musterroll.contract.components import ReaderType
from musterroll.contract.edits import SheetEdits
from musterroll.contract.options import Options
from musterroll.contract.source import Source
from musterroll.contract.translation import gettext
from musterroll.errors import UsageError
from musterroll.pipeline.pipeline import Instance, Pipeline
from musterroll.sheet.open_sheet import OpenSheet
from musterroll.sheet.repairs import Repair
from musterroll.written.new_sheet import write_new


class EditedCopy:
    """Where a copy goes, checked before any work is done.

    Args:
        pipeline: builds the editor.
        sheet: the sheet.
        path: where the copy goes; None for a file beside the sheet.
        kind: what the copy is, e.g. `fixed`: so is the file beside the sheet called.
        option: where the path was given, for the message.
        replace: whether to write over a file that is there.

    Raises:
        UsageError: nothing edits the sheet's format, the file's name asks for another one, or the file exists or is
            the sheet.
    """

    def __init__(
        self, pipeline: Pipeline, sheet: OpenSheet, path: Path | None, *, kind: str, option: str, replace: bool
    ) -> None:
        self._pipeline, self._sheet, self._replace = pipeline, sheet, replace
        self._instance = _editor(pipeline, sheet, option)
        source = sheet.source.path
        component = cast("ReaderType[Options]", self._instance.component)
        # A file may be called otherwise than its format is: a workbook with macros must stay one.
        suffixes = (*(component.suffixes or (f".{component.name}",)), source.suffix.lower())
        suffix = source.suffix or suffixes[0]
        self.path = source.with_name(f"{source.stem}.{kind}{suffix}") if path is None else path
        if self.path.is_dir():
            raise UsageError(
                gettext("{option} {path}: this is a folder; name a file in it", option=option, path=path),
                code="output.unsupported",
            )
        if self.path.suffix.lower() not in suffixes:
            raise UsageError(
                gettext(
                    "{option} {path}: the copy has the sheet's own format, so its name ends in {suffixes}",
                    option=option,
                    path=path,
                    suffixes=suffixes[0],
                ),
                code="output.unsupported",
            )
        if self.path.exists() and self.path.samefile(source):
            raise UsageError(
                gettext(
                    "{option} {path}: this is the sheet itself; name another file for its copy",
                    option=option,
                    path=path,
                ),
                code="output.exists",
            )
        if self.path.exists() and not replace:
            raise UsageError(
                gettext(
                    "there is a file {path} already; --force writes over it, {option} names another",
                    path=self.path,
                    option=option,
                ),
                code="output.exists",
            )

    def write(self, edits: SheetEdits, *, private: bool) -> Path:
        """Writes the copy.

        Raises:
            MusterrollError: it cannot be written.
            PluginError: the editor broke.
        """
        return write_edits(self._pipeline, self._instance, self._sheet.source, edits, self.path, private, self._replace)


def change_in_place(pipeline: Pipeline, sheet: OpenSheet, edits: SheetEdits, option: str) -> None:
    """Writes over a file of ours with changes to it; see `EditedCopy`."""
    instance = _editor(pipeline, sheet, option)
    write_edits(pipeline, instance, sheet.source, edits, sheet.source.path, private=True, replace=True)


def write_edits(
    pipeline: Pipeline, instance: Instance, source: Source, edits: SheetEdits, path: Path, private: bool, replace: bool
) -> Path:
    """Writes a changed copy of a sheet."""
    editor = pipeline.build_editor(instance)
    return write_new(
        instance.label,
        lambda target: editor.edit(source, edits, target),
        [path],
        private=private,
        replace=replace,
    )


def _editor(pipeline: Pipeline, sheet: OpenSheet, option: str) -> Instance:
    for one in pipeline.readers:
        component = cast("ReaderType[Options]", one.component)
        if component.name == sheet.summary.reader and component.editor is not None:
            return one
    raise UsageError(
        gettext(
            "{option}: nothing can change {reader} files in place; save the sheet as .xlsx first",
            option=option,
            reader=sheet.summary.reader,
        ),
        code="output.unsupported",
    )


class RepairStore:
    """The cells that were repaired, in a private temporary database: any number of them. Close it when done."""

    def __init__(self) -> None:
        # The empty name is SQLite's temporary database: in memory, spilling to a file that deletes itself.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE TABLE repair (row INTEGER, col INTEGER, field TEXT, before TEXT, text TEXT, code TEXT,"
            "PRIMARY KEY (row, col)) WITHOUT ROWID"
        )

    def add(self, repair: Repair) -> None:
        """Takes a repair; of several in one cell the first `before` and the last `text` count."""
        self._db.execute(
            "INSERT INTO repair VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET text = excluded.text", repair
        )

    def has(self, row: int, column: int) -> bool:
        """Whether there is a repair of that cell."""
        found = self._db.execute("SELECT 1 FROM repair WHERE row = ? AND col = ?", (row, column))
        return found.fetchone() is not None

    def clear(self) -> None:
        """Forgets all of them."""
        self._db.execute("DELETE FROM repair")

    def __iter__(self) -> Iterator[Repair]:
        for found in self._db.execute("SELECT * FROM repair ORDER BY row, col"):
            yield Repair(*found)

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM repair").fetchone()
        return int(count)

    def close(self) -> None:
        """Deletes the temporary database."""
        self._db.close()
