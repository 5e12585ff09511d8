"""Writes csv files: RFC 4180, with the mark that makes Excel read UTF-8.

A text that begins with = + - or @ is written as it is, although a spreadsheet program that opens the file takes it
for a formula: it is the customer's data (a phone +44…, a password), and must come back unchanged. Where the draft says
that texts must outlive such a program (`outlives_programs`), those that it would take for something else are written
as `="…"`, which is a text to it and to our reader.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from musterroll import (
    BoolCell,
    Cell,
    Confidence,
    DateCell,
    Draft,
    MusterrollError,
    NumberCell,
    SourceError,
    TextCell,
    gettext,
)
from musterroll_plugins.readers.csv.encoding import TextFormat
from musterroll_plugins.readers.looks import HALVES, error_shown, is_number

if TYPE_CHECKING:
    from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader

# What a spreadsheet program takes for a number, a date, a truth value or a formula when it opens such a file.
_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    "nov(?:ember)?|dec(?:ember)?"
)
# What repeats a class gives nothing back (`*+`), or a long run of blanks would be cut up in every way there is.
_SPOILT = re.compile(
    r"\s*+(?:[=+@'-].*|0\d.*|\d{16,}\s*|true\s*|false\s*)"
    r"|(?!\d+\s*$)(?=[.,:/%\s$€£-]*+\d)[\d.,:/%\s$€£-]*+(?:e[+-]?\d+\s*)?"
    rf"|(?=.*\d)[\d\s,./-]*+(?:{_MONTHS})[\d\s,./-]*+"
    r"|[\d:\s]*\d\s*[ap]m\s*",
    re.IGNORECASE | re.DOTALL,
)
# Spreadsheet programs hold 15 digits of a number.
_EXACT_BELOW = 10**14


class CsvWriter:
    """Writes csv files.

    Args:
        options: those of the reader, so that what is written can be read.
        reader: finds out the delimiter of the file that the rows come from.
    """

    def __init__(self, options: CsvOptions, reader: CsvReader) -> None:
        self._options, self._reader = options, reader

    def write(self, draft: Draft, target: BinaryIO) -> None:
        """Writes a record a row; rows that are left out become blank lines.

        Raises:
            MusterrollError: the encoding that the options name does not have a character.
        """
        encoding = self._options.encoding or "utf-8-sig"
        if encoding.lower().replace("_", "-") in {"utf-8", "utf8"}:
            encoding = "utf-8-sig"
        delimiter, quote = self._delimiter(draft), self._options.quote
        special = special_in(delimiter, quote)
        text = io.TextIOWrapper(target, encoding=encoding, newline="")
        number = 0
        try:
            for row in draft.rows:
                text.write("\r\n" * (row.number - number - 1))
                number = row.number
                fields = [HALVES.sub("\ufffd", _text_of(cell)) for cell in row.cells]
                if draft.outlives_programs and row.number >= draft.first_row:
                    fields = list(map(_as_text, fields))
                if len(fields) == 1 and not fields[0]:
                    fields = []
                text.write(delimiter.join(quoted(field, special, quote) for field in fields) + "\r\n")
            text.flush()
        except UnicodeEncodeError as error:
            raise MusterrollError(
                gettext(
                    'row {row} holds the character "{character}", which {encoding} does not have; name another '
                    "encoding (`encoding` in [readers.csv]), or write an .xlsx file",
                    row=number,
                    character=error.object[error.start],
                    encoding=TextFormat(encoding).title,
                ),
                code="output.unwritable",
            ) from None
        finally:
            with suppress(UnicodeEncodeError):
                text.detach()

    def _delimiter(self, draft: Draft) -> str:
        if self._options.delimiter is not None:
            return self._options.delimiter
        if draft.like is not None and self._reader.sniff(draft.like) is Confidence.PERHAPS:
            with suppress(SourceError), self._reader.open(draft.like) as sheet:
                return sheet.delimiter
        return "," if self._options.quote != "," else ";"


def special_in(delimiter: str, quote: str) -> re.Pattern[str]:
    """What a field must be quoted for; edge spaces, because some programs trim what is not quoted."""
    return re.compile(rf"[\r\n{re.escape(delimiter + quote)}]" + (r"|^\s|\s$" if quote else ""))


def quoted(field: str, special: re.Pattern[str], quote: str) -> str:
    """The field as it is written."""
    if not special.search(field):
        return field
    if not quote:  # there is no way to say it; a file that was read without quotation marks holds nothing like it
        return special.sub(" ", field)
    return quote + field.replace(quote, quote + quote) + quote


def _as_text(field: str) -> str:
    """The field so that it is a text to spreadsheet programs as well."""
    if not field or (field.isdigit() and len(field) < 16 and field[0] != "0") or not _SPOILT.fullmatch(field):
        return field
    return '="' + field.replace('"', '""') + '"'


def _text_of(cell: Cell) -> str:
    """What a person should see of a cell; what may not be used must not look as if it might."""
    match cell:
        case None:
            return ""
        case str():
            return cell
        case NumberCell() if is_number(cell.value):
            return _digits(cell.value, cell.shown)
        case TextCell():
            return (cell.shown or "").strip()
        case BoolCell():
            return "TRUE" if cell.value else "FALSE"
        case DateCell(value=dt.datetime() as value):
            return str(value.date() if value.time() == dt.time() else value)
        case DateCell():
            return str(cell.value)
        case _:
            return error_shown(cell)


def _digits(value: int | float, shown: str | None) -> str:
    if abs(value) >= _EXACT_BELOW:  # its end is lost, so it is written as spreadsheet programs write such numbers
        return f"{value:.14E}"
    if shown is not None:  # as the programs write it; the number itself would pass for a value
        return shown.strip()
    return str(int(value)) if value == int(value) else f"{value:.15g}"
