"""Changes cells in a copy of a csv file: records that have none of them stay byte for byte what they are."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from musterroll import CellEdit, MusterrollError, SheetEdits, Source, gettext
from musterroll_plugins.readers.csv import delimiter as _delimiter
from musterroll_plugins.readers.csv.writer import quoted, special_in
from musterroll_plugins.readers.looks import HALVES

if TYPE_CHECKING:
    from musterroll_plugins.readers.csv.reader import CsvReader, CsvSheet

_LINE_END = re.compile(r"(?:\r\n|\r|\n)\Z")


class CsvEditor:
    """Changes cells in a copy of a csv file, with its encoding, delimiter, quotation marks and line ends.

    Marks, notes and a worksheet in front are nothing that it can show. Blank lines stay blank.

    Args:
        reader: finds out how the file is written.
    """

    def __init__(self, reader: CsvReader) -> None:
        self._reader = reader

    def edit(self, source: Source, edits: SheetEdits, target: BinaryIO) -> None:
        """Writes the copy.

        Raises:
            SourceError: the file is damaged.
            MusterrollError: its encoding does not have a character that is to stand in it.
        """
        with self._reader.open(source) as sheet, source.open() as raw:
            target.write(raw.read(sheet.text.skip))
            text = io.TextIOWrapper(target, encoding=sheet.text.codec, newline="")
            number = -1  # what stands before the records comes first
            try:
                for piece in _edited(sheet, raw, edits):
                    number += 1
                    text.write(piece)
                text.flush()
            except UnicodeEncodeError as error:
                raise MusterrollError(
                    gettext(
                        'row {row} is to hold the character "{character}", which {encoding} does not have; save '
                        "the sheet as UTF-8 first",
                        row=number,
                        character=error.object[error.start],
                        encoding=sheet.text.title,
                    ),
                    code="output.unwritable",
                ) from None
            finally:
                with suppress(UnicodeEncodeError):
                    text.detach()


def _edited(sheet: CsvSheet, raw: BinaryIO, edits: SheetEdits) -> Iterator[str]:
    """Yields what stands before the records, and the records."""
    with io.TextIOWrapper(raw, encoding=sheet.text.codec, newline="") as file:
        yield file.read(sheet.skip)
        lines: list[str] = []

        def noted() -> Iterator[str]:
            for line in file:
                lines.append(line)
                yield line

        cells = edits.cells()
        following = next(cells, None)
        records = _delimiter.records(noted(), sheet.delimiter, sheet.quote)
        for number, record in enumerate(records, 1):
            text = "".join(lines)
            lines.clear()
            changed: dict[int, str] = {}
            if number >= edits.blanked_from:
                changed = {column: "" for column in edits.blanked if column < len(record)}
            while following is not None and following.row <= number:
                _take(following, number, len(record), changed)
                following = next(cells, None)
            is_other = any(record) and any(_at(record, column) != value for column, value in changed.items())
            yield _record(text, record, changed, sheet.delimiter, sheet.quote) if is_other else text


def _take(edit: CellEdit, number: int, width: int, changed: dict[int, str]) -> None:
    # A cell that is to be empty need not be made.
    if edit.row == number and edit.text is not None and (edit.text or edit.column < width):
        changed[edit.column] = HALVES.sub("\ufffd", edit.text)


def _at(record: list[str], column: int) -> str:
    return record[column] if column < len(record) else ""


def _record(text: str, record: list[str], changed: dict[int, str], delimiter: str, quote: str) -> str:
    """The text of a record with some other cells."""
    end = found[0] if (found := _LINE_END.search(text)) is not None else ""
    special = special_in(delimiter, quote)
    fields = _fields(text[: len(text) - len(end)], delimiter, quote)
    if len(fields) != len(record):  # written as nobody would
        fields = [quoted(cell, special, quote) for cell in record]
    always = bool(quote) and all(field.startswith(quote) for field in fields if field)
    fields.extend([quote * 2 if always else ""] * (max(changed) + 1 - len(fields)))
    for column, value in changed.items():
        is_marked = bool(quote) and (fields[column].startswith(quote) or (always and column >= len(record)))
        written = quoted(value, special, quote)
        fields[column] = f"{quote}{value}{quote}" if is_marked and written == value else written
    return delimiter.join(fields) + end


def _fields(text: str, delimiter: str, quote: str) -> list[str]:
    """Divides a record into cells as they are written, quotation marks and all."""
    fields: list[str] = []
    start, is_first, inside = 0, True, False
    for place, character in enumerate(text):
        if inside:
            inside = character != quote
        elif character == quote and quote and (is_first or text[place - 1] == quote):
            inside = True  # a doubled mark closes, and opens again
        elif character == delimiter:
            fields.append(text[start:place])
            start, is_first = place + 1, True
            continue
        is_first = False
    fields.append(text[start:])
    return fields
