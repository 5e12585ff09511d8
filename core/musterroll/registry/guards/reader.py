"""The readers as the engine calls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import chain, islice
from operator import lt
from types import NoneType
from typing import Any, TypeVar, get_args

from musterroll.contract.cells import Block, Cell, CellColumns, SheetInfo, SheetRow
from musterroll.contract.roles import Confidence, OtherFormat, Reader, ReadsBlocks, Sheet
from musterroll.contract.source import Source
from musterroll.errors import MusterrollError
from musterroll.registry.guards.guard import Guard, a, is_text, iterator
from musterroll.registry.plugin_errors import AnswerError, broken
from musterroll.registry.watch import Watch

T = TypeVar("T")
_KINDS = (*(kind for kind in get_args(Cell) if kind is not NoneType), NoneType)
_KNOWN = frozenset(_KINDS)
_ROWS = ("row read", "rows read")


class WatchedReader(Guard):
    """A reader whose every call is watched, and whose answers are looked at.

    Whoever opens sheets names what it raises, as some of that means something (`AmbiguousWorksheetError`).

    Args:
        inner: the reader.
        label: the instance as the person knows it.
        watch: notes every call.
    """

    def __init__(self, inner: Reader, label: str, watch: Watch) -> None:
        super().__init__(label, watch)
        self.inner = inner

    def sniff(self, source: Source) -> Confidence | OtherFormat:
        """See `Reader`."""
        return self.call("looking at the file", self.inner.sniff, _judgement, source)

    @contextmanager
    def open(self, source: Source, worksheet: str | None = None) -> Iterator[Sheet]:
        """See `Reader`."""
        call = self.watch.begin(self.label, "opening the file")
        try:
            opened: object = self.inner.open(source, worksheet)
            if not isinstance(opened, AbstractContextManager):
                raise AnswerError(f"open() must return a context manager that gives the sheet, not {a(opened)}")
            with opened as sheet:
                _info(sheet)
                self.watch.end(call)
                watched = _WatchedBlocks if isinstance(sheet, ReadsBlocks) else _WatchedSheet
                yield watched(sheet, self)
        finally:
            if self.watch.current is call:
                self.watch.end(call)


class _WatchedSheet:
    def __init__(self, inner: Sheet, guard: Guard) -> None:
        self._inner, self._guard = inner, guard

    @property
    def info(self) -> SheetInfo:
        """What was opened, as it is known by now."""
        try:
            return _info(self._inner)
        except MusterrollError:
            raise
        except Exception as error:
            raise broken(self._guard.label, "reading", error) from error

    def rows(self) -> Iterator[SheetRow]:
        """Streams the rows, each looked at. Most are as they should be, and there are millions of them."""
        known, last = _KNOWN.issuperset, 0

        def look(row: SheetRow) -> int:
            nonlocal last
            if (
                type(row) is not SheetRow
                or type(row[0]) is not int
                or row[0] <= last
                or type(row[1]) is not tuple
                or not known(map(type, row[1]))
            ):
                _look_at_row(row, last)
            last = row[0]
            return 1

        return self._stream(self._inner.rows, "rows", look, lambda: last)

    def _stream(
        self, method: Callable[[], object], name: str, look: Callable[[T], int], last: Callable[[], int]
    ) -> Iterator[T]:
        watch = self._guard.watch
        call = watch.begin(self._guard.label, "reading", _ROWS)
        try:
            for one in iterator(method(), name):
                call.done += look(one)
                watch.current = call.outer
                yield one
                call.outer, watch.current = watch.current, call
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken(self._guard.label, "reading", error, last() or None) from error
        finally:
            if watch.current is call:
                watch.end(call)


class _WatchedBlocks(_WatchedSheet):
    _inner: Any

    def blocks(self) -> Iterator[Block]:
        """Streams the blocks, each looked at as a whole."""
        last = 0

        def look(block: Block) -> int:
            nonlocal last
            if not _is_block(block, last):
                _look_at_block(block, last)
            if block.numbers:
                last = block.numbers[-1]
            return len(block.numbers)

        return self._stream(self._inner.blocks, "blocks", look, lambda: last)


def _is_block(block: Block, last: int) -> bool:
    if type(block) is not Block or type(block.numbers) not in (range, list):
        return False
    numbers, rows = block
    rise = (
        numbers.step > 0
        if isinstance(numbers, range)
        else {int}.issuperset(map(type, numbers)) and all(map(lt, numbers, islice(numbers, 1, None)))
    )
    if numbers and not (rise and numbers[0] > last):
        return False
    if type(rows) is CellColumns:
        return _are_columns(rows.columns, len(numbers)) and all(map(_has_cells, rows.columns))
    sizes = type(rows) is list and len(numbers) == len(rows) and {list, tuple}.issuperset(map(type, rows))
    return sizes and _KNOWN.issuperset(map(type, chain.from_iterable(rows)))


def _are_columns(columns: object, length: int) -> bool:
    if not isinstance(columns, list) or not columns:
        return False
    return all(isinstance(one, list) and len(one) == length for one in columns)


def _has_cells(column: Sequence[Any]) -> bool:
    try:
        "".join(column)  # which takes texts only, and no time
    except TypeError:
        return _KNOWN.issuperset(map(type, column))
    return True


def _look_at_block(block: object, last: int) -> None:
    if not isinstance(block, Block):
        raise AnswerError(f"blocks() must yield blocks (Block), not {a(block)}")
    for part in ("numbers", "rows"):
        if not isinstance(value := getattr(block, part), Sequence) or isinstance(value, str | bytes):
            raise AnswerError(f"the {part} of a block must be a list, not {a(value)}")
    rows: object = block.rows
    if isinstance(rows, CellColumns) and not _are_columns(rows.columns, len(block.numbers)):
        raise AnswerError(
            f"the columns of a block must be lists of one length, one cell for each of its {len(block.numbers)} numbers"
        )
    if len(block.numbers) != len(block.rows):
        raise AnswerError(f"a block has {len(block.rows)} rows and {len(block.numbers)} numbers of rows")
    for number, cells in zip(block.numbers, block.rows, strict=True):
        row: Any = cells
        _look_at_row(SheetRow(number, tuple(row) if isinstance(row, list) else row), last)
        last = number


def _look_at_row(row: object, last: int) -> None:
    if not isinstance(row, SheetRow):
        raise AnswerError(f"rows() must yield rows (SheetRow), not {a(row)}")
    number: object = row.number
    cells: object = row.cells
    if type(number) is not int or number <= last:
        after = f"row {last}" if last else "the beginning, from 1 on"
        raise AnswerError(f"the numbers of rows must be whole and rise; after {after} comes {number!r:.20}")
    if type(cells) is not tuple:
        raise AnswerError(f"the cells of row {number} must be a tuple, not {a(cells)}")
    for place, cell in enumerate(cells, 1):
        if not isinstance(cell, _KINDS):
            raise AnswerError(
                f"cell {place} of row {number} is {a(cell)}; a cell is a text (str), None, or a record of its kind, "
                "e.g. NumberCell"
            )


def _judgement(answer: object) -> Confidence | OtherFormat:
    if isinstance(answer, OtherFormat) and all(map(is_text, answer)):
        return answer
    if not isinstance(answer, Confidence):
        known = ", ".join(f"Confidence.{one.name}" for one in Confidence)
        raise AnswerError(f"sniff() must return one of {known}, not {a(answer)}")
    return answer


def _info(sheet: object) -> SheetInfo:
    if not callable(getattr(sheet, "rows", None)):
        raise AnswerError(f"what open() gives must be a sheet, with info and rows(), not {a(sheet)}")
    info: object = getattr(sheet, "info", None)
    if not isinstance(info, SheetInfo):
        raise AnswerError(f"the sheet's info must be SheetInfo(…), not {a(info)}")
    if not is_text(info.format):
        raise AnswerError("the sheet's info must name the format")
    return info
