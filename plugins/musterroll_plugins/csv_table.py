"""A csv file beside the pipeline that says what values stand for: two columns below two headings, the value first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from musterroll import Confidence, Context, Source, SourceError, clean
from musterroll_plugins.readers.csv.reader import CsvOptions, CsvReader

_MOST_FAULTS = 20  # of one file; who took the wrong file need not read a thousand


def add_file(
    add: Callable[[str, str], None],
    file: Path,
    context: Context,
    headings: Callable[[str, str], str | None] = lambda value, meaning: None,
) -> Iterator[str]:
    """Adds the rows of a file; yields what is wrong with it.

    Args:
        add: takes a value and what it stands for; a `ValueError` says what is wrong with them.
        file: the file.
        context: of the plugin that reads it.
        headings: says what is wrong with the two headings.
    """
    faults = _faults(add, file, context, headings)
    yield from islice(faults, _MOST_FAULTS)
    if more := sum(1 for _ in faults):
        yield f"{file.name} has {more} more mistakes"


def _faults(
    add: Callable[[str, str], None], file: Path, context: Context, headings: Callable[[str, str], str | None]
) -> Iterator[str]:
    reader = CsvReader(CsvOptions(), context)
    try:
        source = Source(file)
        if reader.sniff(source) is not Confidence.PERHAPS:
            yield f"{file.name} is no csv file; save it as CSV (UTF-8)"
            return
        with reader.open(source) as sheet:
            rows = ((number, [clean(str(cell or "")) for cell in cells]) for number, cells in sheet.rows())
            yield from _add_rows(add, file.name, ((number, cells) for number, cells in rows if any(cells)), headings)
    except SourceError as error:
        # What the reader advises is for sheets.
        encoding = error.code == "source.encoding"
        yield f"{file.name} is not UTF-8 text throughout; save it as CSV (UTF-8)" if encoding else error.message


def _add_rows(
    add: Callable[[str, str], None],
    name: str,
    rows: Iterator[tuple[int, list[str]]],
    headings: Callable[[str, str], str | None],
) -> Iterator[str]:
    _, first = next(rows, (0, []))
    fault = headings(*first) if len(first) == 2 else "the first row must hold two headings"
    if fault is not None:
        yield f"{name}: {fault}"
        return
    for number, cells in rows:
        value, meaning, *others = *cells, *([""] * (2 - len(cells)))
        if any(others):
            yield f"{name}, row {number}: there are more than two cells; put values with commas in quotation marks"
            continue
        try:
            add(value, meaning)
        except ValueError as error:
            yield f"{name}, row {number}: {error}"
