"""Rows of a sheet as the stage takes them: in columns of texts, and as rows of values where they are wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import overload

from musterroll.contract.batch import Batch
from musterroll.contract.cells import Cell, SheetRow
from musterroll.contract.fields import USERNAME
from musterroll.contract.problems import Problem
from musterroll.contract.rows import ABSENT, Origin, Row, Value
from musterroll.sheet.row_values import KnownValues
from musterroll.sheet.rows import RowMaker, RowWithProblems
from musterroll.sheet.shifts import hidden
from musterroll.sheet.texts import Texts


class RowBatch(Sequence[Row]):
    """Rows of a sheet. What they are made of is made when it is asked for.

    Args:
        numbers: the rows' numbers.
        cells: their cells.
        make: makes a row of its cells.
        unusable: of the rows none of whose cells can be used, what is wrong, by their places in the batch.
    """

    def __init__(
        self,
        numbers: Sequence[int],
        cells: Sequence[Sequence[Cell]],
        make: RowMaker,
        unusable: Mapping[int, Problem] | None = None,
    ) -> None:
        self.numbers, self.cells, self._make, self._unusable = numbers, cells, make, unusable or {}
        self._given: Mapping[int, Value] = {}
        self._made = {place: make.unusable(numbers[place], problem) for place, problem in self._unusable.items()}

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        return self.made(range(len(self))[place]).row

    def made(self, place: int) -> RowWithProblems:
        """The row at a place in the batch, and what is wrong with its cells."""
        made = self._made.get(place)
        if made is None:
            number = self.numbers[place]
            if "texts" in vars(self) and place not in self.texts.odd:
                made = self._make.of_known(number, self._known, place)
            else:
                made = self._make(SheetRow(number, tuple(self.cells[place])))
            self._made[place] = made = self._named(place, made) if self._given else made
        return made

    @property
    def indexes(self) -> Mapping[str, int]:
        """The column of each field that has one, from 0."""
        return self._make.indexes

    def with_texts(self, texts: Mapping[int, Mapping[int, str]]) -> RowBatch:
        """Makes the batch as it would be with other texts in some cells.

        Args:
            texts: the texts by the places of the rows, and by column, from 0.
        """
        cells = list(self.cells)
        for place, changed in texts.items():
            row = list(cells[place])
            row.extend([None] * (max(changed, default=-1) + 1 - len(row)))
            for index, text in changed.items():
                row[index] = text
            cells[place] = row
        return RowBatch(self.numbers, cells, self._make, self._unusable)

    def only(self, places: Sequence[int]) -> RowBatch:
        """Makes a batch of some of its rows, by their places in ascending order."""
        unusable = {new: self._unusable[place] for new, place in enumerate(places) if place in self._unusable}
        numbers, cells = [self.numbers[place] for place in places], [self.cells[place] for place in places]
        return RowBatch(numbers, cells, self._make, unusable)

    def hide(self, place: int) -> None:
        """Takes all values out of a row, so that nothing shows one."""
        row, problems = self.made(place)
        self._made[place] = RowWithProblems(hidden(row), problems)
        if "texts" in vars(self):
            self.texts.put(place, hidden(row))

    def give_names(self, names: Mapping[int, str]) -> None:
        """Puts the usernames that were made where they were proposed.

        Args:
            names: the usernames by the places of rows; "" where none could be made.
        """
        self._given = {place: Value(name, Origin.MADE) if name else ABSENT for place, name in names.items()}
        texts = self.texts.plain[USERNAME]
        self.texts.joined.pop(USERNAME, None)
        for place, name in names.items():
            texts[place] = name
            if place in self._made:
                self._made[place] = self._named(place, self._made[place])
        for made_of_texts in ("columns", "without_defaults", "_known"):
            vars(self).pop(made_of_texts, None)

    def _named(self, place: int, made: RowWithProblems) -> RowWithProblems:
        name = self._given.get(place)
        if name is None:
            return made
        values = MappingProxyType({**made.row.values, USERNAME: name})
        return made._replace(row=replace(made.row, values=values))

    @cached_property
    def texts(self) -> Texts:
        """The rows' texts in columns."""
        texts = self._make.texts(self.cells)
        for place in {*texts.odd, *self._made}:
            texts.put(place, self.made(place).row)
        return texts

    @cached_property
    def _known(self) -> KnownValues:
        return self._make.known(self.cells, self.texts)

    @cached_property
    def faulty(self) -> set[int]:
        """The places of rows whose cells have problems."""
        return {place for place in (*self.texts.odd, *self._made) if self.made(place).problems}

    @cached_property
    def columns(self) -> Batch:
        """The batch as rules see it."""
        return Batch(self.numbers, self.texts.plain, self.texts.secret, self.texts.made, self.texts.joined)

    @cached_property
    def without_defaults(self) -> Batch | None:
        """The batch as it were without defaults; None where there is no default in it."""
        bare = self.texts.without_defaults()
        return None if bare is self.texts else Batch(self.numbers, bare.plain, bare.secret)


class RowTexts:
    """The texts of one row by field, without the row: "" where blank, absent or secret."""

    __slots__ = ("_batch", "_place")

    def __init__(self, batch: RowBatch, place: int) -> None:
        self._batch, self._place = batch, place

    def __getitem__(self, field: str) -> str:
        return self._batch.columns.texts(field)[self._place]
