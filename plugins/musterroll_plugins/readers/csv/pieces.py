"""Divides a piece of a csv file into records, all at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from itertools import chain

from musterroll import Cell, CellColumns
from musterroll_plugins.readers.csv.delimiter import records

# Behind a piece of which no record is open, this is a record of its own: neither delimiter nor quotation mark can be.
_END = "\0"


def divided(text: str, delimiter: str, quote: str) -> Sequence[Sequence[Cell]] | None:
    """Divides whole lines, the first of which begins a record.

    Args:
        text: the lines; the last one need not have an end.
        delimiter: what separates the cells.
        quote: the quotation mark; empty for none.

    Returns:
        The records. None where the last one goes on behind the text, or a cell is longer than any can be.
    """
    if len(text) <= csv.field_size_limit() and not (quote and quote in text):
        columns = _columns(text.replace("\r\n", "\n") if "\r" in text else text, delimiter)
        if columns is not None:
            return columns
    lines = io.StringIO(text if text.endswith(("\n", "\r")) else text + "\n", newline="")
    try:
        found = list(records(chain(lines, (_END,)), delimiter, quote))
    except csv.Error:
        return None
    return found if found.pop() == [_END] else None


def _columns(text: str, delimiter: str) -> CellColumns | None:
    """Divides lines without quotation marks; returns None where they are not all of one width, of two cells or more."""
    text = text.removesuffix("\n")
    breaks = text.count("\n")
    if "\r" in text or delimiter not in text:
        return None
    # With its break in front, the first cell of each line is known among the others.
    cells = text.replace("\n", f"{delimiter}\n").split(delimiter)
    width, rest = divmod(len(cells), breaks + 1)
    firsts = "".join(cells[::width]) if not rest else ""
    if width < 2 or firsts.count("\n") != breaks:
        return None
    return CellColumns([firsts.split("\n"), *(cells[column::width] for column in range(1, width))])
