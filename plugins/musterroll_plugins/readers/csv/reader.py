"""Reads csv files: RFC 4180, and what spreadsheet programs export.

A row's number is that of the record, as spreadsheet programs count: a line break inside quotes does not
advance it, and Excel's line `sep=;` has none.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TextIO

from pydantic import Field, field_validator, model_validator

from musterroll import (
    Block,
    Component,
    Confidence,
    Context,
    Options,
    OtherFormat,
    Problem,
    ReaderType,
    SheetEditor,
    SheetInfo,
    SheetRow,
    SheetWriter,
    Source,
    SourceError,
    column_letter,
    gettext,
    hookimpl,
)
from musterroll_plugins.readers.csv import delimiter as _delimiter
from musterroll_plugins.readers.csv import encoding as _text
from musterroll_plugins.readers.csv.other_formats import other_format
from musterroll_plugins.readers.csv.pieces import divided
from musterroll_plugins.readers.package.blocks import one_by_one

# A record above this is no row of a sheet: an Excel row of full cells is the only thing that comes near.
_RECORD_LIMIT = 4 << 20
_HEAD = 65536
_BLOCK_ROWS, _BLOCK_CHARACTERS = 1000, 1 << 20
# So many characters are divided at once, and so many where a record does not end with them.
_PIECE, _MOST_TEXT = 1 << 16, 1 << 20


class CsvOptions(Options):
    """Options of the csv reader."""

    delimiter: str | None = Field(None, description='the character between cells, or "tab"; found out by default')
    encoding: str | None = Field(None, description='e.g. "utf-8" or "cp1252"; found out by default')
    quote: str = Field('"', description="the quotation mark; empty where quotation marks are ordinary text")

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and value.lower() == "tab":
            return "\t"
        if value is not None and (len(value) != 1 or value in "\r\n\0"):
            raise ValueError('write one character such as ";", or "tab"')
        return value

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        try:
            if value is not None:
                codecs.lookup(value)
                io.TextIOWrapper(io.BytesIO(), encoding=value).close()  # refuses hex, rot13 and their like
        except (LookupError, ValueError):
            raise ValueError('there is no such encoding; common ones are "utf-8", "cp1252" and "utf-16"') from None
        return value

    @field_validator("quote")
    @classmethod
    def _mark(cls, value: str) -> str:
        if len(value) > 1 or value in {"\r", "\n", "\0"}:
            raise ValueError("write one character, or nothing where quotation marks are ordinary text")
        return value

    @model_validator(mode="after")
    def _different(self) -> CsvOptions:
        if self.delimiter is not None and self.delimiter == self.quote:
            raise ValueError("delimiter and quote must be different characters")
        return self


@dataclass(frozen=True, slots=True)
class CsvSheet:
    """An open csv file.

    Attributes:
        source: the file.
        text: how its bytes become text.
        delimiter: the character between cells.
        quote: the quotation mark; empty for none.
        skip: how many characters of `sep=;` come first.
        problems: what is wrong with the whole file.
    """

    source: Source
    text: _text.TextFormat
    delimiter: str
    quote: str
    skip: int
    problems: tuple[Problem, ...] = ()

    @property
    def info(self) -> SheetInfo:
        """What was opened."""
        return SheetInfo(
            "csv",
            encoding=self.text.codec,
            guess=self.text.title if self.text.guessed else None,
            problems=self.problems,
            is_plain_text=True,
        )

    def rows(self) -> Iterator[SheetRow]:
        """Streams the records; a blank line is a row without cells."""
        with self._opened() as file:
            yield from one_by_one(self._records(_lines(file)))

    def blocks(self) -> Iterator[Block]:
        """Streams the records, many at once; what is found wrong with them is found one by one."""
        with self._opened() as file:
            first, text = 1, ""
            while len(text) < _MOST_TEXT and (more := file.read(_PIECE)):
                text += more + file.readline(_RECORD_LIMIT + 1)
                records = divided(text, self.delimiter, self.quote)
                if records is not None:
                    yield Block(range(first, first + len(records)), records)
                    first, text = first + len(records), ""
            if text:
                yield from self._records(chain(_lines(io.StringIO(text, newline="")), _lines(file)), first)

    @contextmanager
    def _opened(self) -> Iterator[io.TextIOWrapper]:
        with _reading(self.source, self.text), _open_text(self.source, self.text) as file:
            file.read(self.skip)
            yield file

    def _records(self, lines: Iterator[str], first: int = 1) -> Iterator[Block]:
        """Divides lines, the first of which begins a record, and says what is wrong with a record."""
        records: list[list[str]] = []
        total = 0

        def watched() -> Iterator[str]:
            # The reader asks for a line while there is no new record only if one goes on: inside quotes.
            nonlocal total
            seen, size = -1, 0
            for line in lines:
                if (number := first + len(records)) != seen:
                    seen, size = number, 0
                size += len(line)
                if size > _RECORD_LIMIT:
                    raise self._too_long(number)
                total += len(line)
                yield line
            if first + len(records) == seen:
                raise self._never_closed(seen)

        try:
            for record in _delimiter.records(watched(), self.delimiter, self.quote):
                records.append(record)
                if len(records) == _BLOCK_ROWS or total > _BLOCK_CHARACTERS:
                    block = Block(range(first, first + len(records)), records)
                    first, total, records = first + len(records), 0, []
                    yield block
        except csv.Error:  # in this mode, the limit for a cell is all that it can be
            raise self._too_long(first + len(records)) from None
        if records:
            yield Block(range(first, first + len(records)), records)

    def _too_long(self, number: int) -> SourceError:
        cause = (
            gettext("a quotation mark ({quote}) there is not closed", quote=self.quote)
            if self.quote
            else gettext("line ends are missing")
        )
        return SourceError(
            gettext(
                "{file} cannot be read from row {number} on: a cell of it is longer than any cell can be, most "
                "likely because {cause}",
                file=self.source.name,
                number=number,
                cause=cause,
            ),
            code="source.unbalanced_quote" if self.quote else "source.unreadable",
        )

    def _never_closed(self, number: int) -> SourceError:
        with _open_text(self.source, self.text) as file:
            file.read(self.skip)
            column = 0
            for count, record in enumerate(_delimiter.records(file, self.delimiter, self.quote), 1):
                if count == number:
                    column = len(record) - 1
        return SourceError(
            gettext(
                "{file}: the quotation mark ({quote}) that opens cell {column}{number} is never closed, so that "
                "cell would swallow the rest; close it, or double it if it is part of the text",
                file=self.source.name,
                quote=self.quote,
                column=column_letter(column),
                number=number,
            ),
            code="source.unbalanced_quote",
        )


class CsvReader:
    """Reads csv files."""

    def __init__(self, options: CsvOptions, context: Context) -> None:
        self._options = options

    def sniff(self, source: Source) -> Confidence | OtherFormat:
        """Says PERHAPS for any text, and names what looks like text but is something else."""
        is_text = _text.is_plausible(source.head)
        return other_format(source, may_be_text=is_text) or (Confidence.PERHAPS if is_text else Confidence.NO)

    @contextmanager
    def open(self, source: Source, worksheet: str | None = None) -> Iterator[CsvSheet]:
        """Opens the file. It has no worksheets, so the name of one says nothing.

        Raises:
            SourceError: the file cannot be read, or is not text in the encoding that was named.
        """
        with _reading(source):
            text = _text.detect(source, self._options.encoding)
        if text.problem is not None:
            yield CsvSheet(source, text, ",", "", 0, (text.problem,))
            return
        with _reading(source, text), _open_text(source, text) as file:
            head = file.read(_HEAD)
        quote, delimiter, skip = self._options.quote, self._options.delimiter, 0
        hidden = _delimiter.sep_line(head)
        if hidden is not None and hidden[0] != quote:
            delimiter, skip = delimiter or hidden[0], hidden[1]
        if delimiter is None:
            delimiter = _delimiter.detect(head, quote)
        wrapped = (_quoted_lines(),) if _delimiter.is_wrapped(head[skip:], delimiter, quote) else ()
        yield CsvSheet(source, text, delimiter, quote, skip, wrapped)


def _quoted_lines() -> Problem:
    return Problem(
        code="source.quoted_lines",
        message=gettext(
            "Every line stands in quotation marks as a whole, so that it is one single cell; take away the mark at "
            "the beginning and at the end of each line (and one of two that are doubled), or export the file again "
            "with quotation marks around single cells only"
        ),
    )


def _lines(file: TextIO) -> Iterator[str]:
    return iter(partial(file.readline, _RECORD_LIMIT + 1), "")


def _open_text(source: Source, text: _text.TextFormat) -> io.TextIOWrapper:
    raw = source.open()
    raw.seek(text.skip)
    return io.TextIOWrapper(raw, encoding=text.codec, newline="")


@contextmanager
def _reading(source: Source, text: _text.TextFormat | None = None) -> Iterator[None]:
    """Says in one line what the file system or the encoding has against the file."""
    try:
        yield
    except OSError as error:
        raise SourceError(
            gettext("{path} cannot be read: {error}", path=source.path, error=error.strerror or error)
        ) from None
    except UnicodeError:
        title = text.title if text is not None else "text"
        raise SourceError(
            gettext(
                "{file} is not {encoding} throughout; save it as UTF-8, or name its encoding (`encoding` in "
                "[readers.csv])",
                file=source.name,
                encoding=title,
            ),
            code="source.encoding",
        ) from None


def _writer(options: CsvOptions, context: Context) -> SheetWriter:
    from musterroll_plugins.readers.csv.writer import CsvWriter  # noqa: PLC0415 -- whoever reads needs none

    return CsvWriter(options, CsvReader(options, context))


def _editor(options: CsvOptions, context: Context) -> SheetEditor:
    from musterroll_plugins.readers.csv.editor import CsvEditor  # noqa: PLC0415 -- whoever reads needs none

    return CsvEditor(CsvReader(options, context))


@hookimpl
def musterroll_readers() -> Iterator[Component]:
    """Announces the reader."""
    yield ReaderType(
        name="csv",
        summary="Text files with a row a line, as spreadsheet programs export them",
        options=CsvOptions,
        build=CsvReader,
        suffixes=(".csv",),
        writer=_writer,
        editor=_editor,
    )
