"""The contract that every reader keeps, as tests to inherit.

class TestJsonLines(ReaderContract):
    has_worksheets = False

    def open_reader(self):
        return build_reader(acme, "jsonl")

    def write(self, path, rows):
        …  # so that it holds these texts
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from musterroll.contract.cells import BoolCell, DateCell, ErrorCell, FormulaCell, NumberCell, SheetRow, TextCell
from musterroll.contract.roles import AmbiguousWorksheetError, Confidence, Reader, ReadsBlocks
from musterroll.contract.source import Source
from musterroll.errors import MusterrollError, SourceError
from musterroll.registry.guards.built import READER, look_at_built
from musterroll.registry.guards.reader import WatchedReader
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch
from musterroll_testing._limits import bounded, in_time
from musterroll_testing.rehearsal import FOREIGN

ROWS = (
    ("Username", "Forename", "Surname"),
    ("guidance", "needed", "may be empty"),
    ("ana", "Ana", "Silva"),
    ("straße", "Ｂｏ", "O'Brien; “x”"),
    ("007", "1,5", "=not a formula"),
)
_KINDS = (str, TextCell, NumberCell, DateCell, BoolCell, ErrorCell, FormulaCell)


class ReaderContract:
    """Subclass it as `Test…`; override `open_reader` and `write`.

    Attributes:
        rows: texts that the format can hold; the first row's are headings.
        first_row: the number of the first of them, as the person sees it.
        has_worksheets: whether a file holds worksheets with names.
    """

    rows: Sequence[Sequence[str]] = ROWS
    first_row: int = 1
    has_worksheets: bool = True

    def open_reader(self) -> Reader:
        """Builds a reader; override this."""
        raise NotImplementedError

    def write(self, path: Path, rows: Sequence[Sequence[str]]) -> None:
        """Writes a file of the format with these texts; override this."""
        raise NotImplementedError

    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        """A file with the rows; its name says nothing of its format."""
        path = tmp_path / "sheet"
        self.write(path, self.rows)
        return path

    def test_first_of_all(self, file: Path) -> None:
        """What it is, and what it answers, in words."""
        try:
            made = self.open_reader()
            look_at_built(made, READER)
            reader = WatchedReader(made, "this reader", Watch())
            reader.sniff(Source(file))
            with in_time(60, "this reader"), reader.open(Source(file)) as sheet:
                assert bounded(sheet.rows(), "rows()"), "it reads no row of a file that it has written"
        except (AnswerError, MusterrollError) as error:
            pytest.fail(str(error), pytrace=False)

    def test_its_own_files_are_known_by_their_content(self, file: Path) -> None:
        assert self.open_reader().sniff(Source(file)) in {Confidence.PERHAPS, Confidence.CERTAIN}

    @pytest.mark.parametrize("content", FOREIGN)
    def test_foreign_files(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "sheet"
        path.write_bytes(content)
        assert self.open_reader().sniff(Source(path)) is not Confidence.CERTAIN
        self._read_or_refused(path)

    def test_rows_and_their_numbers(self, file: Path) -> None:
        before = file.read_bytes()
        reader, source = self.open_reader(), Source(file)
        for _ in range(2):  # the engine opens a sheet again for its passwords
            with reader.open(source) as sheet:
                assert sheet.info.format
                rows = list(sheet.rows())
            assert [row.number for row in rows] == [self.first_row + index for index in range(len(self.rows))]
            assert [tuple(row.cells[: len(self.rows[0])]) for row in rows] == [tuple(row) for row in self.rows]
        assert file.read_bytes() == before

    def test_blocks_hold_the_same_rows(self, file: Path) -> None:
        with self.open_reader().open(Source(file)) as sheet:
            if not isinstance(sheet, ReadsBlocks):
                return  # the engine makes blocks of its rows
            rows = list(sheet.rows())
        with self.open_reader().open(Source(file)) as sheet:
            assert isinstance(sheet, ReadsBlocks)
            blocks = list(sheet.blocks())
        assert [number for block in blocks for number in block.numbers] == [row.number for row in rows]
        assert [tuple(cells) for block in blocks for cells in block.rows] == [row.cells for row in rows]

    def test_stopping_early_lets_go_of_the_file(self, file: Path) -> None:
        with self.open_reader().open(Source(file)) as sheet:
            next(iter(sheet.rows()))
        file.unlink()

    def test_files_that_are_cut_off_or_damaged(self, file: Path) -> None:
        content, chance = file.read_bytes(), random.Random(1)  # noqa: S311 -- nothing to keep secret
        for _ in range(25):
            file.write_bytes(content[: chance.randrange(len(content))])
            self._read_or_refused(file)
            damaged = bytearray(content)
            for _ in range(5):
                damaged[chance.randrange(len(damaged))] = chance.randrange(256)
            file.write_bytes(damaged)
            self._read_or_refused(file)

    def test_a_worksheet_that_is_not_there(self, file: Path) -> None:
        if not self.has_worksheets:
            pytest.skip("this format has no worksheets")
        with pytest.raises(SourceError), self.open_reader().open(Source(file), "Nowhere") as sheet:
            list(sheet.rows())

    def _read_or_refused(self, path: Path) -> None:
        """Rows, or one clear line: nothing else comes of it."""
        number = 0
        try:
            with self.open_reader().open(Source(path)) as sheet:
                for row in sheet.rows():
                    assert row.number > number
                    number = row.number
                    self._cells_are_cells(row)
        except SourceError as refusal:
            self._one_line(refusal.message)
        except AmbiguousWorksheetError:
            pass  # the core asks which

    def _one_line(self, message: str) -> None:
        """What a refusal must be like."""
        assert message.strip()
        assert "\n" not in message

    def _cells_are_cells(self, row: SheetRow) -> None:
        assert all(cell is None or isinstance(cell, _KINDS) for cell in row.cells), row
