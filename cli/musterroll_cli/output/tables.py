"""Tables: aligned columns in files and pipes, wrapping ones on terminals."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from musterroll import gettext
from musterroll_cli.output.console import Pieces, Stream, plain_text

Cells: TypeAlias = Sequence[Pieces]

_CHUNK = 200  # rows that are laid out together; a table of any length is never in memory
_WIDEST = 80  # a plain column is not padded beyond this; longer cells stick out


@dataclass(frozen=True, slots=True)
class Column:
    """A column.

    Attributes:
        title: its heading; where all columns have none, there is no heading line.
        wraps: whether a narrow terminal may wrap it.
        right: whether it is aligned to the right.
        widest: how many places it may take from the others on a terminal.
    """

    title: str = ""
    wraps: bool = False
    right: bool = False
    widest: int | None = None


def show_table(stream: Stream, columns: Sequence[Column], rows: Iterable[Cells], *, indent: int = 0) -> None:
    """Writes a table, in chunks. Columns that are empty throughout a chunk are left out of it."""
    rows = iter(rows)
    headed = any(column.title for column in columns)
    while chunk := list(islice(rows, _CHUNK)):
        used = [i for i in range(len(columns)) if any(plain_text(row[i]) for row in chunk)]
        kept = [columns[i] for i in used]
        cells = [[row[i] for i in used] for row in chunk]
        if stream.is_terminal:
            _show_rich(stream, kept, cells, headed=headed, indent=indent)
        else:
            for line in _plain_lines(stream, kept, cells, headed=headed, indent=indent):
                stream.write(line + "\n")
        headed = False


def _show_rich(
    stream: Stream, columns: Sequence[Column], rows: list[list[Pieces]], *, headed: bool, indent: int
) -> None:
    from rich.padding import Padding  # noqa: PLC0415 -- only terminals pay for it
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=headed, header_style="bold")
    for column in columns:
        table.add_column(
            gettext(column.title),
            no_wrap=not column.wraps,
            overflow="fold",
            max_width=column.widest,
            justify="right" if column.right else "left",
        )
    for row in rows:
        table.add_row(*(stream.rich_text(cell) for cell in row))
    stream.print(Padding(table, (0, 0, 0, indent)) if indent else table)


def _plain_lines(
    stream: Stream, columns: Sequence[Column], rows: list[list[Pieces]], *, headed: bool, indent: int
) -> Iterator[str]:
    texts = [[stream.seen(plain_text(cell)) for cell in row] for row in rows]
    if headed:
        texts.insert(0, [gettext(column.title).upper() for column in columns])
    widths = [min(max(_width(row[i]) for row in texts), _WIDEST) for i in range(len(columns))]
    for row in texts:
        padded = (
            _padded(text, width, right=column.right) for text, width, column in zip(row, widths, columns, strict=True)
        )
        yield (" " * indent + "  ".join(padded)).rstrip()


def _padded(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _width(text: str) -> int:
    """How many places the text takes on a screen."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
