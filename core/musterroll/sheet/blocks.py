"""Streams a sheet's filled rows in blocks, whatever its reader gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any

from musterroll.contract.cells import Block, Cell, CellColumns, SheetRow
from musterroll.contract.plain import takes_plain_way
from musterroll.contract.roles import ReadsBlocks, Sheet
from musterroll.errors import MusterrollError, PluginError
from musterroll.sheet.values import is_filled

# Rows of a reader that gives them one by one go into one block, up to so many rows and characters.
_ROWS, _CHARACTERS = 1000, 1 << 20


def filled_blocks(sheet: Sheet, reader: str) -> Iterator[Block]:
    """Streams the rows that are not blank, in blocks; none of them is empty.

    Args:
        sheet: the open worksheet.
        reader: the reader's name, for messages.

    Raises:
        SourceError: the file is damaged.
        PluginError: the reader broke.
    """
    number: int | None = None
    try:
        for block in sheet.blocks() if isinstance(sheet, ReadsBlocks) and not takes_plain_way() else _in_blocks(sheet):
            if block.numbers:
                number = block.numbers[-1]
            if (filled := _without_blank_rows(block)).numbers:
                yield filled
    except (MusterrollError, GeneratorExit):
        raise
    except Exception as error:
        raise PluginError(plugin=f"readers[{reader}]", stage="reading", cause=error, row=number) from error


def rows_of(blocks: Iterator[Block]) -> Iterator[SheetRow]:
    """Streams the rows of blocks one by one."""
    for block in blocks:
        yield from map(SheetRow, block.numbers, map(tuple, block.rows))


def least_width(rows: Sequence[Sequence[Cell]]) -> int:
    """How many cells every row has at least."""
    return len(rows.columns) if isinstance(rows, CellColumns) else min(map(len, rows), default=0)


def column_of(rows: Sequence[Sequence[Cell]], index: int, width: int) -> Sequence[Cell]:
    """The cells of a column; what a row lacks is None.

    Args:
        rows: the rows.
        index: the column's.
        width: how many cells every row has at least.
    """
    if isinstance(rows, CellColumns) and index < width:
        return rows.columns[index]
    if index < width:
        return list(map(itemgetter(index), rows))
    return [cells[index] if index < len(cells) else None for cells in rows]


def _in_blocks(sheet: Sheet) -> Iterator[Block]:
    numbers: list[int] = []
    rows: list[Sequence[Cell]] = []
    size = 0
    try:
        for row in sheet.rows():
            numbers.append(row.number)
            rows.append(row.cells)
            size += sum([len(cell) for cell in row.cells if isinstance(cell, str)])
            if len(numbers) == _ROWS or size > _CHARACTERS:
                yield Block(numbers, rows)
                numbers, rows, size = [], [], 0
    except Exception:
        yield Block(numbers, rows)  # so that the last row is known
        raise
    yield Block(numbers, rows)


def _without_blank_rows(block: Block) -> Block:
    rows = block.rows
    doubtful: Sequence[int] = range(len(rows))
    width = least_width(rows)
    if isinstance(rows, CellColumns) and any(map(_is_all_filled, rows.columns[:1])):
        return block
    for index in range(width):
        # A row is filled where one cell is, and mostly the first one tells.
        cells = column_of(rows, index, width)
        doubtful = [
            place for place in doubtful if not (type(cell := cells[place]) is str and cell.isascii() and cell.strip())
        ]
        if not doubtful:
            return block
    blank = {place for place in doubtful if not any(map(is_filled, rows[place]))}
    if not blank:
        return block
    kept = [place for place in range(len(block.numbers)) if place not in blank]
    return Block([block.numbers[place] for place in kept], [block.rows[place] for place in kept])


def _is_all_filled(cells: Sequence[Any]) -> bool:
    """Whether every cell of a column has an ASCII text that is not blank."""
    try:
        return "".join(cells).isascii() and all(map(str.strip, cells))  # which take texts only
    except TypeError:
        return False
