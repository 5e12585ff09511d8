"""Which character separates the cells of a csv file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice

_CANDIDATES = ",;\t|"
_RECORDS = 50
# A line in quotation marks that holds so many cells is a record; a name with a comma is not.
_WIDE = 3
_SEP_LINE = re.compile(r'"?sep=(?P<delimiter>[^\r\n"])"?(?:\r\n|\r|\n|$)', re.IGNORECASE)


def sep_line(text: str) -> tuple[str, int] | None:
    """Finds the line `sep=;` that spreadsheet programs obey and hide.

    Returns:
        The delimiter and the length of the line with its line end; None where there is no such line.
    """
    found = _SEP_LINE.match(text)
    return (found["delimiter"], found.end()) if found else None


def records(lines: Iterable[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    """Divides lines into records by the csv module; `quote` may be empty for none."""
    if quote:
        return csv.reader(lines, delimiter=delimiter, quotechar=quote)
    return csv.reader(lines, delimiter=delimiter, quotechar=None, quoting=csv.QUOTE_NONE)


def detect(text: str, quote: str) -> str:
    """Finds the delimiter from the first records of a csv file, with regard to quotes.

    The headings decide: data may hold any of the characters (`Group 1;Group 2` in a file with commas). Where no
    candidate both splits the first record and fits those below, the first record may be a title, so the one
    that divides the records most evenly is taken. A file of one column gets a comma.

    Args:
        text: the beginning of the file; its last record may be cut.
        quote: the quotation mark; empty for none.
    """
    candidates = [candidate for candidate in _CANDIDATES if candidate != quote]
    counts = {candidate: _fields(text, candidate, quote) for candidate in candidates}
    splitting = {
        candidate: (fields[0], _agreement(fields))
        for candidate, fields in counts.items()
        if fields and fields[0] > 1 and _agreement(fields) >= 0.5
    }
    if splitting:
        return max(splitting, key=lambda candidate: splitting[candidate])
    even = {candidate: found for candidate, fields in counts.items() if (found := _evenness(fields)) >= 1.0}
    if even:
        return max(even, key=lambda candidate: even[candidate])
    return max(counts, key=lambda candidate: counts[candidate][:1])


def is_wrapped(text: str, delimiter: str, quote: str) -> bool:
    """Whether every line is one cell in quotation marks that holds a whole record, as some programs export.

    Args:
        text: the beginning of the file; its last record may be cut.
        delimiter: what separates the cells.
        quote: the quotation mark; empty for none.
    """
    if not quote or not text.startswith(quote) or any(count > 1 for count in _fields(text, delimiter, quote)):
        return False
    inner = (cell for record in _some_records(text, delimiter, quote) for cell in record)
    counts = dict.fromkeys(_CANDIDATES, 0)
    lines = 0
    for cell in inner:
        lines += 1
        for candidate in counts:
            counts[candidate] += next(map(len, _some_records(cell, candidate, quote)), 0) >= _WIDE
    return lines > 1 and max(counts.values()) == lines


def _fields(text: str, delimiter: str, quote: str) -> list[int]:
    """Counts the fields of the first records that are not blank."""
    return [len(record) for record in _some_records(text, delimiter, quote)]


def _some_records(text: str, delimiter: str, quote: str) -> Iterator[list[str]]:
    """Yields the first records that are not blank, as far as the text can be divided."""
    try:
        filled = (record for record in records(io.StringIO(text, newline=""), delimiter, quote) if any(record))
        yield from islice(filled, _RECORDS + 1)
    except csv.Error:
        return


def _agreement(fields: list[int]) -> float:
    """The share of the records below the first that have as many fields."""
    return sum(1 for count in fields[1:] if count == fields[0]) / (len(fields) - 1) if len(fields) > 1 else 1.0


def _evenness(fields: list[int]) -> float:
    """How well the most frequent number of fields describes the records; 0 where it is not a table."""
    several = Counter(count for count in fields if count > 1)
    if not several:
        return 0.0
    ((count, times),) = several.most_common(1)
    return times / len(fields) * (count - 1) if times * 2 >= len(fields) else 0.0
